extension Kernel {
  /// Where a kernel of a sequence finds one of its operands or results.
  enum Place {
    case operand(Int)
    case result(Int)
    /// A tensor in the workspace, by number.
    case workspace(Int)
  }

  /// Kernels one after another as one, with tensors between them in the workspace.
  ///
  /// - Parameters:
  ///   - kernels: each with the places of its operands and results.
  ///   - temporaries: the bytes of each tensor in between.
  static func sequence(
    _ kernels: [(kernel: Kernel, places: [Place])], operandCount: Int, resultCount: Int, temporaries: [Int]
  ) -> Kernel {
    var end = 0
    let offsets = temporaries.map { bytes in
      defer { end += (bytes + 63) / 64 * 64 }
      return end
    }
    let own = end
    let bytes = own + (kernels.map(\.kernel.workspaceBytes).max() ?? 0)
    let most = (kernels.map(\.places.count).max() ?? 0) + 1
    return Kernel(workspaceBytes: bytes) { pointers in
      withUnsafeTemporaryAllocation(of: UnsafeMutableRawPointer?.self, capacity: most) { table in
        let workspace = pointers[operandCount + resultCount]
        for (kernel, places) in kernels {
          for (index, place) in places.enumerated() {
            let address: UnsafeMutableRawPointer? =
              switch place {
              case .operand(let number): pointers[number]
              case .result(let number): pointers[operandCount + number]
              case .workspace(let number): workspace! + offsets[number]
              }
            table.initializeElement(at: index, to: address)
          }
          table.initializeElement(at: places.count, to: workspace.map { $0 + own })
          let status = kernel.run(UnsafePointer(table.baseAddress!))
          if status != 0 { return status }
        }
        return 0
      }
    }
  }
}
