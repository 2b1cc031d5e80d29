import Pando
import Testing

/// A function of the inputs of a golden case.
struct FunctionCase: CustomTestStringConvertible {
  let file: String
  let name: String
  let inputs: [String]
  let function: @Sendable ([Tensor]) -> Tensor

  init(
    _ file: String, _ name: String, _ inputs: [String] = ["x"],
    _ function: @escaping @Sendable ([Tensor]) -> Tensor
  ) {
    self.file = file
    self.name = name
    self.inputs = inputs
    self.function = function
  }

  var testDescription: String { name }

  static let all = activations + losses + attention

  static let activations = [
    FunctionCase("activation", "relu") { relu($0[0]) },
    FunctionCase("activation", "gelu") { gelu($0[0]) },
    FunctionCase("activation", "gelu_tanh") { gelu($0[0], approximation: .tanh) },
    FunctionCase("activation", "silu") { silu($0[0]) },
    FunctionCase("activation", "sigmoid") { sigmoid($0[0]) },
    FunctionCase("activation", "tanh") { tanh($0[0]) },
    FunctionCase("activation", "softplus") { softplus($0[0]) },
    FunctionCase("activation", "elu") { elu($0[0]) },
    FunctionCase("activation", "leaky_relu") { leakyReLU($0[0]) },
    FunctionCase("activation", "mish") { mish($0[0]) },
    FunctionCase("activation", "hardswish") { hardswish($0[0]) },
    FunctionCase("activation", "softmax") { softmax($0[0]) },
    FunctionCase("activation", "softmax_first") { softmax($0[0], dimension: 0) },
    FunctionCase("activation", "log_softmax") { logSoftmax($0[0]) },
  ]

  static let losses = [
    FunctionCase("loss", "cross_entropy", ["logits", "labels"]) { crossEntropy($0[0], $0[1]) },
    FunctionCase("loss", "cross_entropy_sum", ["logits", "labels"]) { crossEntropyRows($0[0], $0[1]).sum() },
    FunctionCase("loss", "cross_entropy_none", ["logits", "labels"]) { crossEntropyRows($0[0], $0[1]) },
    FunctionCase("loss", "cross_entropy_smoothing", ["logits", "labels"]) {
      crossEntropy($0[0], $0[1], labelSmoothing: 0.1)
    },
    FunctionCase("loss", "cross_entropy_ignore", ["logits", "labels"]) {
      crossEntropy($0[0], $0[1], ignoring: -100)
    },
    FunctionCase("loss", "cross_entropy_smoothing_ignore", ["logits", "labels"]) {
      crossEntropy($0[0], $0[1], labelSmoothing: 0.2, ignoring: -100)
    },
    // PyTorch has the classes second, we have them last.
    FunctionCase("loss", "cross_entropy_images", ["logits", "labels"]) {
      crossEntropy($0[0].transpose(1, 2), $0[1])
    },
    FunctionCase("loss", "mse", ["x", "target"]) { meanSquaredError($0[0], $0[1]) },
    FunctionCase("loss", "l1", ["x", "target"]) { meanAbsoluteError($0[0], $0[1]) },
    FunctionCase("loss", "smooth_l1", ["x", "target"]) { smoothL1($0[0], $0[1]) },
    FunctionCase("loss", "bce_with_logits", ["x", "target"]) { binaryCrossEntropy(logits: $0[0], $0[1]) },
  ]

  static let attention = [
    FunctionCase("attention", "sdpa", ["q", "k", "v"]) { scaledDotProductAttention($0[0], $0[1], $0[2]) },
    FunctionCase("attention", "sdpa_scaled", ["q", "k", "v"]) {
      scaledDotProductAttention($0[0], $0[1], $0[2], scale: 0.7)
    },
    FunctionCase("attention", "sdpa_causal", ["q", "k", "v"]) {
      scaledDotProductAttention($0[0], $0[1], $0[2], causal: true)
    },
    FunctionCase("attention", "rotary") { rotaryEmbedding($0[0]) },
    FunctionCase("attention", "rotary_offset") { rotaryEmbedding($0[0], offset: 5) },
  ]
}

@Test(arguments: FunctionCase.all, devices)
func functionAgreesWithPyTorch(_ item: FunctionCase, _ deviceName: String) throws {
  let golden = try Golden(item.file, case: item.name)
  let inputs = try item.inputs.map { (name: $0, feed: try feed(golden, "input.\($0)")) }
  let cotangent = try feed(golden, "cotangent")
  let y = item.function(inputs.map(\.feed.placeholder))
  let wanted = inputs.filter { golden.has("grad.\($0.name)") }
  let gradients = try gradient(
    of: (y * cotangent.placeholder).sum(), at: wanted.map(\.feed.placeholder))
  let results = try run(
    [y] + gradients, inputs.map(\.feed) + [cotangent], on: Device(named: deviceName))
  let names = ["output.y"] + wanted.map { "grad.\($0.name)" }
  for (result, name) in zip(results, names) {
    #expect(relativeError(result.doubles, try golden.values(name)) < 1e-5, "\(name)")
  }
}
