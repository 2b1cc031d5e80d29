import CPandoKernels
import PandoEngine
import PandoIR
import PandoOperations
import PandoTransforms

/// Translates the body of a fusion to a tile program.
struct TileCompiler {
  /// Where a tile program's input or output lies among a fusion's operands and results.
  struct Port: Hashable {
    /// The operand's or result's place.
    let place: Int
    /// Bytes from its start.
    var byteOffset = 0
    /// Type in memory.
    let dtype: DType
    /// Elements from one coordinate to the next, for each dimension of the sweep.
    let strides: [Int]
  }

  private(set) var inputs: [Port] = []
  private(set) var outputs: [Port] = []
  private(set) var instructions: [pk_tile_instruction] = []

  private let body: Graph
  private let shape: [Int]
  private var registers: [Int: Int32] = [:]
  private var operandPlaces: [Int: Int] = [:]
  private var constants: [Int: Constant] = [:]

  init(_ fusion: Fusion) throws {
    body = fusion.body
    shape = fusion.shape
    for (place, input) in body.inputs.enumerated() { operandPlaces[input.value.id] = place }
    for node in body.nodes {
      if let constant = node.operation as? Constant { constants[node.results[0].id] = constant }
    }
    for node in body.nodes { try compile(node) }
    let strides = TensorType(shape).strides
    for (place, output) in body.outputs.enumerated() {
      var store = pk_tile_instruction()
      store.op = PK_OP_STORE
      store.type = output.type.dtype.register
      store.a = try register(output)
      store.index = Int32(outputs.count)
      outputs.append(Port(place: place, dtype: output.type.dtype, strides: strides))
      instructions.append(store)
    }
  }

  private mutating func append(
    _ op: pk_tile_op, _ type: pk_dtype, _ a: Int32 = -1, _ b: Int32 = -1, _ c: Int32 = -1, index: Int = 0,
    real: Double = 0, integer: Int64 = 0
  ) -> Int32 {
    var instruction = pk_tile_instruction()
    instruction.op = op
    instruction.type = type
    (instruction.a, instruction.b, instruction.c) = (a, b, c)
    instruction.index = Int32(index)
    instruction.real = real
    instruction.integer = integer
    instructions.append(instruction)
    return Int32(instructions.count - 1)
  }

  /// Appends an instruction whose result is a float, rounded to a 16-bit type where that is the result's.
  private mutating func appendRounded(
    _ op: pk_tile_op, _ dtype: DType, _ a: Int32, _ b: Int32 = -1, _ c: Int32 = -1
  ) -> Int32 {
    rounded(append(op, dtype.register, a, b, c), dtype)
  }

  private mutating func rounded(_ register: Int32, _ dtype: DType) -> Int32 {
    switch dtype {
    case .bfloat16: append(PK_OP_ROUND_BF16, PK_F32, register)
    case .float16: append(PK_OP_ROUND_F16, PK_F32, register)
    default: register
    }
  }

  /// The register of a value; inputs and constants are loaded when first used.
  private mutating func register(_ value: Value) throws -> Int32 {
    if let register = registers[value.id] { return register }
    let loaded: Int32
    if let constant = constants[value.id] {
      loaded = load(constant)
    } else {
      loaded = try load(value, strides: strides(value.type.shape, along: Array(shape.indices)))
    }
    registers[value.id] = loaded
    return loaded
  }

  private mutating func load(_ constant: Constant) -> Int32 {
    let buffer = constant.bytes
    let dtype = constant.type.dtype
    return buffer.withUnsafeBytes { bytes in
      dtype.isFloatingPoint
        ? append(PK_OP_CONSTANT, dtype.register, real: ElementBytes.load(bytes.baseAddress!, as: dtype))
        : append(
          PK_OP_CONSTANT, dtype.register, integer: ElementBytes.loadInteger(bytes.baseAddress!, as: dtype))
    }
  }

  private mutating func load(_ value: Value, strides: [Int], byteOffset: Int = 0) throws -> Int32 {
    guard let place = operandPlaces[value.id] else {
      throw EngineError("a fusion's body reads a value it lacks")
    }
    inputs.append(Port(place: place, byteOffset: byteOffset, dtype: value.type.dtype, strides: strides))
    return append(PK_OP_LOAD, value.type.dtype.register, index: inputs.count - 1)
  }

