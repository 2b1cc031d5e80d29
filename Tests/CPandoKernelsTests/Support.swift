import CPandoKernels

/// A small generator with a fixed seed, so that a failure comes back in the next run.
struct TestRandom: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func floats(_ count: Int, _ range: ClosedRange<Float> = -2...2) -> [Float] {
    (0..<count).map { _ in Float.random(in: range, using: &self) }
  }

  mutating func integer(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }
}

/// Sizes at which loops over vectors, tiles and blocks begin and end.
let oddSizes = [1, 2, 15, 17, 64, 255, 1023, 5000]

/// The bits of a float32 rounded to bfloat16, ties to even.
func bfloat16(_ x: Float) -> UInt16 {
  if x.isNaN { return 0x7fc0 }
  let bits = x.bitPattern
  return UInt16(truncatingIfNeeded: (bits &+ 0x7fff &+ ((bits >> 16) & 1)) >> 16)
}

/// The float32 that a bfloat16 stands for.
func float(bfloat16 bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }

/// The largest |a - b| / max(1, |b|); infinite where one is NaN and the other is not.
func largestError(_ a: [Float], _ b: [Double]) -> Double {
  guard a.count == b.count else { return .infinity }
  var largest = 0.0
  for (x, y) in zip(a, b) {
    if Double(x) == y || (x.isNaN && y.isNaN) { continue }
    let error = abs(Double(x) - y) / max(1, abs(y))
    largest = error.isNaN ? .infinity : max(largest, error)
  }
  return largest
}

/// Row-major strides.
func denseStrides(_ shape: [Int]) -> [Int] {
  var strides = [Int](repeating: 1, count: shape.count)
  for d in stride(from: shape.count - 2, through: 0, by: -1) { strides[d] = strides[d + 1] * shape[d + 1] }
  return strides
}

/// Where the element at `place` lies.
func offset(of place: [Int], _ strides: [Int], from start: Int = 0) -> Int {
  zip(place, strides).reduce(start) { (sum: Int, pair: (Int, Int)) -> Int in sum + pair.0 * pair.1 }
}

/// The coordinates of every element in row-major order.
func coordinates(_ shape: [Int]) -> [[Int]] {
  shape.reduce([[]]) { partial, size in partial.flatMap { head in (0..<size).map { head + [$0] } } }
}

/// Writes a program instruction by instruction and runs it on arrays.
struct TileBuilder {
  struct Operand {
    var dtype: pk_dtype
    var strides: [Int]
  }
  var shape: [Int]
  var inputs: [Operand] = []
  var outputs: [Operand] = []
  var instructions: [pk_tile_instruction] = []

  init(_ shape: [Int]) { self.shape = shape }

  @discardableResult
  mutating func emit(
    _ op: pk_tile_op, _ type: pk_dtype, _ a: Int32 = 0, _ b: Int32 = 0, _ c: Int32 = 0, index: Int = 0,
    real: Double = 0, integer: Int64 = 0
  ) -> Int32 {
    instructions.append(
      pk_tile_instruction(
        op: op, type: type, a: a, b: b, c: c, index: Int32(index), real: real, integer: integer))
    return Int32(instructions.count - 1)
  }

  /// Loads a new input; dense where no strides are given.
  mutating func load(_ dtype: pk_dtype, strides: [Int]? = nil) -> Int32 {
    inputs.append(Operand(dtype: dtype, strides: strides ?? denseStrides(shape)))
    let half = dtype == PK_BF16 || dtype == PK_F16
    return emit(PK_OP_LOAD, half ? PK_F32 : dtype, index: inputs.count - 1)
  }

  /// Stores a value of register type `type` to a new output.
  mutating func store(_ value: Int32, _ dtype: pk_dtype, strides: [Int]? = nil) {
    outputs.append(Operand(dtype: dtype, strides: strides ?? denseStrides(shape)))
    let half = dtype == PK_BF16 || dtype == PK_F16
    emit(PK_OP_STORE, half ? PK_F32 : dtype, value, index: outputs.count - 1)
  }

  func prepare() -> (program: OpaquePointer?, status: pk_status) {
    let operands = inputs + outputs
    let sizes = shape.map(Int64.init), strides = operands.flatMap { $0.strides.map(Int64.init) }
    let dtypes = operands.map(\.dtype)
    var status = PK_OK
    let program = sizes.withUnsafeBufferPointer { sizes in
      strides.withUnsafeBufferPointer { strides in
        dtypes.withUnsafeBufferPointer { dtypes in
          instructions.withUnsafeBufferPointer { instructions in
            var desc = pk_tile_desc(
              rank: Int32(shape.count), shape: sizes.baseAddress, input_count: Int32(inputs.count),
              output_count: Int32(outputs.count), dtypes: dtypes.baseAddress, strides: strides.baseAddress,
              instruction_count: Int32(instructions.count), instructions: instructions.baseAddress)
            return pk_tile_prepare(&desc, &status)
          }
        }
      }
    }
    return (program, status)
  }

  /// Prepares and runs; `pointers` are inputs, then outputs.
  func run(_ pointers: [UnsafeMutableRawPointer?], threads: Int32 = 2) -> pk_status {
    let (program, status) = prepare()
    guard let program else { return status }
    pointers.withUnsafeBufferPointer { pk_tile_run(program, $0.baseAddress, threads) }
    pk_tile_destroy(program)
    return status
  }
}

/// Applies a unary operation to float32 numbers.
func applyUnary(_ op: pk_tile_op, _ x: [Float]) -> [Float] {
  var x = x
  var y = [Float](repeating: -7, count: x.count)
  var builder = TileBuilder([x.count])
  builder.store(builder.emit(op, PK_F32, builder.load(PK_F32)), PK_F32)
  _ = x.withUnsafeMutableBytes { x in
    y.withUnsafeMutableBytes { y in builder.run([x.baseAddress, y.baseAddress]) }
  }
  return y
}

/// Applies a binary operation to arrays of one type.
func applyBinary<T, R>(_ op: pk_tile_op, _ dtype: pk_dtype, _ a: [T], _ b: [T], result: R, _ type: pk_dtype)
  -> [R]
{
  var (a, b) = (a, b)
  var y = [R](repeating: result, count: a.count)
  var builder = TileBuilder([a.count])
  let (left, right) = (builder.load(dtype), builder.load(dtype))
  builder.store(builder.emit(op, dtype, left, right), type)
  _ = a.withUnsafeMutableBytes { a in
    b.withUnsafeMutableBytes { b in
      y.withUnsafeMutableBytes { y in builder.run([a.baseAddress, b.baseAddress, y.baseAddress]) }
    }
  }
  return y
}
