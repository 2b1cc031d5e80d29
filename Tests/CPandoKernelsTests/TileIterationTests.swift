import CPandoKernels
import Testing

/// Tile programs: shapes, strides, order of memory accesses, random bits, and what is refused.
@Suite struct TileIterationTests {
  /// y = a * b + c over random shapes, each operand broadcast, transposed, reversed or dense.
  @Test func anyShapeAndStrides() {
    var random = TestRandom(state: 5)
    for _ in 0..<150 {
      let rank = random.integer(0...5)
      let sizes = [1, 2, 3, 5, 7, 17, rank < 3 ? 1023 : 9]
      let shape = (0..<rank).map { _ in sizes.randomElement(using: &random)! }
      let count = shape.reduce(1, *)
      guard count <= 300_000 else { continue }
      var layouts: [(strides: [Int], offset: Int)] = []
      for _ in 0..<4 {
        let order = (0..<rank).shuffled(using: &random)
        let kind = layouts.count == 3 ? random.integer(1...2) : random.integer(0...3)
        var strides = denseStrides(shape), offset = 0
        if kind == 2 {
          // Another order of the dimensions in memory.
          var next = 1
          for d in order { (strides[d], next) = (next, next * shape[d]) }
        }
        if kind == 0 || kind == 3 { for d in 0..<rank where random.integer(0...1) == 0 { strides[d] = 0 } }
        if kind == 3 {
          for d in 0..<rank where random.integer(0...1) == 0 {
            offset += strides[d] * (shape[d] - 1)
            strides[d] = -strides[d]
          }
        }
        layouts.append((strides, offset))
      }
      var inputs = (0..<3).map { _ in random.floats(count) }
      var output = [Float](repeating: .nan, count: count)
      var builder = TileBuilder(shape)
      let a = builder.load(PK_F32, strides: layouts[0].strides)
      let b = builder.load(PK_F32, strides: layouts[1].strides)
      let c = builder.load(PK_F32, strides: layouts[2].strides)
      let sum = builder.emit(PK_OP_ADD, PK_F32, builder.emit(PK_OP_MUL, PK_F32, a, b), c)
      builder.store(sum, PK_F32, strides: layouts[3].strides)
      var expected = [Float](repeating: .nan, count: count)
      for place in coordinates(shape) {
        func at(_ k: Int) -> Int { offset(of: place, layouts[k].strides, from: layouts[k].offset) }
        let product = inputs[0][at(0)] * inputs[1][at(1)]
        expected[at(3)] = product + inputs[2][at(2)]
      }
      var addresses: [UnsafeMutableRawPointer?] = []
      for k in 0..<3 {
        addresses.append(
          inputs[k].withUnsafeMutableBufferPointer {
            UnsafeMutableRawPointer($0.baseAddress! + layouts[k].offset)
          })
      }
      addresses.append(output.withUnsafeMutableBufferPointer { UnsafeMutableRawPointer($0.baseAddress!) })
      let status = builder.run(addresses)
      #expect(status == PK_OK)
      #expect(output == expected, "shape \(shape), strides \(layouts.map(\.strides))")
    }
  }

  /// Many values alive at once, scalars and repeated rows among them, one of them used by all.
  @Test func manyLiveValues() {
    for (rows, columns) in [(1, 1), (3, 17), (700, 10), (2, 5000)] {
      var random = TestRandom(state: 6)
      let count = rows * columns
      var x = random.floats(count), bias = random.floats(columns), scale: [Float] = [1.5]
      var y = [Float](repeating: 0, count: count), z = y
      var builder = TileBuilder([rows, columns])
      let loadX = builder.load(PK_F32)
      let loadBias = builder.load(PK_F32, strides: [0, 1])
      let loadScale = builder.load(PK_F32, strides: [0, 0])
      var values: [Int32] = []
      for i in 0..<40 {
        let constant = builder.emit(PK_OP_CONSTANT, PK_F32, real: Double(i))
        let scaled = builder.emit(PK_OP_MUL, PK_F32, loadScale, constant)
        values.append(
          builder.emit(PK_OP_MUL, PK_F32, builder.emit(PK_OP_ADD, PK_F32, loadX, scaled), loadBias))
      }
      var total = values[0]
      for value in values.dropFirst().reversed() { total = builder.emit(PK_OP_ADD, PK_F32, total, value) }
      builder.store(total, PK_F32)
      builder.store(loadScale, PK_F32)
      let status = x.withUnsafeMutableBytes { x in
        bias.withUnsafeMutableBytes { bias in
          scale.withUnsafeMutableBytes { scale in
            y.withUnsafeMutableBytes { y in
              z.withUnsafeMutableBytes { z in
                builder.run([
                  x.baseAddress, bias.baseAddress, scale.baseAddress, y.baseAddress, z.baseAddress,
                ])
              }
            }
          }
        }
      }
      #expect(status == PK_OK)
      let expected = (0..<count).map { (i: Int) -> Double in
        let (element, factor) = (Double(x[i]), Double(bias[i % columns]))
        return (0..<40).reduce(0.0) { (sum: Double, k: Int) -> Double in
          sum + (element + 1.5 * Double(k)) * factor
        }
      }
      #expect(largestError(y, expected) < 1e-5)
      #expect(z.allSatisfy { $0 == 1.5 })
    }
  }

