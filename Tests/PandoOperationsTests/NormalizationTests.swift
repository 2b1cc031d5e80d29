import PandoEngine
import PandoIR
import PandoOperations
import PandoTestSupport
import Testing

/// Values from PyTorch 2.15 in float64 (`torch.nn.functional`).
@Suite struct NormalizationTests {
  private let weight = ([3], [1, 0.5, 2])
  private let bias = ([3], [0.0, 1, -1])

  @Test func rowNormsAreTorchs() throws {
    let x = ([2, 3], [1.0, 2, 4, -1, 0, 3])
    let layer = try evaluated(LayerNorm(epsilon: 1e-3), x, weight, bias)
    #expect(
      agree(layer[0], [-1.06870151, 0.866412311, 1.67175378, -0.980411004, 0.803917799, 1.74515081]))
    #expect(agree(layer[1], [7.0 / 3, 2.0 / 3]))
    #expect(agree(layer[2], [1 / (14.0 / 9 + 1e-3).squareRoot(), 1 / (26.0 / 9 + 1e-3).squareRoot()]))
    let rootMeanSquare = try evaluated(RMSNorm(epsilon: 1e-3), x, weight)
    #expect(
      agree(rootMeanSquare[0], [0.377937478, 0.377937478, 3.02349983, -0.547640418, 0, 3.28584251]))
    #expect(agree(rootMeanSquare[1], [1 / 7.001.squareRoot(), 1 / (10.0 / 3 + 1e-3).squareRoot()]))
  }

  @Test func batchNormsAreTorchs() throws {
    let x = ([2, 3, 2], [1.0, 2, 3, 4, 0, 1, 5, 0, -1, 2, 2, 2])
    let training = try evaluated(BatchNorm(epsilon: 1e-3), x, weight, bias)
    #expect(
      agree(
        training[0],
        [
          -0.53444614, 0, 1.26722307, 1.53444614, -4.01292303, -1.60258461, 1.60333842, -1.06889228,
          0.19833079, 1, 0.807753815, 0.807753815,
        ]))
    #expect(agree(training[1], [2, 2, 1.25]))
    #expect(agree(training[2], [3.5, 3.5, 0.6875]))
    let inference = try evaluated(
      BatchNormInference(epsilon: 1e-3), x, weight, bias, ([3], [1, 2, 3]), ([3], [1, 4, 0.5]))
    #expect(
      agree(
        inference[0],
        [
          0, 0.999500375, 1.24996876, 1.49993751, -9.4768088, -6.65120587, 3.9980015, -0.999500375,
          0.250093732, 1, -3.82560293, -3.82560293,
        ]))
  }

  @Test func groupNormIsTorchs() throws {
    let results = try evaluated(
      GroupNorm(groups: 2, epsilon: 1e-3), ([2, 4, 1], [1, 2, 3, 4, 0, 1, 5, 0]), ([4], [1, 0.5, 2, 1]),
      ([4], [0, 1, -1, 2]))
    #expect(
      agree(
        results[0],
        [
          -0.99800598, 1.49900299, -2.99601196, 2.99800598, -0.99800598, 1.49900299, 0.999840019, 1.00007999,
        ]))
    #expect(agree(results[1], [1.5, 3.5, 0.5, 2.5]))
  }

  /// A large common offset must not eat the variance.
  @Test func varianceSurvivesALargeMean() throws {
    let x = ReferenceTensor(TensorType([1, 4]), reals: [10_000, 10_001, 10_002, 10_003])
    let one = ReferenceTensor(TensorType([4]), reals: [1, 1, 1, 1])
    let y = try ReferenceEngine.evaluate(LayerNorm(epsilon: 0), [x, one, one])[0].doubles
    #expect(agree(y, [-1.3416407865 + 1, -0.4472135955 + 1, 1.4472135955, 2.3416407865], 1e-6))
  }

  @Test func errorsSayWhatToDo() {
    let x = TensorType([2, 3])
    #expect(
      message(LayerNorm(), x, TensorType([2]), TensorType([2])).contains(
        "the weight must be float32[3] for float32[2,3], got float32[2]"))
    #expect(message(LayerNorm(dimensions: 3), x, x, x).contains("cannot take the last 3 dimensions"))
    #expect(message(LayerNorm(epsilon: -1), x, x, x).contains("epsilon must be 0"))
    #expect(message(RMSNorm(), TensorType([2, 0]), TensorType([0])).contains("have no elements"))
    #expect(message(BatchNorm(), TensorType([3]), x, x).contains("[N, C, …]"))
    #expect(message(BatchNorm(), TensorType([0, 3]), x, x).contains("no elements"))
    #expect(message(GroupNorm(groups: 2), x, x, x).contains("multiple of the 2 groups"))
  }
}
