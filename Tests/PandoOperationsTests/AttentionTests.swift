import PandoEngine
import PandoIR
import PandoOperations
import PandoTestSupport
import Testing

/// Values from PyTorch 2.15 in float64: `scaled_dot_product_attention` with `enable_gqa` and its gradients, and Llama's
/// rotary embedding written out; operands are `pattern`s.
@Suite struct AttentionTests {
  private let q = (TensorType([1, 4, 3, 2], .float64), pattern(24, 7, 11))
  private let k = (TensorType([1, 2, 3, 2], .float64), pattern(12, 5, 13))
  private let v = (TensorType([1, 2, 3, 2], .float64), pattern(12, 3, 7))

  @Test func attentionOverAllKeysIsTorchs() throws {
    let expected: [[Double]] = [
      [
        -0.0180853734, -0.207224439, 0.00858339289, -0.21781877, 0.0264145996, -0.209559094, 0.0500476992,
        -0.219012334, -0.00908188703, -0.210752658, 0.0100199352, -0.20327697, -0.0775245152, 0.0335192641,
        -0.0784484094, 0.0254321339, -0.0611438379, 0.0100965458, -0.0769292589, 0.0391632409,
        -0.0778284565, 0.0307721892, -0.0609423248, 0.0169734584,
      ],
      [
        -0.0426771582, -0.00496706847, 0.0354688911, 0.00825001001, 0.0290843901, 0.00522073407,
        0.0200779765, 0.00744099902, 0.0146761852, 0.0102166108, -0.0122427667, -0.00623060167,
        0.00533852997, -0.0132561608, 0.00722696775, -0.0110673535, 0.0063452104, -0.00795968515,
        0.00899894517, -0.00563124351, -0.0089479, 0.0126286483, -0.00436820826, 0.0147275935,
      ],
      [
        -0.0237408094, -0.0140302547, 0.016769973, 0.00184494443, 0.00697083644, 0.0121853103,
        -0.0253939106, 0.00663386205, 0.0159466567, -0.00214412013, 0.00944725382, -0.00448974192,
      ],
      [
        0.0872547466, -0.335117857, 0.12526066, -0.307109627, 0.120817927, -0.357772516, -0.216477297,
        -0.00592375317, -0.218727363, -0.0149801453, -0.231462007, 0.0209038984,
      ],
    ]
    try check(Attention(causal: false), expected)
  }

  @Test func causalAttentionIsTorchs() throws {
    let expected: [[Double]] = [
      [
        -0.5, -0.0714285714, -0.11210043, -0.1360785, 0.0264145996, -0.209559094, -0.5, -0.0714285714,
        -0.126747274, -0.133637359, 0.0100199352, -0.20327697, 0.0714285714, -0.5, 0.00264778764,
        -0.0873152973, -0.0611438379, 0.0100965458, 0.0714285714, -0.5, 0.00052979057, -0.0746073148,
        -0.0609423248, 0.0169734584,
      ],
      [
        0, 0, 0.0481276398, -0.0144382919, 0.0290843901, 0.00522073407, 0, 0, 0.0159186303, -0.00477558908,
        -0.0122427667, -0.00623060167, 0, 0, -0.00743640483, -0.00743640483, 0.0063452104, -0.00795968515,
        0, 0, 0.00809372575, 0.00809372575, -0.00436820826, 0.0147275935,
      ],
      [
        0.017945967, -0.0264462522, -0.0207807946, 0.0257114866, 0.00283482767, 0.000734765625,
        -0.0211503494, -0.00657186634, 0.0161540062, 0.00462428163, 0.0049963432, 0.00194758471,
      ],
      [
        -0.0157869602, -0.771863923, 0.280744058, -0.253449994, 0.0683762352, 0.0253139168, -0.656375107,
        0.147140598, 0.0236587607, -0.0859782818, -0.0339503209, -0.0611623158,
      ],
    ]
    try check(Attention(causal: true), expected)
  }

