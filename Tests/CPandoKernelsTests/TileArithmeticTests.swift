import CPandoKernels
import Foundation
import Testing

/// Tile programs: what each operation computes.
@Suite struct TileArithmeticTests {
  struct Function: Sendable {
    let op: UInt32
    let name: String
    let range: ClosedRange<Float>
    /// Bound on |error| / |value|, and on |error| where the value is small.
    let relative: Double
    let absolute: Double
    let exact: @Sendable (Double) -> Double
  }

  static let functions: [Function] = [
    Function(op: PK_OP_EXP.rawValue, name: "exp", range: -87...88.7, relative: 2.4e-7, absolute: 0) {
      exp($0)
    },
    Function(
      op: PK_OP_EXP.rawValue, name: "exp of tiny", range: -104 ... -80, relative: 2.4e-7, absolute: 1.5e-45
    ) {
      exp($0)
    },
    Function(op: PK_OP_EXPM1.rawValue, name: "expm1", range: -3...3, relative: 2.4e-7, absolute: 0) {
      expm1($0)
    },
    Function(
      op: PK_OP_EXPM1.rawValue, name: "expm1 of small", range: -1e-3...1e-3, relative: 2.4e-7, absolute: 0
    ) {
      expm1($0)
    },
    Function(op: PK_OP_LOG.rawValue, name: "log", range: 1e-38...3, relative: 2.4e-7, absolute: 1.2e-7) {
      log($0)
    },
    Function(op: PK_OP_LOG.rawValue, name: "log of large", range: 1...3e38, relative: 2.4e-7, absolute: 0) {
      log($0)
    },
    Function(op: PK_OP_LOG1P.rawValue, name: "log1p", range: -0.99...5, relative: 2.4e-7, absolute: 0) {
      log1p($0)
    },
    Function(
      op: PK_OP_LOG1P.rawValue, name: "log1p of small", range: -1e-3...1e-3, relative: 2.4e-7, absolute: 0
    ) {
      log1p($0)
    },
    Function(op: PK_OP_SQRT.rawValue, name: "sqrt", range: 0...1e6, relative: 1.2e-7, absolute: 0) {
      $0.squareRoot()
    },
    Function(op: PK_OP_RSQRT.rawValue, name: "rsqrt", range: 1e-3...1e3, relative: 2.4e-7, absolute: 0) {
      1 / $0.squareRoot()
    },
    Function(op: PK_OP_TANH.rawValue, name: "tanh", range: -12...12, relative: 1e-6, absolute: 0) {
      tanh($0)
    },
    Function(op: PK_OP_TANH.rawValue, name: "tanh of small", range: -1...1, relative: 1e-6, absolute: 0) {
      tanh($0)
    },
    Function(op: PK_OP_LOGISTIC.rawValue, name: "logistic", range: -80...80, relative: 1e-6, absolute: 0) {
      1 / (1 + exp(-$0))
    },
    Function(op: PK_OP_SIN.rawValue, name: "sin", range: -2000...2000, relative: 0, absolute: 1e-7) {
      sin($0)
    },
    Function(op: PK_OP_COS.rawValue, name: "cos", range: -2000...2000, relative: 0, absolute: 1e-7) {
      cos($0)
    },
    Function(op: PK_OP_SIN.rawValue, name: "sin of large", range: 1e7...1e9, relative: 0, absolute: 1e-7) {
      sin($0)
    },
    Function(op: PK_OP_ERF.rawValue, name: "erf", range: -5...5, relative: 0, absolute: 5e-7) { erf($0) },
  ]

