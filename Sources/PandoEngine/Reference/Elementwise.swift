import PandoIR
import PandoOperations

extension Constant: ReferenceSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType]) -> [ReferenceTensor] {
    let buffer = HostBuffer(type, bytes)
    return [ReferenceTensor(buffer)]
  }
}

extension Unary: ReferenceSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType]) -> [ReferenceTensor] {
    let x = operands[0]
    if function == .isFinite {
      return [ReferenceTensor(results[0], integers: x.reals.map { $0.isFinite ? 1 : 0 })]
    }
    if x.type.dtype.isFloatingPoint {
      return [ReferenceTensor(results[0], reals: x.reals.map(function.apply))]
    }
    let isBool = x.type.dtype == .bool
    return [
      ReferenceTensor(
        results[0],
        integers: x.integers.map { value in
          switch function {
          case .negate: 0 &- value
          case .absolute: value < 0 ? 0 &- value : value
          case .sign: value.signum()
          default: isBool ? 1 - value : ~value
          }
        })
    ]
  }
}

extension Binary: ReferenceSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType]) -> [ReferenceTensor] {
    let (x, y) = (operands[0], operands[1])
    if x.type.dtype.isFloatingPoint {
      return [ReferenceTensor(results[0], reals: zip(x.reals, y.reals).map(function.apply))]
    }
    let bits = Int64(x.type.dtype.byteCount * 8)
    let unsigned = x.type.dtype == .uint8
    return [
      ReferenceTensor(
        results[0], integers: zip(x.integers, y.integers).map { integer($0, $1, bits, unsigned) })
    ]
  }

  private func integer(_ x: Int64, _ y: Int64, _ bits: Int64, _ unsigned: Bool) -> Int64 {
    switch function {
    case .add: x &+ y
    case .subtract: x &- y
    case .multiply: x &* y
    case .divide: y == 0 ? -1 : x.dividedReportingOverflow(by: y).partialValue
    case .remainder: y == 0 ? x : x.remainderReportingOverflow(dividingBy: y).partialValue
    case .power: Self.power(x, y)
    case .maximum: max(x, y)
    case .minimum: min(x, y)
    case .and: x & y
    case .or: x | y
    case .xor: x ^ y
    case .shiftLeft: y < 0 || y >= bits ? 0 : x << y
    case .shiftRightLogical:
      y < 0 || y >= bits ? 0 : Int64(bitPattern: (UInt64(bitPattern: x) & Self.mask(bits)) >> UInt64(y))
    }
  }

  private static func mask(_ bits: Int64) -> UInt64 { bits == 64 ? .max : (1 << UInt64(bits)) - 1 }

  /// By squaring, wrapping; a negative exponent gives 0, but ±1 for a base of ±1.
  private static func power(_ base: Int64, _ exponent: Int64) -> Int64 {
    if exponent < 0 { return base == 1 ? 1 : base == -1 ? (exponent.isMultiple(of: 2) ? 1 : -1) : 0 }
    var (result, factor, rest): (Int64, Int64, Int64) = (1, base, exponent)
    while rest > 0 {
      if rest & 1 == 1 { result &*= factor }
      factor &*= factor
      rest >>= 1
    }
    return result
  }
}

extension Compare: ReferenceSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType]) -> [ReferenceTensor] {
    func holds<T: Comparable>(_ x: T, _ y: T) -> Int64 {
      let result =
        switch direction {
        case .equal: x == y
        case .notEqual: x != y
        case .less: x < y
        case .lessOrEqual: x <= y
        case .greater: x > y
        case .greaterOrEqual: x >= y
        }
      return result ? 1 : 0
    }
    let (x, y) = (operands[0], operands[1])
    let truths =
      x.type.dtype.isFloatingPoint
      ? zip(x.reals, y.reals).map { holds($0, $1) } : zip(x.integers, y.integers).map { holds($0, $1) }
    return [ReferenceTensor(results[0], integers: truths)]
  }
}

extension Select: ReferenceSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType]) -> [ReferenceTensor] {
    let (condition, x, y) = (operands[0].integers, operands[1], operands[2])
    return [
      ReferenceTensor(
        results[0], real: { condition[$0] != 0 ? x.reals[$0] : y.reals[$0] },
        integer: { condition[$0] != 0 ? x.integers[$0] : y.integers[$0] })
    ]
  }
}

extension Convert: ReferenceSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType]) -> [ReferenceTensor] {
    let x = operands[0]
    func whole(_ value: Double) -> Int64 {
      if dtype == .bool { return value != 0 ? 1 : 0 }
      let scratch = HostBuffer(.scalar(dtype))
      ElementBytes.store(value, as: dtype, to: scratch.pointer)
      return ElementBytes.loadInteger(scratch.pointer, as: dtype)
    }
    return [
      ReferenceTensor(
        results[0], real: { x.double($0) },
        integer: { x.type.dtype.isFloatingPoint ? whole(x.reals[$0]) : x.integers[$0] })
    ]
  }
}