  /// An optimizer's step in place: every output is the memory of an input, and is written only when no step needs it.
  @Test(arguments: oddSizes) func outputsMayBeInputs(_ count: Int) {
    var random = TestRandom(state: 7)
    var p = random.floats(count), m = random.floats(count), g = random.floats(count)
    let (oldP, oldM) = (p, m)
    var builder = TileBuilder([count])
    let (loadP, loadM, loadG) = (builder.load(PK_F32), builder.load(PK_F32), builder.load(PK_F32))
    let newM = builder.emit(PK_OP_ADD, PK_F32, loadM, loadG)
    builder.store(newM, PK_F32)
    let newP = builder.emit(PK_OP_SUB, PK_F32, loadP, newM)
    builder.store(newP, PK_F32)
    // Reads the old values after the stores above.
    let sum = builder.emit(PK_OP_ADD, PK_F32, builder.emit(PK_OP_ADD, PK_F32, loadP, loadM), loadG)
    builder.store(sum, PK_F32)
    let expected = (0..<count).map { oldP[$0] + oldM[$0] + g[$0] }
    let expectedM = (0..<count).map { oldM[$0] + g[$0] }
    let expectedP = (0..<count).map { oldP[$0] - expectedM[$0] }
    _ = p.withUnsafeMutableBytes { p in
      m.withUnsafeMutableBytes { m in
        g.withUnsafeMutableBytes { g in
          builder.run([
            p.baseAddress, m.baseAddress, g.baseAddress, m.baseAddress, p.baseAddress, g.baseAddress,
          ])
        }
      }
    }
    #expect(m == expectedM && p == expectedP && g == expected)
  }

  @Test func coordinatesAlongEachDimension() {
    let shape = [3, 5, 70]
    for dimension in 0..<3 {
      var y = [Int32](repeating: -1, count: 3 * 5 * 70)
      var builder = TileBuilder(shape)
      builder.store(builder.emit(PK_OP_IOTA, PK_I32, index: dimension), PK_I32)
      _ = y.withUnsafeMutableBytes { builder.run([$0.baseAddress]) }
      #expect(y == coordinates(shape).map { Int32($0[dimension]) })
    }
  }

  @Test func selectionAndLogic() {
    let count = 1023
    var random = TestRandom(state: 8)
    var x = random.floats(count)
    var y = x
    var builder = TileBuilder([count])
    let load = builder.load(PK_F32), zero = builder.emit(PK_OP_CONSTANT, PK_F32, real: 0)
    let one = builder.emit(PK_OP_CONSTANT, PK_F32, real: 1)
    let positive = builder.emit(PK_OP_GT, PK_F32, load, zero)
    let small = builder.emit(PK_OP_LT, PK_F32, builder.emit(PK_OP_ABS, PK_F32, load), one)
    let both = builder.emit(PK_OP_AND, PK_BOOL, positive, builder.emit(PK_OP_NOT, PK_BOOL, small))
    let chosen = builder.emit(PK_OP_SELECT, PK_F32, both, load, zero)
    builder.store(builder.emit(PK_OP_SELECT, PK_F32, positive, chosen, one), PK_F32)
    _ = x.withUnsafeMutableBytes { x in
      y.withUnsafeMutableBytes { y in builder.run([x.baseAddress, y.baseAddress]) }
    }
    #expect(y == x.map { $0 > 0 ? ($0 >= 1 ? $0 : 0) : 1 })
  }

