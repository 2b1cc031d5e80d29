import PandoIR
import PandoOperations

/// What an operation means: slow and obviously right. The other engines are judged by it.
public protocol ReferenceSemantics: PandoIR.Operation {
  /// The results for these operands, whose types `resultTypes` has accepted.
  ///
  /// Sums run in Double; each result is rounded once, to its type.
  func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType]) -> [ReferenceTensor]
}
