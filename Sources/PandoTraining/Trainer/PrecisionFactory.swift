import Pando

extension Recipe.Precision {
  /// Tensors computed from `inputs` as the recipe asks for: in mixed precision for `bf16`, otherwise as they are.
  func applied(to outputs: [Tensor], of inputs: [Tensor]) throws -> [Tensor] {
    self == .bf16 ? try mixedPrecision(outputs, inputs: inputs) : outputs
  }
}