  /// Strides over the sweep of an array whose dimension `i` runs along the sweep's dimension `dimensions[i]`.
  private func strides(_ source: [Int], along dimensions: [Int]) -> [Int] {
    let own = TensorType(source).strides
    var strides = [Int](repeating: 0, count: shape.count)
    for (index, dimension) in dimensions.enumerated() where source[index] != 1 {
      strides[dimension] = own[index]
    }
    return strides
  }

  private mutating func compile(_ node: Node) throws {
    let result = node.results[0]
    let dtype = result.type.dtype
    switch node.operation {
    case is Constant: break
    case let broadcast as Broadcast:
      let source = node.operands[0]
      if constants[source.id] != nil {
        registers[result.id] = try register(source)
      } else {
        registers[result.id] = try load(
          source, strides: strides(source.type.shape, along: broadcast.dimensions))
      }
    case let iota as Iota:
      registers[result.id] = rounded(append(PK_OP_IOTA, dtype.register, index: iota.dimension), dtype)
    case let unary as Unary:
      let x = node.operands[0]
      let type = unary.function == .isFinite ? x.type.dtype : dtype
      registers[result.id] = appendRounded(unary.function.tile, type, try register(x))
      if unary.function == .isFinite { return }
    case let binary as Binary:
      registers[result.id] = appendRounded(
        binary.function.tile, dtype, try register(node.operands[0]), try register(node.operands[1]))
    case let compare as Compare:
      registers[result.id] = append(
        compare.direction.tile, node.operands[0].type.dtype.register, try register(node.operands[0]),
        try register(node.operands[1]))
    case is Select:
      registers[result.id] = append(
        PK_OP_SELECT, dtype.register, try register(node.operands[0]), try register(node.operands[1]),
        try register(node.operands[2]))
    case is Convert:
      let source = try register(node.operands[0])
      let same = node.operands[0].type.dtype.register == dtype.register
      let converted = same ? source : append(PK_OP_CONVERT, dtype.register, source)
      registers[result.id] = rounded(converted, dtype)
    case let bits as RandomBits:
      let key = node.operands[0]
      let still = [Int](repeating: 0, count: shape.count)
      let seed = try load(key, strides: still)
      let step = try load(key, strides: still, byteOffset: 8)
      registers[result.id] = append(PK_OP_RANDOM_BITS, PK_I32, seed, step, integer: Int64(bits.stream))
    default:
      throw EngineError("a fusion has no tile instruction for \(type(of: node.operation).name)")
    }
  }
}

extension Unary.Function {
  var tile: pk_tile_op {
    switch self {
    case .negate: PK_OP_NEG
    case .absolute: PK_OP_ABS
    case .sign: PK_OP_SIGN
    case .exponential: PK_OP_EXP
    case .exponentialMinusOne: PK_OP_EXPM1
    case .logarithm: PK_OP_LOG
    case .logarithmPlusOne: PK_OP_LOG1P
    case .squareRoot: PK_OP_SQRT
    case .reciprocalSquareRoot: PK_OP_RSQRT
    case .hyperbolicTangent: PK_OP_TANH
    case .logistic: PK_OP_LOGISTIC
    case .sine: PK_OP_SIN
    case .cosine: PK_OP_COS
    case .errorFunction: PK_OP_ERF
    case .floor: PK_OP_FLOOR
    case .ceiling: PK_OP_CEIL
    case .roundHalfToEven: PK_OP_ROUND_EVEN
    case .not: PK_OP_NOT
    case .isFinite: PK_OP_IS_FINITE
    }
  }
}

extension Binary.Function {
  var tile: pk_tile_op {
    switch self {
    case .add: PK_OP_ADD
    case .subtract: PK_OP_SUB
    case .multiply: PK_OP_MUL
    case .divide: PK_OP_DIV
    case .remainder: PK_OP_REM
    case .power: PK_OP_POW
    case .maximum: PK_OP_MAX
    case .minimum: PK_OP_MIN
    case .and: PK_OP_AND
    case .or: PK_OP_OR
    case .xor: PK_OP_XOR
    case .shiftLeft: PK_OP_SHL
    case .shiftRightLogical: PK_OP_SHR_LOGICAL
    }
  }
}

extension Compare.Direction {
  var tile: pk_tile_op {
    switch self {
    case .equal: PK_OP_EQ
    case .notEqual: PK_OP_NE
    case .less: PK_OP_LT
    case .lessOrEqual: PK_OP_LE
    case .greater: PK_OP_GT
    case .greaterOrEqual: PK_OP_GE
    }
  }
}
