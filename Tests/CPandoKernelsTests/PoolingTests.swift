import CPandoKernels
import Testing

@Suite struct PoolingTests {
  static let shapes: [pk_pool] = [
    pk_pool(
      planes: 1, input: (1, 1), output: (1, 1), window: (1, 1), stride: (1, 1), low: (0, 0), dilation: (1, 1)),
    pk_pool(
      planes: 3, input: (8, 10), output: (4, 5), window: (2, 2), stride: (2, 2), low: (0, 0), dilation: (1, 1)
    ),
    pk_pool(
      planes: 5, input: (17, 15), output: (9, 8), window: (3, 3), stride: (2, 2), low: (1, 1),
      dilation: (1, 1)),
    pk_pool(
      planes: 2, input: (9, 700), output: (9, 700), window: (3, 5), stride: (1, 1), low: (1, 2),
      dilation: (1, 1)),
    pk_pool(
      planes: 2, input: (7, 11), output: (3, 3), window: (2, 4), stride: (3, 4), low: (0, 1), dilation: (1, 1)
    ),
    pk_pool(
      planes: 4, input: (1, 1023), output: (1, 341), window: (1, 3), stride: (1, 3), low: (0, 0),
      dilation: (1, 1)),
    // Windows that see padding only.
    pk_pool(
      planes: 2, input: (2, 2), output: (5, 5), window: (1, 1), stride: (1, 1), low: (1, 1), dilation: (1, 1)),
    // Neighbours of the window apart in the input, in one place so far that none is met.
    pk_pool(
      planes: 2, input: (7, 33), output: (5, 15), window: (3, 4), stride: (1, 2), low: (1, 2),
      dilation: (2, 3)),
    pk_pool(
      planes: 2, input: (1, 2), output: (1, 1), window: (1, 2), stride: (1, 1), low: (0, 1), dilation: (1, 3)),
    // Stride beyond the window.
    pk_pool(
      planes: 2, input: (9, 9), output: (3, 3), window: (2, 2), stride: (4, 4), low: (0, 0), dilation: (1, 1)),
  ]

  /// The input places of each output's window, in row-major order.
  static func windows(_ p: pk_pool) -> [[Int]] {
    var windows: [[Int]] = []
    for plane in 0..<Int(p.planes) {
      for (r, c) in coordinates([Int(p.output.0), Int(p.output.1)]).map({ ($0[0], $0[1]) }) {
        var places: [Int] = []
        for kr in 0..<Int(p.window.0) {
          for kc in 0..<Int(p.window.1) {
            let row = r * Int(p.stride.0) + kr * Int(p.dilation.0) - Int(p.low.0),
              column = c * Int(p.stride.1) + kc * Int(p.dilation.1) - Int(p.low.1)
            guard (0..<Int(p.input.0)).contains(row), (0..<Int(p.input.1)).contains(column) else { continue }
            places.append((plane * Int(p.input.0) + row) * Int(p.input.1) + column)
          }
        }
        windows.append(places)
      }
    }
    return windows
  }

  func check<T: BinaryFloatingPoint & BitwiseCopyable>(_: T.Type, _ dtype: pk_dtype, _ shape: pk_pool) {
    var pool = shape
    var random = TestRandom(state: 51)
    let count = Int(pool.planes * pool.input.0 * pool.input.1), windows = Self.windows(pool)
    // Small whole numbers: many ties, and sums are exact. Now and then NaN.
    var x = (0..<count).map { _ in T(random.integer(-4...4)) }
    if count > 100 { x[count / 2] = .nan }
    let t = (0..<count).map { _ in T(random.integer(-9...9)) }
    let dy = windows.map { _ in T(random.integer(-9...9)) }
    let places: [Int?] = windows.map { window in
      window.reduce(Int?.none) { best, p in
        guard let best else { return p }
        return x[p] > x[best] || (x[p].isNaN && !x[best].isNaN) ? p : best
      }
    }
    var y = [T](repeating: 7, count: windows.count), dx = [T](repeating: 7, count: count)
    #expect(pk_max_pool(&y, x, &pool, dtype, 2) == PK_OK)
    for (i, place) in places.enumerated() {
      let expected = place.map { x[$0] } ?? -.infinity
      #expect(y[i] == expected || (y[i].isNaN && expected.isNaN))
    }
    var expected = [T](repeating: 0, count: count)
    for (i, place) in places.enumerated() { if let place { expected[place] += dy[i] } }
    #expect(pk_max_pool_backward(&dx, dy, x, &pool, dtype, 2) == PK_OK)
    #expect(dx == expected)
    #expect(pk_max_pool_select(&y, t, x, &pool, dtype, 2) == PK_OK)
    #expect(y == places.map { $0.map { t[$0] } ?? 0 })
    #expect(pk_sum_pool(&y, t, &pool, 0.25, dtype, 2) == PK_OK)
    #expect(y == windows.map { $0.reduce(T(0)) { $0 + t[$1] } * 0.25 })
    expected = [T](repeating: 0, count: count)
    for (i, window) in windows.enumerated() { for p in window { expected[p] += dy[i] * 0.25 } }
    #expect(pk_sum_pool_backward(&dx, dy, &pool, 0.25, dtype, 2) == PK_OK)
    #expect(dx == expected)
  }

  @Test(arguments: shapes.indices) func poolingFollowsItsDefinition(_ index: Int) {
    check(Float.self, PK_F32, Self.shapes[index])
    check(Double.self, PK_F64, Self.shapes[index])
  }

  @Test func wrongSizesAreRefused() {
    var pool = Self.shapes[0]
    #expect(pk_max_pool(nil, nil, &pool, PK_BF16, 1) == PK_UNSUPPORTED)
    pool.stride.1 = 0
    #expect(pk_max_pool(nil, nil, &pool, PK_F32, 1) == PK_INVALID)
  }
}
