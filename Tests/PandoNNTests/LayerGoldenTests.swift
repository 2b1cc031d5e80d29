import Pando
import PandoNN
import Testing

/// A layer as a case of the golden files describes it.
struct LayerCase: CustomTestStringConvertible {
  let file: String
  let name: String
  let make: @Sendable () -> any Layer

  init(_ file: String, _ name: String, _ make: @escaping @Sendable () -> any Layer) {
    self.file = file
    self.name = name
    self.make = make
  }

  var testDescription: String { name }

  static let all = linear + convolution + norm + pooling + attention

  static let linear = [
    LayerCase("linear", "linear") { Linear(7, 5) },
    LayerCase("linear", "linear_no_bias") { Linear(7, 5, bias: false) },
    LayerCase("linear", "embedding") { Embedding(6, 4) },
  ]

  static let convolution = [
    LayerCase("convolution", "conv1d_plain") { Conv1d(3, 5, kernel: 3) },
    LayerCase("convolution", "conv1d_all") {
      Conv1d(4, 6, kernel: 3, stride: 2, padding: 3, dilation: 2, groups: 2)
    },
    LayerCase("convolution", "conv1d_depthwise") {
      Conv1d(4, 4, kernel: 5, padding: 2, groups: 4, bias: false)
    },
    LayerCase("convolution", "conv2d_plain") { Conv2d(3, 4, kernel: 3) },
    LayerCase("convolution", "conv2d_strided") {
      Conv2d(3, 4, kernel: [3, 5], stride: [2, 1], padding: [1, 2])
    },
    LayerCase("convolution", "conv2d_dilated") { Conv2d(3, 4, kernel: 3, padding: 2, dilation: 2) },
    LayerCase("convolution", "conv2d_grouped") { Conv2d(4, 6, kernel: 3, padding: 1, groups: 2) },
    LayerCase("convolution", "conv2d_depthwise") {
      Conv2d(3, 6, kernel: 3, padding: 1, groups: 3, bias: false)
    },
    LayerCase("convolution", "conv2d_pointwise") { Conv2d(6, 4, kernel: 1, stride: 2, bias: false) },
    LayerCase("convolution", "conv2d_all") {
      Conv2d(4, 8, kernel: [3, 2], stride: [3, 2], padding: [2, 1], dilation: [1, 3], groups: 2)
    },
    LayerCase("convolution", "conv_transpose2d_plain") { ConvTranspose2d(3, 4, kernel: 3) },
    LayerCase("convolution", "conv_transpose2d_strided") {
      ConvTranspose2d(3, 4, kernel: 3, stride: 2, padding: 1, outputPadding: 1)
    },
    LayerCase("convolution", "conv_transpose2d_grouped") {
      ConvTranspose2d(4, 6, kernel: 3, stride: 2, groups: 2, bias: false)
    },
    LayerCase("convolution", "conv_transpose2d_all") {
      ConvTranspose2d(
        4, 6, kernel: [3, 2], stride: [3, 2], padding: [1, 0], outputPadding: [2, 1], dilation: [2, 1],
        groups: 2)
    },
  ]

  static let norm = [
    LayerCase("norm", "layer_norm") { LayerNorm(6) },
    LayerCase("norm", "layer_norm_two_dimensions") { LayerNorm([4, 5], epsilon: 1e-3) },
    LayerCase("norm", "layer_norm_bare") { LayerNorm(6, affine: false) },
    LayerCase("norm", "layer_norm_no_bias") { LayerNorm(6, bias: false) },
    LayerCase("norm", "rms_norm") { RMSNorm(6, epsilon: 1e-6) },
    LayerCase("norm", "rms_norm_large_epsilon") { RMSNorm(6, epsilon: 1e-1) },
    LayerCase("norm", "group_norm") { GroupNorm(groups: 2, 6) },
    LayerCase("norm", "group_norm_instance") { GroupNorm(groups: 4, 4) },
    LayerCase("norm", "batch_norm1d") { BatchNorm1d(4) },
    LayerCase("norm", "batch_norm1d_sequence") { BatchNorm1d(4) },
    LayerCase("norm", "batch_norm2d") { BatchNorm2d(4) },
    LayerCase("norm", "batch_norm2d_eval") { BatchNorm2d(4) },
  ]

  static let pooling = [
    LayerCase("pooling", "max_pool2d") { MaxPool2d(kernel: 2) },
    LayerCase("pooling", "max_pool2d_overlapping") { MaxPool2d(kernel: 3, stride: 2, padding: 1) },
    LayerCase("pooling", "max_pool2d_all") {
      MaxPool2d(kernel: [3, 2], stride: [2, 1], padding: [1, 0], dilation: [2, 3])
    },
    LayerCase("pooling", "avg_pool2d") { AvgPool2d(kernel: 2) },
    LayerCase("pooling", "avg_pool2d_padding_counts") { AvgPool2d(kernel: 3, stride: 2, padding: 1) },
    LayerCase("pooling", "avg_pool2d_padding_does_not_count") {
      AvgPool2d(kernel: 3, stride: 2, padding: 1, countsPadding: false)
    },
    LayerCase("pooling", "adaptive_avg_pool2d_global") { AdaptiveAvgPool2d(1) },
    LayerCase("pooling", "adaptive_avg_pool2d_uneven") { AdaptiveAvgPool2d([3, 5]) },
    LayerCase("pooling", "adaptive_avg_pool2d_larger") { AdaptiveAvgPool2d([6, 3]) },
  ]

