import Pando
import PandoIR
import PandoNN
import Testing

/// Gradients in mixed precision, weight by weight, against those of float32: an optimizer that scales its steps would
/// hide a factor that training alone shows too late.
@Suite struct MixedPrecisionTests {
  /// With unit roundoff u = 2^-9, each of the roundings on the way to a gradient adds u relative to it, mostly at random.
  /// On the way through two blocks there are about 60, of which the norm of the error is some √60 u = 0.015.
  @Test(arguments: [false, true]) func gradientsAreThoseOfFloat32(_ rotary: Bool) throws {
    let gpt = GPT(vocabulary: 19, context: 40, layers: 2, width: 32, heads: 2, rotary: rotary, tied: true)
    let (x, y) = (
      Tensor.placeholder("x", TensorType([3, 40], .int32)),
      Tensor.placeholder("y", TensorType([3, 40], .int32))
    )
    let loss = crossEntropy(gpt(x, .evaluation()).reshape(-1, 19), y.reshape(-1))
    let tokens = [
      HostBuffer(x.type, doubles: (0..<120).map { Double($0 * 31 % 19) }),
      HostBuffer(y.type, doubles: (0..<120).map { Double(($0 * 31 + 7) % 19) }),
    ]
    try expectNear(gpt, loss, [x, y], tokens)
  }

  /// Convolutions and a norm between smooth functions: a rectifier's or a pooling's choice may fall otherwise.
  private struct Smooth: Layer {
    let first = Conv2d(3, 8, kernel: 3, padding: 1, bias: false)
    let norm = BatchNorm2d(8)
    let second = Conv2d(8, 16, kernel: 3, stride: 2, padding: 1)
    let head = Linear(16, 5)

    func callAsFunction(_ x: Tensor, _ context: Context) -> Tensor {
      head(gelu(second(gelu(norm(first(x), context)))).mean([2, 3]))
    }
  }

  @Test(arguments: [false, true]) func convolutionsGradientsAreThoseOfFloat32(_ trains: Bool) throws {
    let net = Smooth()
    let (x, y) = (
      Tensor.placeholder("x", TensorType([6, 3, 8, 8])), Tensor.placeholder("y", TensorType([6], .int32))
    )
    let key = Tensor.placeholder("key", TensorType([2], .int64))
    let loss = crossEntropy(net(x, trains ? .training(key: key) : .evaluation()), y)
    let samples = [
      HostBuffer(x.type, doubles: (0..<x.type.count).map { Double($0 * 7919 % 2001) / 1000 - 1 }),
      HostBuffer(y.type, doubles: (0..<6).map { Double($0 % 5) }),
    ]
    try expectNear(net, loss, [x, y], samples)
  }

  private func expectNear(_ model: any Layer, _ loss: Tensor, _ inputs: [Tensor], _ samples: [HostBuffer])
    throws
  {
    let named = try model.namedParameters()
    let all = named.map(\.parameter.tensor)
    let trained = named.indices.filter { named[$0].parameter.isTrainable }
    let weights = named.enumerated().map { place, entry in
      let isOne =
        entry.name.contains("norm") || entry.name.contains("bn") || entry.name.contains("running_var")
      return HostBuffer(
        entry.parameter.type,
        doubles: (0..<entry.parameter.type.count).map { index in
          let noise = Double((index * 7919 + place * 104_729) % 2001 - 1000) / 1000
          return (isOne ? 1 : 0) + 0.2 * noise
        })
    }
    func gradients(_ loss: Tensor) throws -> [HostBuffer] {
      let outputs = [loss] + (try gradient(of: loss, at: trained.map { all[$0] }))
      let program = try Program(outputs, inputs: all + inputs, verify: true)
      let results = outputs.map { HostBuffer($0.type) }
      program.bind(weights + samples, into: results)
      try program.run()
      return results
    }
    let exact = try gradients(loss)
    let mixed = try gradients(mixedPrecision([loss], inputs: all + inputs)[0])
    #expect(abs(exact[0].doubles[0] - mixed[0].doubles[0]) <= 0.01 * exact[0].doubles[0])
    for (place, index) in trained.enumerated() {
      let (a, b) = (exact[place + 1].doubles, mixed[place + 1].doubles)
      let size = a.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let error = zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
      #expect(error <= 0.03 * size, "\(named[index].name)")
    }
  }
}