  /// Philox as its authors define it, word by word.
  static func philox(block: UInt64, seed: UInt64, stream: UInt32, step: UInt32) -> [UInt32] {
    var c: [UInt32] = [
      UInt32(truncatingIfNeeded: block), UInt32(truncatingIfNeeded: block >> 32), stream, step,
    ]
    var k: (UInt32, UInt32) = (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
    for _ in 0..<10 {
      let p0 = c[0].multipliedFullWidth(by: 0xD251_1F53), p1 = c[2].multipliedFullWidth(by: 0xCD9E_8D57)
      c = [p1.high ^ c[1] ^ k.0, p1.low, p0.high ^ c[3] ^ k.1, p0.low]
      k = (k.0 &+ 0x9E37_79B9, k.1 &+ 0xBB67_AE85)
    }
    return c
  }

  @Test func randomBitsArePhilox() {
    // The known answer for an all-zero counter and key from the authors' test vectors.
    #expect(
      Self.philox(block: 0, seed: 0, stream: 0, step: 0) == [
        0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8,
      ])
    var seed: [Int64] = [0x0123_4567_89ab_cdef], step: [Int64] = [77]
    for count in oddSizes {
      for threads: Int32 in [1, 2] {
        var narrow = [UInt32](repeating: 0, count: count), wide = [Int64](repeating: -1, count: count)
        var builder = TileBuilder([count])
        let s = builder.load(PK_I64, strides: [0]), t = builder.load(PK_I64, strides: [0])
        builder.store(builder.emit(PK_OP_RANDOM_BITS, PK_I32, s, t, integer: 9), PK_I32)
        builder.store(builder.emit(PK_OP_RANDOM_BITS, PK_I64, s, t, integer: 9), PK_I64)
        _ = seed.withUnsafeMutableBytes { seed in
          step.withUnsafeMutableBytes { step in
            narrow.withUnsafeMutableBytes { narrow in
              wide.withUnsafeMutableBytes { wide in
                builder.run(
                  [seed.baseAddress, step.baseAddress, narrow.baseAddress, wide.baseAddress], threads: threads
                )
              }
            }
          }
        }
        let expected = (0..<count).map { i in
          Self.philox(block: UInt64(i / 4), seed: 0x0123_4567_89ab_cdef, stream: 9, step: 77)[i % 4]
        }
        #expect(narrow == expected && wide == expected.map(Int64.init))
      }
    }
  }

  @Test func nothingIsWrittenForEmptyShapes() {
    for shape in [[0], [0, 3], [3, 0], [2, 0, 5]] {
      var builder = TileBuilder(shape)
      builder.store(builder.load(PK_F32), PK_F32)
      #expect(builder.run([nil, nil]) == PK_OK)
    }
  }

  @Test func wrongProgramsAreRefused() {
    func status(_ build: (inout TileBuilder) -> Void) -> pk_status {
      var builder = TileBuilder([4])
      build(&builder)
      let (program, status) = builder.prepare()
      #expect(program == nil)
      pk_tile_destroy(program)
      return status
    }
    // An operand that is defined later, of another type, or by a store; a missing input or output.
    #expect(status { $0.emit(PK_OP_NEG, PK_F32, 0) } == PK_INVALID)
    #expect(status { $0.emit(PK_OP_ADD, PK_F32, $0.load(PK_F32), $0.load(PK_F64)) } == PK_INVALID)
    #expect(
      status {
        $0.store($0.load(PK_F32), PK_F32)
        $0.emit(PK_OP_NEG, PK_F32, 1)
      } == PK_INVALID)
    #expect(status { $0.emit(PK_OP_LOAD, PK_F32, index: 3) } == PK_INVALID)
    #expect(status { $0.emit(PK_OP_STORE, PK_F32, $0.load(PK_F32), index: 1) } == PK_INVALID)
    #expect(status { $0.emit(PK_OP_IOTA, PK_F32, index: 1) } == PK_INVALID)
    #expect(status { $0.emit(PK_OP_CONSTANT, PK_BF16) } == PK_INVALID)
    // A seed that varies.
    #expect(
      status {
        let seed = $0.load(PK_I64)
        $0.store($0.emit(PK_OP_RANDOM_BITS, PK_I32, seed, seed), PK_I32)
      } == PK_INVALID)
    #expect(status { $0.emit(PK_OP_EXP, PK_I32, $0.load(PK_I32)) } == PK_UNSUPPORTED)
    #expect(status { $0.emit(PK_OP_SUB, PK_BOOL, $0.load(PK_BOOL), 0) } == PK_UNSUPPORTED)
    #expect(status { builder in for _ in 0...512 { builder.emit(PK_OP_CONSTANT, PK_F32) } } == PK_LIMIT)
    #expect(status { $0.shape = Array(repeating: 1, count: 9) } == PK_LIMIT)
    #expect(status { $0.shape = [1 << 40, 1 << 40] } == PK_LIMIT)
    #expect(status { $0.shape = [-1] } == PK_INVALID)
  }
}
