import Pando
import PandoNN
import Testing

@Test func residualNetworkHasTheNamesOfTorchvision() throws {
  let names = try ResNet(depth: 18, form: .imageNet, classes: 1000).namedParameters().map(\.name)
  // 20 convolutions, 20 norms of four tensors each, and the last layer's two.
  #expect(names.count == 20 + 20 * 4 + 2)
  #expect(Set(names).count == names.count)
  for name in [
    "conv1.weight", "bn1.weight", "bn1.bias", "bn1.running_mean", "bn1.running_var", "layer1.0.conv1.weight",
    "layer1.1.bn2.bias", "layer2.0.downsample.0.weight", "layer2.0.downsample.1.running_var",
    "layer3.0.downsample.1.weight", "layer4.1.conv2.weight", "fc.weight", "fc.bias",
  ] { #expect(names.contains(name), "\(name)") }
  #expect(!names.contains { $0.hasPrefix("layer1.0.downsample") || $0.hasPrefix("layer2.1.downsample") })
}

@Test func residualNetworksHaveTheShapesAndSizesOfTorchvision() throws {
  // The counts that torchvision documents for its ImageNet models.
  for (depth, count) in [(18, 11_689_512), (34, 21_797_672), (50, 25_557_032)] {
    let model = try ResNet(depth: depth, form: .imageNet, classes: 1000)
    let trained = try model.namedParameters().filter(\.parameter.isTrainable)
    #expect(trained.reduce(0) { $0 + $1.parameter.type.count } == count)
    let logits = model(.placeholder("x", TensorType([2, 3, 224, 224])), .evaluation())
    #expect(logits.failure == nil && logits.shape == [2, 1000])
  }
  let small = try ResNet(depth: 18, form: .cifar, channels: 1, width: 16, classes: 10)
  #expect(small(.placeholder("x", TensorType([4, 1, 32, 32])), .evaluation()).shape == [4, 10])
}

@Test func unknownDepthIsRefusedWithTheKnownOnes() {
  #expect { try ResNet(depth: 19, form: .cifar, classes: 10) } throws: { error in
    "\(error)".contains("depth 19") && "\(error)".contains("18, 34, 50, 101, 152")
  }
}

@Test func transformerHasTheNamesOfTheGoldenFile() throws {
  let golden = try Golden("gpt")
  let model = GPT(vocabulary: 30, context: 16, layers: 2, width: 32, heads: 4, tied: false)
  #expect(try model.namedParameters().map(\.name).sorted() == golden.names("param"))
}

@Test func transformerSharesItsEmbeddingAndCanDoWithoutPositions() throws {
  let model = GPT(
    vocabulary: 11, context: 8, layers: 1, width: 16, heads: 4, keyValueHeads: 2, rotary: true, tied: true)
  let parameters = try model.namedParameters()
  let names = Set(parameters.map(\.name))
  #expect(names.isDisjoint(with: ["head.weight", "position_embedding.weight"]))
  let qkv = parameters.first { $0.name == "blocks.0.attention.qkv.weight" }
  #expect(qkv?.parameter.type.shape == [16 + 2 * 8, 16])
  let logits = model(.placeholder("tokens", TensorType([2, 8], .int32)), .evaluation())
  #expect(logits.failure == nil && logits.shape == [2, 8, 11])
  let short = model(.placeholder("tokens", TensorType([2, 5], .int32)), .evaluation())
  #expect(short.shape == [2, 5, 11])
}

@Test func transformerBeginsAsGPT2() throws {
  let parameters = try GPT(vocabulary: 64, context: 32, layers: 8, width: 64, heads: 4).namedParameters()
  func deviation(_ name: String) -> Double {
    guard let entry = parameters.first(where: { $0.name == name }) else { return .nan }
    let values = entry.parameter.initializer.makeBuffer(entry.parameter.type, name: name, seed: 1).doubles
    return (values.reduce(0) { $0 + $1 * $1 } / Double(values.count)).squareRoot()
  }
  #expect(abs(deviation("token_embedding.weight") - 0.02) < 0.001)
  #expect(abs(deviation("blocks.3.mlp.up.weight") - 0.02) < 0.001)
  #expect(abs(deviation("blocks.3.mlp.down.weight") - 0.02 / 4) < 0.0003)
  #expect(abs(deviation("blocks.7.attention.projection.weight") - 0.02 / 4) < 0.0003)
  #expect(deviation("blocks.3.mlp.up.bias") == 0)
}

@Test func visionTransformerClassifiesImages() throws {
  let model = ViT(
    channels: 3, height: 8, width: 12, patch: 4, features: 16, layers: 2, heads: 2, classes: 5, dropout: 0.1)
  let names = Set(try model.namedParameters().map(\.name))
  #expect(
    names.isSuperset(of: [
      "class_token", "position_embedding", "patch_embedding.weight", "blocks.1.mlp.up.bias",
    ]))
  let logits = model(.placeholder("x", TensorType([2, 3, 8, 12])), .training(key: key(1, 0)))
  #expect(logits.failure == nil && logits.shape == [2, 5])
}

@Test(arguments: [true, false]) func convolutionalNetworkHalvesItsImages(_ batchNorm: Bool) throws {
  let model = CNN(
    channels: 1, height: 28, width: 27, stages: [4, 6], dense: 12, outputs: 10, batchNorm: batchNorm,
    dropout: 0.5)
  let parameters = try model.namedParameters()
  #expect(parameters.first { $0.name == "dense.weight" }?.parameter.type.shape == [12, 6 * 7 * 6])
  #expect(parameters.contains { $0.name == "convolutions.0.bias" } == !batchNorm)
  #expect(parameters.contains { $0.name == "norms.1.running_mean" } == batchNorm)
  let logits = model(.placeholder("x", TensorType([2, 1, 28, 27])), .training(key: key(1, 0)))
  #expect(logits.failure == nil && logits.shape == [2, 10])
}

@Test func sequenceNumbersItsLayers() throws {
  let model = Sequential(Linear(4, 3), ReLU(), Dropout(0.5), BatchNorm1d(3), Linear(3, 2, bias: false))
  #expect(
    try model.namedParameters().map(\.name) == [
      "0.weight", "0.bias", "3.weight", "3.bias", "3.running_mean", "3.running_var", "4.weight",
    ])
}
