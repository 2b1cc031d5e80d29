import Pando
import PandoNN
import PandoOptimizers
import Testing

@Test func normsAndBiasesDoNotDecayByDefault() throws {
  let model = Sequential(Conv2d(1, 2, kernel: 3), BatchNorm2d(2), Flatten(), Linear(8, 3), LayerNorm(3))
  let decaying = try model.namedParameters().filter(\.decays).map(\.name)
  #expect(decaying == ["0.weight", "3.weight"])
}

@Test func parameterThatDoesNotDecayOnlyFollowsItsGradient() throws {
  let (parameter, gradient) = (Tensor([2, -4]), Tensor.zeros([2]))
  for rule in [SGD(weightDecay: 0.5), AdamW(weightDecay: 0.5), Adam(weightDecay: 0.5)] as [any Optimizer] {
    func step(decays: Bool) throws -> [Float] {
      let state = rule.slots(for: parameter.type).map { Tensor.zeros($0.type.shape) }
      return try rule.update(
        parameter: parameter, gradient: gradient, state: state, learningRate: Tensor(0.1), step: Tensor(1),
        decays: decays
      ).parameter.floats(on: .reference)
    }
    #expect(try step(decays: false) == [2, -4], "\(rule.name)")
    let shrunk = try step(decays: true)
    #expect(shrunk[0] < 2 && shrunk[1] > -4, "\(rule.name)")
  }
}

@Test func halfPrecisionParametersKeepTheirStateInFloat32() {
  let type = TensorType([3], .bfloat16)
  #expect(AdamW().slots(for: type).allSatisfy { $0.type == TensorType([3], .float32) })
  #expect(SGD(momentum: 0.9).slots(for: type).map(\.type) == [TensorType([3], .float32)])
  #expect(SGD().slots(for: type).isEmpty)
}

@Test func movingAverageForgetsExponentially() throws {
  let average = MovingAverage(decay: 0.75)
  var value = Tensor([4, 0])
  for _ in 0..<2 { value = average.update(average: value, parameter: Tensor([0, 4])) }
  #expect(try value.floats(on: .reference) == [2.25, 1.75])
}

@Test func normOfNothingIsZero() throws {
  #expect(try globalNorm([]).scalar(on: .reference) == 0)
  let clipped = clipByGlobalNorm([.zeros([3])], 1)
  #expect(try clipped.gradients[0].floats(on: .reference) == [0, 0, 0])
}
