import CPandoKernels
import PandoIR

extension Kernel {
  /// The kernel that an operation has for float32, for 16-bit tensors.
  static func widened(
    _ lowering: some CPULowering, _ operands: [TensorType], _ results: [TensorType], threads: Int
  ) throws -> Kernel {
    func wide(_ types: [TensorType]) -> [TensorType] {
      types.map { $0.dtype == .bfloat16 || $0.dtype == .float16 ? $0.with(dtype: .float32) : $0 }
    }
    return .widened(
      try lowering.lower(wide(operands), wide(results), threads: threads), operands, results, threads: threads
    )
  }

  /// A kernel that works in float32, for 16-bit tensors: operands are widened into the workspace, results rounded from
  /// there. Tensors of other types are passed as they are.
  ///
  /// - Parameters:
  ///   - wide: the kernel with float32 in place of the 16-bit types.
  ///   - operands: the types outside.
  ///   - results: the types outside.
  static func widened(
    _ wide: Kernel, _ operands: [TensorType], _ results: [TensorType], threads: Int
  ) -> Kernel {
    let types = operands + results
    var end = wide.workspaceBytes.roundedUpToLine
    let places = types.map { type -> Int? in
      guard type.dtype == .bfloat16 || type.dtype == .float16 else { return nil }
      defer { end += (type.count * 4).roundedUpToLine }
      return end
    }
    if places.allSatisfy({ $0 == nil }) { return wide }
    let (threads, operandCount) = (Int32(threads), operands.count)
    let inner = wide.run
    return Kernel(workspaceBytes: end) { pointers in
      withUnsafeTemporaryAllocation(of: UnsafeMutableRawPointer?.self, capacity: types.count + 1) { table in
        let workspace = pointers[types.count]
        for (index, type) in types.enumerated() {
          guard let place = places[index] else {
            table.initializeElement(at: index, to: pointers[index])
            continue
          }
          table.initializeElement(at: index, to: workspace! + place)
          if index < operandCount {
            let status = pk_convert(
              workspace! + place, PK_F32, pointers[index], type.dtype.kernel, Int64(type.count), threads)
            if status != PK_OK { return Int32(status.rawValue) }
          }
        }
        table.initializeElement(at: types.count, to: workspace)
        let status = inner(UnsafePointer(table.baseAddress!))
        if status != 0 { return status }
        for index in operandCount..<types.count {
          guard let place = places[index] else { continue }
          let type = types[index]
          let status = pk_convert(
            pointers[index], type.dtype.kernel, workspace! + place, PK_F32, Int64(type.count), threads)
          if status != PK_OK { return Int32(status.rawValue) }
        }
        return 0
      }
    }
  }
}

extension Int {
  /// The next multiple of a cache line's 64 bytes.
  fileprivate var roundedUpToLine: Int { (self + 63) / 64 * 64 }
}