  @Test(arguments: functions.indices) func elementaryFunctionIsAccurate(_ index: Int) {
    let function = Self.functions[index]
    var random = TestRandom(state: 1)
    let x = random.floats(20_011, function.range) + [function.range.lowerBound, function.range.upperBound]
    for (x, y) in zip(x, applyUnary(pk_tile_op(function.op), x)) {
      let exact = function.exact(Double(x))
      let error = abs(Double(y) - exact)
      #expect(
        error <= function.relative * abs(exact) + function.absolute,
        "\(function.name)(\(x)) = \(y), not \(exact)")
      if !(error <= function.relative * abs(exact) + function.absolute) { return }
    }
  }

  @Test func specialValues() {
    let x: [Float] = [.nan, .infinity, -.infinity, 0, -0.0, -1, 1000, -1000, 0x1p-140]
    func check(_ op: pk_tile_op, _ exact: [Float]) {
      for (i, (y, z)) in zip(applyUnary(op, x), exact).enumerated() {
        #expect(y == z || (y.isNaN && z.isNaN), "operation \(op.rawValue) of \(x[i]) is \(y), not \(z)")
      }
    }
    check(PK_OP_EXP, [.nan, .infinity, 0, 1, 1, expf(-1), .infinity, 0, 1])
    check(PK_OP_LOG, [.nan, .infinity, .nan, -.infinity, -.infinity, .nan, logf(1000), .nan, logf(0x1p-140)])
    check(PK_OP_LOG1P, [.nan, .infinity, .nan, 0, 0, -.infinity, log1pf(1000), .nan, 0x1p-140])
    check(PK_OP_EXPM1, [.nan, .infinity, -1, 0, 0, expm1f(-1), .infinity, -1, 0x1p-140])
    check(PK_OP_TANH, [.nan, 1, -1, 0, 0, tanhf(-1), 1, -1, 0x1p-140])
    check(PK_OP_LOGISTIC, [.nan, 1, 0, 0.5, 0.5, 0.26894142, 1, 0, 0.5])
    check(PK_OP_ABS, [.nan, .infinity, .infinity, 0, 0, 1, 1000, 1000, 0x1p-140])
    check(PK_OP_SIGN, [.nan, 1, -1, 0, 0, -1, 1, -1, 1])
    check(PK_OP_NEG, [.nan, -.infinity, .infinity, 0, 0, 1, -1000, 1000, -0x1p-140])
    check(PK_OP_SQRT, [.nan, .infinity, .nan, 0, 0, .nan, sqrtf(1000), .nan, sqrtf(0x1p-140)])
    let erf = applyUnary(PK_OP_ERF, x)
    #expect(erf[0].isNaN && erf[1] == 1 && erf[2] == -1 && erf[3] == 0)
    let sine = applyUnary(PK_OP_SIN, [.infinity, .nan, 0.5])
    #expect(sine[0].isNaN && sine[1].isNaN && abs(sine[2] - sinf(0.5)) < 1e-7)
  }

  @Test func roundingFunctions() {
    let x: [Float] = [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 2.4, -2.6, 1e10]
    #expect(applyUnary(PK_OP_FLOOR, x) == x.map { $0.rounded(.down) })
    #expect(applyUnary(PK_OP_CEIL, x) == x.map { $0.rounded(.up) })
    #expect(applyUnary(PK_OP_ROUND_EVEN, x) == x.map { $0.rounded(.toNearestOrEven) })
  }

  @Test func binaryFloatsFollowTheirDefinition() {
    var random = TestRandom(state: 2)
    let specials: [Float] = [.nan, .infinity, -.infinity, 0, -0.0, 1, -1, 2, -2, 0.5, 3, 1e30, 1e-30]
    let a = specials.flatMap { x in specials.map { _ in x } } + random.floats(1000, -5...5)
    let b = specials.flatMap { _ in specials } + random.floats(1000, -5...5)
    let definitions: [(pk_tile_op, (Float, Float) -> Float, Float)] = [
      (PK_OP_ADD, { $0 + $1 }, 0), (PK_OP_SUB, { $0 - $1 }, 0), (PK_OP_MUL, { $0 * $1 }, 0),
      (PK_OP_DIV, { $0 / $1 }, 0), (PK_OP_REM, { fmodf($0, $1) }, 0), (PK_OP_POW, { powf($0, $1) }, 3e-7),
      (PK_OP_MAX, { $0.isNaN || $1.isNaN ? .nan : max($0, $1) }, 0),
      (PK_OP_MIN, { $0.isNaN || $1.isNaN ? .nan : min($0, $1) }, 0),
    ]
    for (op, exact, tolerance) in definitions {
      let y = applyBinary(op, PK_F32, a, b, result: Float(0), PK_F32)
      for i in a.indices {
        let z = exact(a[i], b[i])
        let right = y[i] == z || (y[i].isNaN && z.isNaN) || abs(y[i] - z) <= tolerance * abs(z)
        #expect(right, "operation \(op.rawValue) of \(a[i]) and \(b[i]) is \(y[i]), not \(z)")
      }
    }
  }

  @Test func comparisonsWithNaNAreFalse() {
    let a: [Float] = [1, 2, 2, .nan, 1, .nan], b: [Float] = [2, 1, 2, 1, .nan, .nan]
    let expected: [(pk_tile_op, [UInt8])] = [
      (PK_OP_EQ, [0, 0, 1, 0, 0, 0]), (PK_OP_NE, [1, 1, 0, 1, 1, 1]), (PK_OP_LT, [1, 0, 0, 0, 0, 0]),
      (PK_OP_LE, [1, 0, 1, 0, 0, 0]), (PK_OP_GT, [0, 1, 0, 0, 0, 0]), (PK_OP_GE, [0, 1, 1, 0, 0, 0]),
    ]
    for (op, result) in expected {
      #expect(applyBinary(op, PK_F32, a, b, result: UInt8(9), PK_BOOL) == result, "operation \(op.rawValue)")
    }
  }

  func checkWhole<T: FixedWidthInteger>(_: T.Type, _ dtype: pk_dtype) {
    var random = TestRandom(state: 3)
    let specials: [T] = [
      .min, .max, 0, 1, 2, 7, T.max - 1, T(truncatingIfNeeded: -1), T(truncatingIfNeeded: -3),
    ]
    let a =
      specials.flatMap { x in specials.map { _ in x } }
      + (0..<100).map { _ in T.random(in: .min ... .max, using: &random) }
    let b =
      specials.flatMap { _ in specials } + (0..<100).map { _ in T.random(in: .min ... .max, using: &random) }
    let ones = ~T.zero
    func power(_ x: T, _ y: T) -> T {
      if y < 0 { return x == 1 ? 1 : x == ones ? (y & 1 == 1 ? x : 1) : 0 }
      var (result, base, exponent) = (T(1), x, y)
      while exponent > 0 {
        if exponent & 1 == 1 { result = result &* base }
        base = base &* base
        exponent >>= 1
      }
      return result
    }
    let width = T(T.bitWidth)
    func logicalRight(_ x: T, _ y: T) -> T {
      guard y >= 0, y < width else { return 0 }
      return T(truncatingIfNeeded: T.Magnitude(truncatingIfNeeded: x) >> T.Magnitude(truncatingIfNeeded: y))
    }
    let definitions: [(pk_tile_op, (T, T) -> T)] = [
      (PK_OP_ADD, { $0 &+ $1 }), (PK_OP_SUB, { $0 &- $1 }), (PK_OP_MUL, { $0 &* $1 }),
      (PK_OP_DIV, { $1 == 0 ? ones : $0.dividedReportingOverflow(by: $1).partialValue }),
      (PK_OP_REM, { $1 == 0 ? $0 : $0.remainderReportingOverflow(dividingBy: $1).partialValue }),
      (PK_OP_MAX, { max($0, $1) }), (PK_OP_MIN, { min($0, $1) }), (PK_OP_POW, power),
      (PK_OP_AND, { $0 & $1 }), (PK_OP_OR, { $0 | $1 }), (PK_OP_XOR, { $0 ^ $1 }),
      (PK_OP_SHL, { $1 >= 0 && $1 < width ? $0 << $1 : 0 }), (PK_OP_SHR_LOGICAL, logicalRight),
    ]
    for (op, exact) in definitions {
      let y = applyBinary(op, dtype, a, b, result: T(5), dtype)
      for i in a.indices {
        #expect(y[i] == exact(a[i], b[i]), "operation \(op.rawValue) of \(T.self) \(a[i]) and \(b[i])")
      }
    }
  }

  @Test func wholeNumbersWrapAndNeverTrap() {
    checkWhole(Int32.self, PK_I32)
    checkWhole(Int64.self, PK_I64)
    checkWhole(Int8.self, PK_I8)
    checkWhole(UInt8.self, PK_U8)
  }
}
