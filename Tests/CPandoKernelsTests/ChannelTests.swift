import CPandoKernels
import Testing

@Suite struct ChannelTests {
  struct Exact {
    var y: [Double] = [], mean: [Double] = [], variance: [Double] = []
    var dx: [Double] = [], dgamma: [Double] = [], dbeta: [Double] = []
  }

  /// Batch norm and its gradients in float64, channel by channel.
  static func exact(
    _ x: [Float], _ dy: [Float], _ gamma: [Float], _ beta: [Float], _ n: Int, _ channels: Int, _ size: Int,
    _ epsilon: Double
  ) -> Exact {
    var result = Exact()
    result.y = [Double](repeating: 0, count: x.count)
    result.dx = result.y
    let count = Double(n * size)
    for c in 0..<channels {
      let places = (0..<n).flatMap { i in (0..<size).map { (i * channels + c) * size + $0 } }
      let mean = places.reduce(0.0) { $0 + Double(x[$1]) } / count
      let variance = places.reduce(0.0) { $0 + (Double(x[$1]) - mean) * (Double(x[$1]) - mean) } / count
      let rstd = 1 / (variance + epsilon).squareRoot(), weight = Double(gamma[c])
      let sum = places.reduce(0.0) { $0 + Double(dy[$1]) }
      let product = places.reduce(0.0) { $0 + Double(dy[$1]) * (Double(x[$1]) - mean) * rstd }
      for p in places {
        let hat = (Double(x[p]) - mean) * rstd
        result.y[p] = hat * weight + Double(beta[c])
        result.dx[p] = weight * rstd * (Double(dy[p]) - sum / count - hat * product / count)
      }
      result.mean.append(mean)
      result.variance.append(variance)
      result.dgamma.append(product)
      result.dbeta.append(sum)
    }
    return result
  }

  @Test(arguments: [
    (1, 1, 2), (64, 10, 1), (5, 100, 1), (300, 17, 3), (4, 5, 15), (2, 3, 16), (3, 7, 1023), (40, 33, 64),
  ])
  func batchNormAndItsGradient(_ n: Int, _ channels: Int, _ size: Int) {
    var random = TestRandom(state: 41)
    let x = random.floats(n * channels * size, 1...3), dy = random.floats(x.count)
    let gamma = random.floats(channels), beta = random.floats(channels), epsilon = 1e-5
    let (a, b, c) = (Int64(n), Int64(channels), Int64(size))
    let exact = Self.exact(x, dy, gamma, beta, n, channels, size, epsilon)
    var y = [Float](repeating: .nan, count: x.count)
    var mean = [Float](repeating: .nan, count: channels), variance = mean
    #expect(pk_batch_norm(&y, &mean, &variance, x, gamma, beta, a, b, c, epsilon, PK_F32, PK_F32, 2) == PK_OK)
    #expect(largestError(y, exact.y) < 1e-5)
    #expect(largestError(mean, exact.mean) < 1e-6 && largestError(variance, exact.variance) < 1e-6)
    var again = y
    #expect(
      pk_batch_norm_inference(&again, x, gamma, beta, mean, variance, a, b, c, epsilon, PK_F32, PK_F32, 2)
        == PK_OK)
    #expect(again == y)
    for threads: Int32 in [1, 2] {
      var dx = [Float](repeating: .nan, count: x.count)
      var dgamma = [Float](repeating: .nan, count: channels), dbeta = dgamma
      #expect(
        pk_batch_norm_backward(
          &dx, &dgamma, &dbeta, dy, x, gamma, mean, variance, a, b, c, epsilon, PK_F32, PK_F32, threads)
          == PK_OK)
      #expect(largestError(dx, exact.dx) < 2e-5)
      // Sums of n * size terms of about 1, each with float32's rounding.
      let tolerance = 3e-6 + 1e-8 * Double(n * size)
      #expect(largestError(dgamma, exact.dgamma) < tolerance && largestError(dbeta, exact.dbeta) < tolerance)
    }
    // bfloat16 activations with float32 parameters.
    let (narrow, narrowGradient) = (x.map(bfloat16), dy.map(bfloat16))
    let coarse = Self.exact(
      narrow.map { float(bfloat16: $0) }, narrowGradient.map { float(bfloat16: $0) }, gamma, beta, n,
      channels,
      size, epsilon)
    var rounded = narrow
    var dgamma = [Float](repeating: .nan, count: channels), dbeta = dgamma
    #expect(
      pk_batch_norm(&rounded, &mean, &variance, narrow, gamma, beta, a, b, c, epsilon, PK_BF16, PK_F32, 2)
        == PK_OK)
    #expect(
      zip(rounded, coarse.y).allSatisfy {
        abs(Double(float(bfloat16: $0)) - $1) <= 0.0040 * abs($1) + 1e-5
      })
    #expect(
      pk_batch_norm_backward(
        &rounded, &dgamma, &dbeta, narrowGradient, narrow, gamma, mean, variance, a, b, c, epsilon, PK_BF16,
        PK_F32, 2) == PK_OK)
    #expect(
      zip(rounded, coarse.dx).allSatisfy {
        abs(Double(float(bfloat16: $0)) - $1) <= 0.0040 * abs($1) + 2e-5
      })
    #expect(largestError(dgamma, coarse.dgamma) < 1e-5)
  }

  @Test func unknownTypesAreRefused() {
    #expect(pk_batch_norm(nil, nil, nil, nil, nil, nil, 1, 1, 1, 0, PK_F32, PK_BF16, 1) == PK_UNSUPPORTED)
    #expect(pk_batch_norm(nil, nil, nil, nil, nil, nil, 1, 1, 1, 0, PK_F64, PK_F64, 1) == PK_UNSUPPORTED)
  }
}
