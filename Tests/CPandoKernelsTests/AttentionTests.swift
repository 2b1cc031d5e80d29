import CPandoKernels
import Foundation
import Testing

@Suite struct AttentionTests {
  struct Case: Sendable {
    var batch = 1
    var heads = 1
    var kvHeads = 1
    var queries: Int
    var keys: Int
    var width: Int
    var causal = false
    var offset = 0
    /// Whether rows of all heads lie side by side, [batch, rows, heads, width].
    var interleaved = false
  }

  static let cases: [Case] = [
    Case(queries: 1, keys: 1, width: 1),
    Case(batch: 2, heads: 3, kvHeads: 3, queries: 17, keys: 17, width: 15),
    Case(heads: 2, kvHeads: 2, queries: 130, keys: 130, width: 32, causal: true),
    Case(batch: 2, heads: 4, kvHeads: 2, queries: 64, keys: 64, width: 64, causal: true),
    Case(heads: 4, kvHeads: 1, queries: 65, keys: 200, width: 24),
    Case(heads: 2, kvHeads: 2, queries: 5, keys: 150, width: 16, causal: true, offset: 145),
    // The first queries see no key at all.
    Case(heads: 1, kvHeads: 1, queries: 90, keys: 80, width: 8, causal: true, offset: -10),
    Case(batch: 2, heads: 4, kvHeads: 2, queries: 70, keys: 70, width: 20, causal: true, interleaved: true),
    // The edge of the mask runs through the tiles, and several tiles of keys add to each gradient.
    Case(batch: 2, heads: 6, kvHeads: 2, queries: 200, keys: 237, width: 16, causal: true, offset: 37),
    Case(heads: 2, kvHeads: 1, queries: 150, keys: 300, width: 40, causal: true, offset: 3),
    Case(heads: 3, kvHeads: 3, queries: 321, keys: 129, width: 33),
    Case(queries: 3, keys: 0, width: 4),
  ]

  struct Problem {
    var sizes: pk_attention
    var q: [Float], k: [Float], v: [Float], dout: [Float]

    init(_ c: Case) {
      var random = TestRandom(state: 61)
      func layout(_ heads: Int, _ rows: Int) -> pk_attention_layout {
        let (h, r, w) = (Int64(heads), Int64(rows), Int64(c.width))
        return c.interleaved
          ? pk_attention_layout(batch: r * h * w, head: w, row: h * w) : pk_attention_dense(h, r, w)
      }
      sizes = pk_attention(
        batch: Int64(c.batch), heads: Int64(c.heads), kv_heads: Int64(c.kvHeads), queries: Int64(c.queries),
        keys: Int64(c.keys), width: Int64(c.width), scale: 1 / Double(c.width).squareRoot(),
        causal: c.causal ? 1 : 0, offset: Int64(c.offset), q: layout(c.heads, c.queries),
        k: layout(c.kvHeads, c.keys), v: layout(c.kvHeads, c.keys), out: layout(c.heads, c.queries))
      q = random.floats(c.batch * c.heads * c.queries * c.width)
      k = random.floats(c.batch * c.kvHeads * c.keys * c.width)
      v = random.floats(k.count)
      dout = random.floats(q.count)
    }

    /// out, lse, dq, dk, dv by the definition, in float64.
    func exact() -> (out: [Double], lse: [Double], dq: [Double], dk: [Double], dv: [Double]) {
      let s = sizes, width = Int(s.width)
      var out = [Double](repeating: 0, count: q.count), dq = out
      var dk = [Double](repeating: 0, count: k.count), dv = dk, lse: [Double] = []
      for b in 0..<s.batch {
        for h in 0..<s.heads {
          let shared = h / (s.heads / s.kv_heads)
          for i in 0..<s.queries {
            let qi = Int(b * s.q.batch + h * s.q.head + i * s.q.row)
            let keys = (0..<s.keys).filter { s.causal == 0 || $0 <= i + s.offset }
            let places = keys.map { Int(b * s.k.batch + shared * s.k.head + $0 * s.k.row) }
            func dot(_ x: [Float], _ a: Int, _ y: [Float], _ b: Int) -> Double {
              (0..<width).reduce(0.0) { $0 + Double(x[a + $1]) * Double(y[b + $1]) }
            }
            let scores = places.map { dot(q, qi, k, $0) * s.scale }
            let top = scores.max() ?? 0
            let total = scores.reduce(0.0) { $0 + exp($1 - top) }
            lse.append(scores.isEmpty ? -.infinity : top + log(total))
            let p = scores.map { exp($0 - top) / total }
            for (weight, place) in zip(p, places) {
              for d in 0..<width { out[qi + d] += weight * Double(v[place + d]) }
            }
            let dp = places.map { dot(dout, qi, v, $0) }
            let delta = zip(p, dp).reduce(0.0) { $0 + $1.0 * $1.1 }
            for (j, place) in places.enumerated() {
              let ds = p[j] * (dp[j] - delta) * s.scale
              for d in 0..<width {
                dq[qi + d] += ds * Double(k[place + d])
                dk[place + d] += ds * Double(q[qi + d])
                dv[place + d] += p[j] * Double(dout[qi + d])
              }
            }
          }
        }
      }
      return (out, lse, dq, dk, dv)
    }
  }

  @Test(arguments: cases.indices) func attentionAndItsGradient(_ index: Int) {
    let problem = Problem(Self.cases[index])
    var sizes = problem.sizes
    let exact = problem.exact()
    let workspace = UnsafeMutableRawPointer.allocate(
      byteCount: pk_attention_workspace(&sizes, 5), alignment: 64)
    defer { workspace.deallocate() }
    var first: [[Float]] = []
    for threads: Int32 in [1, 2, 5] {
      var out = [Float](repeating: .nan, count: problem.q.count),
        lse = [Float](repeating: .nan, count: exact.lse.count)
      var dq = out, dk = [Float](repeating: .nan, count: problem.k.count), dv = dk
      #expect(
        pk_attention_forward(&out, &lse, problem.q, problem.k, problem.v, &sizes, workspace, threads) == PK_OK
      )
      #expect(largestError(out, exact.out) < 3e-6)
      #expect(largestError(lse, exact.lse) < 3e-6)
      #expect(
        pk_attention_backward(
          &dq, &dk, &dv, problem.dout, problem.q, problem.k, problem.v, out, lse, &sizes, workspace, threads)
          == PK_OK)
      #expect(largestError(dq, exact.dq) < 1e-5)
      #expect(largestError(dk, exact.dk) < 1e-5)
      #expect(largestError(dv, exact.dv) < 1e-5)
      if first.isEmpty { first = [out, lse, dq, dk, dv] }
      #expect(first == [out, lse, dq, dk, dv])
    }
  }

  @Test func headsMustDivide() {
    var sizes = Problem(Case(heads: 3, kvHeads: 3, queries: 2, keys: 2, width: 2)).sizes
    sizes.kv_heads = 2
    #expect(pk_attention_forward(nil, nil, nil, nil, nil, &sizes, nil, 1) == PK_INVALID)
    #expect(pk_attention_backward(nil, nil, nil, nil, nil, nil, nil, nil, nil, &sizes, nil, 1) == PK_INVALID)
  }
}
