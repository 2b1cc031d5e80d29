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

/// State in 16 bits: what a step changes by less than half a unit in the last place is not lost, because roundings up
/// and down are right in the mean.
@Suite struct RoundedStateTests {
  private static let count = 4096
  private static let steps = 200

  /// The mean of v after steps whose gradient is 0, from v = 1; each step takes 0.1 % of it away.
  private func decayedSquare(_ device: Device, _ draws: Bool) throws -> Double {
    let type = TensorType([Self.count])
    let low = type.with(dtype: .bfloat16)
    let (p, m) = (Tensor.placeholder("p", type), Tensor.placeholder("m", low))
    let (v, step) = (Tensor.placeholder("v", low), Tensor.placeholder("step", .scalar(.float32)))
    let key = concatenate([
      Tensor(HostBuffer(TensorType([1], .int64), [Int64(11)])), step.cast(.int64).reshape(1),
    ])
    let new = AdamW(keepsBFloat16: true).update(
      parameter: p, gradient: .zeros([Self.count]), state: [m, v], learningRate: Tensor(0.1), step: step,
      decays: true, guardedBy: nil, roundedBy: draws ? UpdateDraw(key: key, stream: 4) : nil)
    let program = try Program(
      [new.parameter] + new.state, inputs: [p, m, v, step], donations: [0: 0, 1: 1, 2: 2], on: device)
    let state = [
      HostBuffer(type), HostBuffer(low), HostBuffer(low, doubles: Array(repeating: 1, count: Self.count)),
    ]
    let number = HostBuffer(.scalar(.float32))
    program.bind(state + [number], into: state)
    for index in 1...Self.steps {
      number.pointer.storeBytes(of: Float(index), as: Float.self)
      try program.run()
    }
    return state[2].doubles.reduce(0, +) / Double(Self.count)
  }

  @Test func roundingAtRandomIsRightInTheMean() throws {
    let expected = 0.8186  // 0.999^200
    // The mean of 4096 walks of 200 steps, each off by less than 2^-8, has a deviation below 2^-8 √200 / 64.
    #expect(abs(try decayedSquare(.cpu, true) - expected) < 4 * 0x1p-8 * 14.2 / 64)
    #expect(try decayedSquare(.cpu, false) == 1)
  }

  /// The law, and a fast kernel, round every element alike.
  @Test func enginesRoundAlike() throws {
    #expect(try decayedSquare(.cpu, true) == decayedSquare(.reference, true))
  }

  @Test func onlyTheMeansAreInSixteenBits() {
    let slots = AdamW(keepsBFloat16: true).slots(for: TensorType([3]))
    #expect(slots.map(\.type) == [TensorType([3], .bfloat16), TensorType([3], .bfloat16)])
  }
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