  static let attention = [
    LayerCase("attention", "multihead") { MultiheadAttention(12, heads: 3) },
    LayerCase("attention", "multihead_causal") { MultiheadAttention(12, heads: 3, causal: true) },
  ]
}

/// The numbers of a layer's parameters and statistics; the names must be the file's.
private func feeds(of layer: any Module, _ golden: Golden) throws -> [(
  entry: NamedParameter, buffer: HostBuffer
)] {
  let parameters = try layer.namedParameters()
  #expect(parameters.filter(\.parameter.isTrainable).map(\.name).sorted() == golden.names("param"))
  #expect(parameters.filter { !$0.parameter.isTrainable }.map(\.name).sorted() == golden.names("buffer"))
  return try parameters.map {
    ($0, try golden.buffer("\($0.parameter.isTrainable ? "param" : "buffer").\($0.name)"))
  }
}

/// Compares `y` and the gradients of its inputs and parameters with a case's.
private func check(
  _ y: Tensor, inputs: [(name: String, feed: Feed)],
  parameters: [(entry: NamedParameter, buffer: HostBuffer)],
  _ golden: Golden, also: [(name: String, tensor: Tensor)] = [], on device: Device
) throws {
  let cotangent = try feed(golden, "cotangent")
  let trained = parameters.filter(\.entry.parameter.isTrainable)
  let wanted =
    inputs.filter { $0.feed.placeholder.dtype.isFloatingPoint }.map { ($0.name, $0.feed.placeholder) }
    + trained.map { ($0.entry.name, $0.entry.parameter.tensor) }
  #expect(wanted.map(\.0).sorted() == golden.names("grad"))
  let gradients = try gradient(of: (y * cotangent.placeholder).sum(), at: wanted.map(\.1))
  let outputs =
    [("output.y", y)] + zip(wanted, gradients).map { ("grad.\($0.0)", $1) }
    + also.map { ($0.name, $0.tensor) }
  let feeds = inputs.map(\.feed) + parameters.map { ($0.entry.parameter.tensor, $0.buffer) } + [cotangent]
  for (result, (name, _)) in zip(try run(outputs.map(\.1), feeds, on: device), outputs) {
    #expect(relativeError(result.doubles, try golden.values(name)) < 1e-5, "\(name) on \(device.name)")
  }
}

@Test(arguments: LayerCase.all, devices)
func layerAgreesWithPyTorch(_ item: LayerCase, _ deviceName: String) throws {
  let golden = try Golden(item.file, case: item.name)
  let layer = item.make()
  let parameters = try feeds(of: layer, golden)
  let name = golden.has("input.x") ? "x" : "ids"
  let x = try feed(golden, "input.\(name)")
  let context = item.name.hasSuffix("eval") ? Context.evaluation() : .training(key: key(0, 0))
  let y = layer(x.placeholder, context)
  #expect(y.shape == (try golden.buffer("output.y").type.shape))
  let also = context.updates.map { update in
    let entry = parameters.first { $0.entry.parameter === update.parameter }
    return (name: "after.\(entry?.entry.name ?? "?")", tensor: update.value)
  }
  #expect(also.count == (context.isTraining ? golden.names("after").count : 0))
  try check(
    y, inputs: [(name, x)], parameters: parameters, golden, also: also, on: Device(named: deviceName))
}

@Test(arguments: devices) func crossAttentionAgreesWithPyTorch(_ deviceName: String) throws {
  let golden = try Golden("attention", case: "multihead_cross")
  let layer = MultiheadAttention(12, heads: 3)
  let parameters = try feeds(of: layer, golden)
  let (x, memory) = (try feed(golden, "input.x"), try feed(golden, "input.memory"))
  try check(
    layer(x.placeholder, memory: memory.placeholder), inputs: [("x", x), ("memory", memory)],
    parameters: parameters, golden, on: Device(named: deviceName))
}

/// The file has a weight each for queries, keys and values; the layer has them in one.
@Test(arguments: devices) func groupedQueriesWithRotaryPositionsAgreeWithPyTorch(_ deviceName: String) throws
{
  let golden = try Golden("attention", case: "grouped_query_rotary")
  let layer = MultiheadAttention(
    10, heads: 4, keyValueHeads: 2, headWidth: 6, bias: false, causal: true, rotaryBase: 10000)
  let parts = ["q_proj", "k_proj", "v_proj"]
  let weight = try parts.flatMap { try golden.values("param.\($0).weight") }
  let x = try feed(golden, "input.x")
  let cotangent = try feed(golden, "cotangent")
  let (input, output) = (layer.in_proj_weight, layer.out_proj.weight)
  let y = layer(x.placeholder)
  let gradients = try gradient(
    of: (y * cotangent.placeholder).sum(), at: [x.placeholder, input.tensor, output.tensor])
  let results = try run(
    [y] + gradients,
    [
      x, cotangent, (input.tensor, HostBuffer(input.type, doubles: weight)),
      (output.tensor, try golden.buffer("param.o_proj.weight")),
    ], on: Device(named: deviceName))
  let right = [
    try golden.values("output.y"), try golden.values("grad.x"),
    try parts.flatMap { try golden.values("grad.\($0).weight") }, try golden.values("grad.o_proj.weight"),
  ]
  for (result, right) in zip(results, right) { #expect(relativeError(result.doubles, right) < 1e-5) }
}