  @Test func logarithmsAreTorchs() throws {
    let results = try evaluated(
      Attention(causal: false), (q.0.shape, q.1), (k.0.shape, k.1), (v.0.shape, v.1))
    #expect(
      agree(
        results[1],
        [
          1.12722798, 1.11110994, 1.10215743, 1.08732302, 1.12099955, 1.11586103, 1.09774235, 1.07543364,
          1.11562668, 1.11377021, 1.09007756, 1.13448465,
        ]))
  }

  /// Queries are the last of the keys: one query over three keys sees them all, as the last of three queries does.
  @Test func causalQueriesContinueTheKeys() throws {
    let all = try evaluated(
      Attention(causal: true), ([1, 1, 3, 2], pattern(6, 7, 11)), ([1, 1, 3, 2], pattern(6, 5, 13)),
      ([1, 1, 3, 2], pattern(6, 3, 7)))
    let last = try evaluated(
      Attention(causal: true), ([1, 1, 1, 2], Array(pattern(6, 7, 11).suffix(2))),
      ([1, 1, 3, 2], pattern(6, 5, 13)), ([1, 1, 3, 2], pattern(6, 3, 7)))
    #expect(agree(last[0], Array(all[0].suffix(2)), 1e-15))
  }

  @Test func rotationIsLlamas() throws {
    let x = ([1, 1, 3, 4], pattern(12, 7, 11))
    #expect(
      agree(
        try evaluated(RotaryEmbedding(), x)[0],
        [
          -0.5, 0.136363636, -0.227272727, 0.409090909, -0.243181572, -0.317711371, 0.210163051,
          -0.0486340379, 0.294236991, 0.237226608, -0.315238015, -0.495354852,
        ]))
    #expect(
      agree(
        try evaluated(RotaryEmbedding(offset: 5), x)[0],
        [
          -0.359768428, 0.115747194, 0.414993459, 0.415394993, 0.132549035, -0.314883626, 0.292808023,
          -0.0644522084, -0.218825477, 0.26168756, -0.371572098, -0.482879398,
        ]))
  }

  @Test func inverseRotationUndoes() throws {
    let x = pattern(12, 7, 11)
    let turned = try evaluated(RotaryEmbedding(offset: 9), ([3, 4], x))[0]
    #expect(agree(try evaluated(RotaryEmbedding(offset: 9, inverse: true), ([3, 4], turned))[0], x, 1e-14))
  }

  @Test func errorsSayWhatToDo() {
    let (q, k) = (TensorType([2, 4, 3, 8]), TensorType([2, 2, 5, 8]))
    func says(_ q: TensorType, _ k: TensorType, _ text: String, causal: Bool = false) {
      #expect(message(Attention(causal: causal), q, k, k).contains(text))
    }
    says(TensorType([4, 3, 8]), k, "q must be [B, H, T, D]")
    says(q, TensorType([2, 3, 5, 8]), "the 4 heads of q must be a multiple of the 3 heads")
    says(q, TensorType([2, 2, 5, 4]), "one type, batch and head size")
    says(q, TensorType([2, 2, 0, 8]), "there must be a key")
    says(q, TensorType([2, 2, 2, 8]), "3 causal queries over 2 keys", causal: true)
    #expect(message(Attention(causal: true), q, k, q).contains("v must be float32[2,2,5,8]"))
    #expect(message(RotaryEmbedding(), TensorType([2, 3])).contains("with an even D, got float32[2,3]"))
  }

  /// The result, and the gradients for a patterned cotangent.
  private func check(_ operation: Attention, _ expected: [[Double]]) throws {
    var builder = GraphBuilder()
    let inputs = [q, k, v].enumerated().map { builder.input("\($0.offset)", $0.element.0) }
    let dout = builder.input("dout", q.0)
    let results = try builder.emit(operation, operands: inputs)
    let zero = try builder.constant(0, results[1].type)
    let gradients = try operation.pullback(
      [dout, zero], operands: inputs, results: results, in: &builder)
    builder.setOutputs([results[0]] + gradients.compactMap { $0 })
    let arguments = [q, k, v, (q.0, pattern(24, 4, 9))].map { ReferenceTensor($0.0, reals: $0.1) }
    let actual = try ReferenceEngine.evaluate(builder.graph, arguments).map(\.doubles)
    #expect(actual.count == expected.count)
    for (values, wanted) in zip(actual, expected) { #expect(agree(values, wanted)) }
  }
}

/// `count` numbers from -0.5 to 0.5 that repeat after `period`.
private func pattern(_ count: Int, _ step: Int, _ period: Int) -> [Double] {
  (0..<count).map { Double(($0 * step) % period) / Double(period) - 0.5 }
}
