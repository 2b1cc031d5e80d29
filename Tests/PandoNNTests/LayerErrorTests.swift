import Pando
import PandoNN
import Testing

/// What reading the output of a named model says is wrong.
private func message(_ model: any Layer, _ shape: [Int], _ dtype: DType = .float32) throws -> String {
  _ = try model.namedParameters()
  let y = model(.placeholder("input", TensorType(shape, dtype)), .training(key: key(0, 0)))
  return y.failure?.description ?? "no failure"
}

@Test func wrongInputWidthNamesTheLayerBothShapesAndTheCall() throws {
  let line = #line + 1
  let text = try message(MLP(inputs: 20, hidden: [8], outputs: 2), [4, 21])
  #expect(text.contains("layers.0.weight"))
  #expect(text.contains("float32[8,20]") && text.contains("float32[4,21]"))
  #expect(text.contains("PandoNNTests/LayerErrorTests.swift:\(line)"))
}

private struct Classifier: Module {
  static let line = #line + 1
  let hidden = Linear(784, 512)
  let output = Linear(512, 10)

  func callAsFunction(_ x: Tensor) -> Tensor { output(relu(hidden(x))) }
}

@Test func usersOwnModelIsNamedByItsProperties() throws {
  let model = Classifier()
  let names = try model.namedParameters().map(\.name)
  #expect(names == ["hidden.weight", "hidden.bias", "output.weight", "output.bias"])
  #expect(model(.zeros([3, 784])).shape == [3, 10])
  let text = model(.zeros([3, 783])).failure?.description ?? "no failure"
  #expect(text.contains("hidden.weight") && text.contains("LayerErrorTests.swift:\(Classifier.line)"))
}

@Test func layersThatDoNotFitTogetherNameTheSecond() throws {
  let text = try message(Sequential(Linear(6, 5), ReLU(), Linear(4, 2)), [3, 6])
  #expect(text.contains("2.weight") && text.contains("float32[2,4]") && text.contains("float32[3,5]"))
}

@Test func wrongChannelsNameTheConvolution() throws {
  let text = try message(Sequential(Conv2d(3, 8, kernel: 3), Conv2d(4, 8, kernel: 3)), [1, 3, 9, 9])
  #expect(text.contains("1.weight") && text.contains("float32[8,4,3,3]") && text.contains("float32[1,8,7,7]"))
}

@Test func wrongChannelsNameTheNorm() throws {
  #expect(try message(Sequential(BatchNorm2d(5)), [2, 4, 3, 3]).contains("0.weight"))
  #expect(try message(Sequential(BatchNorm2d(4)), [2, 4, 3]).contains("float32[2,4,3]"))
  #expect(try message(Sequential(LayerNorm(5)), [2, 4]).contains("(in 0."))
  #expect(try message(Sequential(GroupNorm(groups: 2, 6)), [2, 4, 3]).contains("(in 0."))
}

@Test func batchNormNeedsMoreThanOneValueInTraining() throws {
  let text = try message(Sequential(BatchNorm1d(4)), [1, 4])
  #expect(text.contains("more than one value") && text.contains("0.weight"))
}

@Test func tooLongATextIsRefused() throws {
  let model = GPT(vocabulary: 7, context: 4, layers: 1, width: 8, heads: 2)
  #expect(try message(model, [1, 5], .int32).contains("at most 4 tokens, got int32[1,5]"))
}

@Test func labelsMustMatchTheLogits() {
  let loss = crossEntropy(.zeros([4, 3]), .zeros([5], dtype: .int32))
  #expect(loss.failure?.description.contains("float32[4,3] and int32[5]") == true)
  #expect(loss.failure?.description.contains("LayerErrorTests.swift") == true)
}
