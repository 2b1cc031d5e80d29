import CPandoKernels
import Foundation
import Testing

/// Kernels over rows, against the formulas in float64; bfloat16 against the same formulas on the rounded inputs.
@Suite struct RowTests {
  static let shapes = [(1, 1), (3, 15), (5, 17), (2, 1023), (300, 10), (2, 5000), (64, 200)]

  static func rows(_ x: [Float], _ n: Int) -> [[Double]] {
    stride(from: 0, to: x.count, by: n).map { start in (0..<n).map { Double(x[start + $0]) } }
  }

  static func softmax(_ row: [Double]) -> [Double] {
    let top = row.max()!
    let exponentials = row.map { exp($0 - top) }, sum = exponentials.reduce(0, +)
    return exponentials.map { $0 / sum }
  }

  /// Runs a kernel in float32 and in bfloat16 and checks both; `kernel` is given result, operands and type.
  func check(
    _ operands: [[Float]], _ shape: (Int, Int), tolerance: Double = 1e-6,
    exact: ([[[Double]]]) -> [Double],
    kernel: (UnsafeMutableRawPointer, [UnsafeRawPointer], pk_dtype) -> pk_status
  ) {
    let count = operands[0].count
    var y = [Float](repeating: .nan, count: count)
    func run<T>(_ arrays: [[T]], _ result: inout [T], _ dtype: pk_dtype) {
      let copies = arrays.map { array in
        let copy = UnsafeMutableBufferPointer<T>.allocate(capacity: array.count)
        _ = copy.initialize(from: array)
        return copy
      }
      defer { for copy in copies { copy.deallocate() } }
      let status = result.withUnsafeMutableBytes { result in
        kernel(result.baseAddress!, copies.map { UnsafeRawPointer($0.baseAddress!) }, dtype)
      }
      #expect(status == PK_OK)
    }
    run(operands, &y, PK_F32)
    let expected = exact(operands.map { Self.rows($0, shape.1) })
    #expect(largestError(y, expected) < tolerance, "\(shape)")
    var narrow = [UInt16](repeating: 0, count: count)
    let rounded = operands.map { $0.map(bfloat16) }
    run(rounded, &narrow, PK_BF16)
    let coarse = exact(rounded.map { Self.rows($0.map { float(bfloat16: $0) }, shape.1) })
    for (a, b) in zip(narrow, coarse) {
      let value = Double(float(bfloat16: a))
      #expect(abs(value - b) <= 0.0040 * abs(b) + tolerance, "\(shape)")
      if !(abs(value - b) <= 0.0040 * abs(b) + tolerance) { return }
    }
  }

  @Test(arguments: shapes) func softmaxAndItsGradient(_ m: Int, _ n: Int) {
    var random = TestRandom(state: 31)
    let x = random.floats(m * n, -8...8), dy = random.floats(m * n)
    let sizes = (Int64(m), Int64(n))
    check([x], (m, n), exact: { $0[0].flatMap(Self.softmax) }) {
      pk_softmax($0, $1[0], sizes.0, sizes.1, $2, 2)
    }
    check([x], (m, n), tolerance: 2e-6, exact: { $0[0].flatMap { row in Self.softmax(row).map { log($0) } } })
    {
      pk_log_softmax($0, $1[0], sizes.0, sizes.1, $2, 2)
    }
    let y = Self.rows(x, n).flatMap(Self.softmax).map(Float.init)
    check(
      [dy, y], (m, n),
      exact: {
        zip($0[0], $0[1]).flatMap { dy, y in
          let dot = zip(dy, y).reduce(0) { $0 + $1.0 * $1.1 }
          return zip(dy, y).map { $1 * ($0 - dot) }
        }
      }
    ) { pk_softmax_backward($0, $1[0], $1[1], sizes.0, sizes.1, $2, 2) }
    check(
      [dy, y.map(logf)], (m, n), tolerance: 1e-5,
      exact: {
        zip($0[0], $0[1]).flatMap { dy, y in
          let sum = dy.reduce(0, +)
          return zip(dy, y).map { $0 - exp($1) * sum }
        }
      }
    ) { pk_log_softmax_backward($0, $1[0], $1[1], sizes.0, sizes.1, $2, 2) }
  }

  @Test func maskedLogitsHaveNoProbability() {
    let x: [Float] = [1, -.infinity, 2, -.infinity]
    var y = x
    #expect(pk_softmax(&y, x, 1, 4, PK_F32, 1) == PK_OK)
    #expect(y[1] == 0 && y[3] == 0 && abs(y[0] + y[2] - 1) < 1e-6)
    #expect(pk_softmax(&y, x, 1, 4, PK_F64, 1) == PK_UNSUPPORTED)
  }

  static func normalize(_ row: [Double], _ centered: Bool, _ epsilon: Double) -> (hat: [Double], rstd: Double)
  {
    let n = Double(row.count)
    let mean = centered ? row.reduce(0, +) / n : 0
    let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / n
    let rstd = 1 / (variance + epsilon).squareRoot()
    return (row.map { ($0 - mean) * rstd }, rstd)
  }

