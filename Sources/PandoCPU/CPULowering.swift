import PandoEngine
import PandoIR
import PandoOperations

/// What the CPU engine can do: an operation conforms in a file under `Lowering/`.
///
/// A composite that does not conform, or cannot be lowered for its types, is decomposed.
package protocol CPULowering: PandoIR.Operation {
  /// Whether there is a kernel for these types. Other types of a composite are decomposed; other types of a primitive
  /// stop compilation.
  func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool

  /// A kernel for these types: everything that can be made ready before the program runs is made here.
  func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel
}

/// An operation whose fastest kernel gives up some accuracy, and that has another.
package protocol ExactLowering: CPULowering {
  /// The kernel for programs that are to be exact.
  func lowerExactly(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel
}

extension CPULowering {
  package func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool { true }
}

/// The addresses of a node's operands, then its results, then its workspace.
package typealias KernelPointers = UnsafePointer<UnsafeMutableRawPointer?>

/// One step of a compiled program. Running it allocates nothing.
package struct Kernel {
  /// Bytes of workspace.
  package let workspaceBytes: Int
  /// For each result, the operands over which it may be written.
  package let inPlace: [[Int]]
  /// Does the work; anything but 0 is a failure of a library.
  package let run: (KernelPointers) -> Int32

  package init(workspaceBytes: Int = 0, inPlace: [[Int]] = [], run: @escaping (KernelPointers) -> Int32) {
    self.workspaceBytes = workspaceBytes
    self.inPlace = inPlace
    self.run = run
  }

  /// A kernel that cannot fail.
  package init(
    workspaceBytes: Int = 0, inPlace: [[Int]] = [], always run: @escaping (KernelPointers) -> Void
  ) {
    self.init(workspaceBytes: workspaceBytes, inPlace: inPlace) { pointers in
      run(pointers)
      return 0
    }
  }
}
