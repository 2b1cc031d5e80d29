import COneDNN

/// Owns a oneDNN primitive.
final class OneDNNPrimitive {
  private let primitive: OpaquePointer

  init(_ primitive: OpaquePointer) { self.primitive = primitive }

  deinit { pdnn_destroy(primitive) }

  /// Bytes of workspace.
  var scratchBytes: Int { pdnn_scratch_bytes(primitive) }

  /// Runs a primitive with two inputs and one output.
  func run(
    _ x: UnsafeMutableRawPointer, _ y: UnsafeMutableRawPointer, into z: UnsafeMutableRawPointer,
    scratch: UnsafeMutableRawPointer?
  ) -> Int32 {
    withUnsafeTemporaryAllocation(of: UnsafeMutableRawPointer?.self, capacity: 3) { pointers in
      pointers.initializeElement(at: 0, to: x)
      pointers.initializeElement(at: 1, to: y)
      pointers.initializeElement(at: 2, to: z)
      return pdnn_execute(primitive, pointers.baseAddress, pointers.baseAddress! + 2, scratch)
    }
  }

  /// A kernel that runs it, for a node with `operandCount` operands in the primitive's order and one result.
  func kernel(operandCount: Int) -> Kernel {
    Kernel(workspaceBytes: scratchBytes) { [primitive = self] in
      pdnn_execute(primitive.primitive, $0, $0 + operandCount, $0[operandCount + 1])
    }
  }
}