  @Test(arguments: shapes, [true, false]) func normalizationAndItsGradient(
    _ shape: (Int, Int), _ centered: Bool
  ) {
    let (m, n) = shape
    guard n > 1 else { return }
    var random = TestRandom(state: 32)
    let x = random.floats(m * n, 3...5), gamma = random.floats(n), beta = random.floats(n),
      dy = random.floats(m * n)
    let epsilon = 1e-5
    let size = (Int64(m), Int64(n))
    var mean = [Float](repeating: .nan, count: m), rstd = mean
    check(
      [x, gamma, beta], shape, tolerance: 1e-5,
      exact: { a in
        a[0].flatMap { row in
          let hat = Self.normalize(row, centered, epsilon).hat
          let (gamma, beta) = (a[1][0], a[2][0])
          return (0..<n).map { (i: Int) -> Double in hat[i] * gamma[i] + (centered ? beta[i] : 0) }
        }
      }
    ) {
      centered
        ? pk_layer_norm($0, &mean, &rstd, $1[0], $1[1], $1[2], size.0, size.1, epsilon, $2, $2, 2)
        : pk_rms_norm($0, &rstd, $1[0], $1[1], size.0, size.1, epsilon, $2, $2, 2)
    }
    var dgamma = [Float](repeating: .nan, count: n), dbeta = dgamma
    let workspace = UnsafeMutableRawPointer.allocate(
      byteCount: pk_norm_workspace(size.0, size.1), alignment: 64)
    defer { workspace.deallocate() }
    func backward(_ dx: UnsafeMutableRawPointer, _ x: [Float], _ threads: Int32) -> pk_status {
      if centered {
        _ = pk_layer_norm(dx, &mean, &rstd, x, nil, nil, size.0, size.1, epsilon, PK_F32, PK_F32, 1)
        return pk_layer_norm_backward(
          dx, &dgamma, &dbeta, dy, x, gamma, mean, rstd, size.0, size.1, PK_F32, PK_F32, workspace, threads)
      }
      _ = pk_rms_norm(dx, &rstd, x, nil, size.0, size.1, epsilon, PK_F32, PK_F32, 1)
      return pk_rms_norm_backward(
        dx, &dgamma, dy, x, gamma, rstd, size.0, size.1, PK_F32, PK_F32, workspace, threads)
    }
    var exactGamma = [Double](repeating: 0, count: n), exactBeta = exactGamma, exactX: [Double] = []
    for (row, d) in zip(Self.rows(x, n), Self.rows(dy, n)) {
      let (hat, rstd) = Self.normalize(row, centered, epsilon)
      let g = (0..<n).map { d[$0] * Double(gamma[$0]) }
      let c1 = centered ? g.reduce(0, +) / Double(n) : 0
      let c2 = zip(g, hat).reduce(0) { $0 + $1.0 * $1.1 } / Double(n)
      for i in 0..<n {
        exactGamma[i] += d[i] * hat[i]
        exactBeta[i] += d[i]
        exactX.append(rstd * (g[i] - c1 - hat[i] * c2))
      }
    }
    var dx = x
    #expect(dx.withUnsafeMutableBytes { backward($0.baseAddress!, x, 1) } == PK_OK)
    #expect(largestError(dx, exactX) < 2e-5)
    #expect(largestError(dgamma, exactGamma) < 2e-5)
    if centered { #expect(largestError(dbeta, exactBeta) < 2e-5) }
    let first = (dx, dgamma)
    #expect(dx.withUnsafeMutableBytes { backward($0.baseAddress!, x, 2) } == PK_OK)
    #expect(dx == first.0 && dgamma == first.1)
  }

  @Test(arguments: shapes, [0.0, 0.1]) func crossEntropyAndItsGradient(
    _ shape: (Int, Int), _ smoothing: Double
  ) {
    let (m, n) = shape
    var random = TestRandom(state: 33)
    let x = random.floats(m * n, 90...100), dloss = random.floats(m)
    var labels = (0..<m).map { _ in Int32(random.integer(0...n - 1)) }
    if m > 2 { labels[1] = -100 }
    var loss = [Float](repeating: .nan, count: m), lse = loss, dx = [Float](repeating: .nan, count: m * n)
    let size = (Int64(m), Int64(n))
    #expect(pk_cross_entropy(&loss, &lse, x, labels, size.0, size.1, smoothing, -100, PK_F32, 2) == PK_OK)
    #expect(
      pk_cross_entropy_backward(&dx, dloss, x, lse, labels, size.0, size.1, smoothing, -100, PK_F32, 2)
        == PK_OK)
    var exactLoss: [Double] = [], exactX: [Double] = []
    for (r, row) in Self.rows(x, n).enumerated() {
      let p = Self.softmax(row), label = Int(labels[r])
      let share = smoothing / Double(n)
      let target = (0..<n).map { (i: Int) -> Double in i == label ? 1 - smoothing + share : share }
      let scale = label == -100 ? 0 : 1.0
      exactLoss.append(-scale * zip(p, target).reduce(0) { $0 + $1.1 * log($1.0) })
      let slope = scale * Double(dloss[r])
      exactX += (0..<n).map { (i: Int) -> Double in slope * (p[i] - target[i]) }
    }
    #expect(largestError(loss, exactLoss) < 1e-6)
    // exp(x - lse) with x near 100 carries the rounding of lse, 4e-6.
    #expect(largestError(dx, exactX) < 2e-5)
  }

  @Test func labelsOutsideTheRangeGiveNaN() {
    let x: [Float] = [1, 2, 3, 4, 5, 6]
    var loss: [Float] = [0, 0], lse = loss, dx = x
    #expect(pk_cross_entropy(&loss, &lse, x, [3, 1], 2, 3, 0, -100, PK_F32, 1) == PK_OK)
    #expect(loss[0].isNaN && abs(loss[1] - 1.407606) < 1e-5)
    #expect(pk_cross_entropy_backward(&dx, [1, 1], x, lse, [-1, 1], 2, 3, 0, -100, PK_F32, 1) == PK_OK)
    #expect(dx[0].isNaN && !dx[3].isNaN)
  }
}
