import CPandoKernels
import Testing

/// Tile programs: types in memory and in registers.
@Suite struct TileConversionTests {
  func convert<S: BitwiseCopyable, D: BitwiseCopyable>(_ x: [S], _ from: pk_dtype, _ zero: D, _ to: pk_dtype)
    -> [D]
  {
    var x = x
    var y = [D](repeating: zero, count: x.count)
    var builder = TileBuilder([x.count])
    let loaded = builder.load(from)
    builder.store(builder.emit(PK_OP_CONVERT, to, loaded), to)
    let status = x.withUnsafeMutableBytes { x in
      y.withUnsafeMutableBytes { y in builder.run([x.baseAddress, y.baseAddress]) }
    }
    #expect(status == PK_OK)
    // The same through pk_convert.
    var z = [D](repeating: zero, count: x.count)
    let same = x.withUnsafeBytes { x in
      z.withUnsafeMutableBytes { z in
        pk_convert(z.baseAddress, to, x.baseAddress, from, Int64(x.count / MemoryLayout<S>.stride), 2)
      }
    }
    #expect(same == PK_OK)
    y.withUnsafeBytes { y in z.withUnsafeBytes { z in #expect(y.elementsEqual(z)) } }
    return y
  }

  @Test func floatsToWholeNumbersSaturate() {
    let x: [Float] = [
      .nan, .infinity, -.infinity, 1.9, -1.9, 3e9, -3e9, 1e20, -1e20, 127.5, 128, -128.9, 255.9, 256, -0.5,
    ]
    let i32: [Int32] = [0, .max, .min, 1, -1, .max, .min, .max, .min, 127, 128, -128, 255, 256, 0]
    #expect(convert(x, PK_F32, Int32(0), PK_I32) == i32)
    let i64: [Int64] = [
      0, .max, .min, 1, -1, 3_000_000_000, -3_000_000_000, .max, .min, 127, 128, -128, 255, 256, 0,
    ]
    #expect(convert(x, PK_F32, Int64(0), PK_I64) == i64)
    #expect(convert(x.map(Double.init), PK_F64, Int64(0), PK_I64) == i64)
    #expect(convert(x.map(Double.init), PK_F64, Int32(0), PK_I32) == i32)
    let i8: [Int8] = [0, 127, -128, 1, -1, 127, -128, 127, -128, 127, 127, -128, 127, 127, 0]
    #expect(convert(x, PK_F32, Int8(0), PK_I8) == i8)
    let u8: [UInt8] = [0, 255, 0, 1, 0, 255, 0, 255, 0, 127, 128, 0, 255, 255, 0]
    #expect(convert(x, PK_F32, UInt8(0), PK_U8) == u8)
    #expect(convert([Float.nan, 0, -0.0, 0.1], PK_F32, UInt8(9), PK_BOOL) == [1, 0, 0, 1])
  }

  @Test func wholeNumbersWrapOrRound() {
    let x: [Int64] = [0, 1, -1, 300, -300, 1 << 33, .max, .min, 16_777_217]
    #expect(convert(x, PK_I64, Int32(0), PK_I32) == x.map { Int32(truncatingIfNeeded: $0) })
    #expect(convert(x, PK_I64, Int8(0), PK_I8) == x.map { Int8(truncatingIfNeeded: $0) })
    #expect(convert(x, PK_I64, UInt8(0), PK_U8) == x.map { UInt8(truncatingIfNeeded: $0) })
    #expect(convert(x, PK_I64, Float(0), PK_F32) == x.map { Float($0) })
    #expect(convert(x, PK_I64, Double(0), PK_F64) == x.map { Double($0) })
    #expect(convert(x, PK_I64, UInt8(9), PK_BOOL) == x.map { $0 == 0 ? 0 : 1 })
    #expect(convert([Int8(-1), 5], PK_I8, Int64(0), PK_I64) == [-1, 5])
    #expect(convert([UInt8(255), 5], PK_U8, Int64(0), PK_I64) == [255, 5])
    #expect(convert([UInt8(1), 0], PK_BOOL, Float(0), PK_F32) == [1, 0])
  }

  @Test func halfPrecisionRoundsToNearestEven() {
    var random = TestRandom(state: 4)
    var x: [Float] = [
      0, -0.0, 1, .infinity, -.infinity, 65504, 65519.9, 65520, 1e-8, 5.9e-8, 6.1e-5, 1.00048828125,
    ]
    x += [1.00390625, 1.01171875, 3.4e38, 2.98023224e-8, 2.9802326e-8]
    x += (0..<5000).map { _ in Float(bitPattern: UInt32.random(in: 0...0x7f7f_ffff, using: &random)) }
    x += random.floats(5000, -1...1) + random.floats(2000, -1e-4...1e-4)
    let bf16 = convertStorage(x, PK_BF16)
    for i in x.indices { #expect(bf16[i] == bfloat16(x[i]), "bfloat16 of \(x[i])") }
    #if arch(arm64) || arch(x86_64)
    let f16 = convertStorage(x, PK_F16)
    for i in x.indices { #expect(f16[i] == Self.float16(x[i]), "float16 of \(x[i])") }
    let back = loadStorage((0...UInt16.max).filter { $0 & 0x7c00 != 0x7c00 }, PK_F16)
    let bits = convertStorage(back, PK_F16)
    #expect(bits == (0...UInt16.max).filter { $0 & 0x7c00 != 0x7c00 })
    #endif
    #expect(loadStorage([0x7c00, 0xfc00, 0x0001, 0x3c00], PK_F16) == [.infinity, -.infinity, 0x1p-24, 1])
    #expect(
      loadStorage([0x7e00], PK_F16)[0].isNaN && float(bfloat16: convertStorage([.nan], PK_BF16)[0]).isNaN)
    #expect(loadStorage([0x3f80, 0xc000], PK_BF16) == [1, -2])
    #expect(applyUnary(PK_OP_ROUND_BF16, x) == x.map { float(bfloat16: bfloat16($0)) })
  }

  /// Rounds by exact arithmetic in float64: the spacing of float16 numbers around `x` decides.
  static func float16(_ x: Float) -> UInt16 {
    let sign: UInt16 = x.sign == .minus ? 0x8000 : 0
    let magnitude = Double(abs(x))
    if magnitude >= 65520 { return sign | 0x7c00 }
    let exponent = magnitude == 0 ? -14 : max(-14, magnitude.exponent)
    let spacing = Double(sign: .plus, exponent: Int(exponent) - 10, significand: 1)
    let steps = (magnitude / spacing).rounded(.toNearestOrEven)
    return sign | UInt16(Double((Int(exponent) + 14) * 1024) + steps)
  }

  func convertStorage(_ x: [Float], _ dtype: pk_dtype) -> [UInt16] {
    var x = x
    var y = [UInt16](repeating: 0, count: x.count)
    var builder = TileBuilder([x.count])
    builder.store(builder.load(PK_F32), dtype)
    _ = x.withUnsafeMutableBytes { x in
      y.withUnsafeMutableBytes { y in builder.run([x.baseAddress, y.baseAddress]) }
    }
    return y
  }

  func loadStorage(_ x: [UInt16], _ dtype: pk_dtype) -> [Float] {
    var x = x
    var y = [Float](repeating: 0, count: x.count)
    var builder = TileBuilder([x.count])
    builder.store(builder.load(dtype), PK_F32)
    _ = x.withUnsafeMutableBytes { x in
      y.withUnsafeMutableBytes { y in builder.run([x.baseAddress, y.baseAddress]) }
    }
    return y
  }
}
