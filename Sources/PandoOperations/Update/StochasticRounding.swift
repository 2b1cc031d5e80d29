import PandoIR

extension GraphBuilder {
  /// float32 as bfloat16, rounded up or down at random so that the mean of many roundings is the number itself.
  ///
  /// A number that lies the share s of the way from one bfloat16 to the next larger in magnitude becomes the larger
  /// where s + draw / 2¹⁶ reaches 1, otherwise the smaller; every intermediate number is exact, so all engines agree
  /// to the bit. Magnitudes outside of 2⁻¹⁰⁰ ..< 2¹⁰⁰ are rounded to the nearest.
  ///
  /// Gupta, Agrawal, Gopalakrishnan, Narayanan: Deep learning with limited numerical precision (2015,
  /// arXiv:1502.02551).
  /// - Parameter draws: int32 from 0 to 2¹⁶ - 1, of the shape of `x`.
  mutating func roundedAtRandom(_ x: Value, draws: Value) throws(TypeError) -> Value {
    let size = try unary(.absolute, x)
    let nearest = try throughBFloat16(size)
    // More than half and at most one unit in the last place, whatever the digits: to the neighbour on either side.
    let step = try scale(nearest, 0x1.03p-8)
    let isBelow = try compare(.greater, nearest, size)
    let low = try select(isBelow, throughBFloat16(subtract(nearest, step)), nearest)
    let high = try select(isBelow, nearest, throughBFloat16(add(nearest, step)))
    let share = try divide(subtract(size, low), subtract(high, low))
    let sum = try add(share, scale(convert(draws, to: .float32), 0x1p-16))
    let drawn = try select(compare(.greaterOrEqual, sum, constant(1, like: sum)), high, low)
    let isInside = try binary(
      .and, compare(.greaterOrEqual, size, constant(0x1p-100, like: size)),
      compare(.less, size, constant(0x1p100, like: size)))
    let magnitude = try select(isInside, drawn, nearest)
    return try convert(multiply(unary(.sign, x), magnitude), to: .bfloat16)
  }

  private mutating func throughBFloat16(_ x: Value) throws(TypeError) -> Value {
    try convert(convert(x, to: .bfloat16), to: .float32)
  }
}
