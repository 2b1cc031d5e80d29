import CPandoKernels
import Testing

@Suite struct ReductionTests {
  /// Shapes [o1, r1, o2, r2, inner] that reach each way of cutting the work.
  static let shapes: [[Int]] = [
    [1, 1, 1, 1, 1], [1, 17, 1, 1, 1], [1, 200_003, 1, 1, 1], [5, 1023, 1, 1, 1], [300, 7, 1, 1, 1],
    [1, 5, 3, 17, 1], [2, 40, 3, 9, 1], [1, 3, 2, 40_001, 1], [1, 9, 1, 1, 15], [3, 100, 1, 1, 17],
    [1, 3001, 1, 1, 300], [2, 3, 5, 7, 9], [1, 40, 2, 11, 33], [3, 0, 2, 1, 2], [0, 3, 1, 1, 1],
  ]

  /// For each output, the places of the elements that it combines.
  static func groups(_ s: [Int]) -> [[Int]] {
    var groups: [[Int]] = []
    for o1 in 0..<s[0] {
      for o2 in 0..<s[2] {
        for c in 0..<s[4] {
          var places: [Int] = []
          for i1 in 0..<s[1] {
            for i2 in 0..<s[3] { places.append((((o1 * s[1] + i1) * s[2] + o2) * s[3] + i2) * s[4] + c) }
          }
          groups.append(places)
        }
      }
    }
    return groups
  }

  @Test(arguments: shapes) func floatReductions(_ shape: [Int]) {
    var random = TestRandom(state: 21)
    let x = random.floats(shape.reduce(1, *)), groups = Self.groups(shape), sizes = shape.map(Int64.init)
    let definitions: [(pk_reduction, (Double, Double) -> Double, Double)] = [
      (PK_REDUCE_SUM, { $0 + $1 }, 0), (PK_REDUCE_SUM_SQUARES, { $0 + $1 * $1 }, 0),
      (PK_REDUCE_MAX, { max($0, $1) }, -.infinity), (PK_REDUCE_MIN, { min($0, $1) }, .infinity),
    ]
    for (reduction, combine, start) in definitions {
      let expected = groups.map { $0.reduce(start) { combine($0, Double(x[$1])) } }
      let size = groups.map { $0.reduce(1.0) { $0 + abs(Double(x[$1])) } }
      var one = [Float](repeating: .nan, count: groups.count), two = one
      #expect(pk_reduce(&one, x, sizes, reduction, PK_F32, 1) == PK_OK)
      #expect(pk_reduce(&two, x, sizes, reduction, PK_F32, 2) == PK_OK)
      #expect(one == two)
      for i in groups.indices {
        let error = abs(Double(one[i]) - expected[i])
        #expect(
          Double(one[i]) == expected[i] || error <= 2e-7 * max(size[i], abs(expected[i])),
          "\(reduction) \(shape)")
      }
      let wide = x.map(Double.init)
      var exact = [Double](repeating: .nan, count: groups.count)
      #expect(pk_reduce(&exact, wide, sizes, reduction, PK_F64, 2) == PK_OK)
      for i in groups.indices {
        #expect(exact[i] == expected[i] || abs(exact[i] - expected[i]) <= 1e-12 * size[i])
      }
      let narrow = x.map(bfloat16)
      var rounded = [UInt16](repeating: 0, count: groups.count)
      #expect(pk_reduce(&rounded, narrow, sizes, reduction, PK_BF16, 2) == PK_OK)
      for i in groups.indices {
        let exact = groups[i].reduce(start) { combine($0, Double(float(bfloat16: narrow[$1]))) }
        let y = Double(float(bfloat16: rounded[i]))
        #expect(y == exact || abs(y - exact) <= 0.0040 * abs(exact) + 1e-6 * size[i])
      }
    }
  }

  @Test(arguments: shapes) func wholeReductions(_ shape: [Int]) {
    var random = TestRandom(state: 22)
    let x = (0..<shape.reduce(1, *)).map { _ in Int32(truncatingIfNeeded: random.next()) }
    let groups = Self.groups(shape), sizes = shape.map(Int64.init)
    let definitions: [(pk_reduction, (Int32, Int32) -> Int32, Int32)] = [
      (PK_REDUCE_SUM, { $0 &+ $1 }, 0), (PK_REDUCE_PROD, { $0 &* $1 }, 1),
      (PK_REDUCE_MAX, { max($0, $1) }, .min),
      (PK_REDUCE_MIN, { min($0, $1) }, .max),
    ]
    for (reduction, combine, start) in definitions {
      var y = [Int32](repeating: 0, count: groups.count)
      #expect(pk_reduce(&y, x, sizes, reduction, PK_I32, 2) == PK_OK)
      #expect(y == groups.map { $0.reduce(start) { combine($0, x[$1]) } })
      let bytes = x.map { UInt8(truncatingIfNeeded: $0) }
      var z = [UInt8](repeating: 0, count: groups.count)
      #expect(pk_reduce(&z, bytes, sizes, reduction, PK_U8, 2) == PK_OK)
      if reduction == PK_REDUCE_SUM { #expect(z == y.map { UInt8(truncatingIfNeeded: $0) }) }
      if reduction == PK_REDUCE_MAX { #expect(z == groups.map { $0.reduce(0) { max($0, bytes[$1]) } }) }
    }
  }

  @Test func productsAndTruthValues() {
    let x: [Float] = [1e30, 1e30, 1e-30, 1e-30, 2]
    var y: [Float] = [0]
    #expect(pk_reduce(&y, x, [1, 5, 1, 1, 1], PK_REDUCE_PROD, PK_F32, 1) == PK_OK)
    #expect(abs(y[0] - 2) < 1e-6)
    var any: [UInt8] = [9, 9], all = any
    #expect(pk_reduce(&any, [0, 1, 0, 0] as [UInt8], [2, 2, 1, 1, 1], PK_REDUCE_MAX, PK_BOOL, 1) == PK_OK)
    #expect(pk_reduce(&all, [0, 1, 1, 1] as [UInt8], [2, 2, 1, 1, 1], PK_REDUCE_MIN, PK_BOOL, 1) == PK_OK)
    #expect(any == [1, 0] && all == [0, 1])
    #expect(pk_reduce(&any, any, [1, 2, 1, 1, 1], PK_REDUCE_SUM, PK_BOOL, 1) == PK_UNSUPPORTED)
    #expect(pk_reduce(&any, any, [1, 2, 1, 1, 1], PK_REDUCE_SUM_SQUARES, PK_I32, 1) == PK_UNSUPPORTED)
  }

  @Test func notANumberWins() {
    for place in [0, 5, 700] {
      var x = [Float](repeating: 1, count: 701), y: [Float] = [0]
      x[place] = .nan
      for reduction in [PK_REDUCE_MAX, PK_REDUCE_MIN, PK_REDUCE_SUM] {
        #expect(pk_reduce(&y, x, [1, 701, 1, 1, 1], reduction, PK_F32, 1) == PK_OK)
        #expect(y[0].isNaN)
      }
    }
  }

  /// The place of each element of a line in the order that sorting defines.
  static func order(_ line: [Float], descending: Bool) -> [Int] {
    func isBefore(_ a: Float, _ b: Float) -> Bool { a.isNaN ? false : b.isNaN ? true : a < b }
    return line.indices.sorted { i, j in
      let (a, b) = descending ? (line[j], line[i]) : (line[i], line[j])
      return isBefore(a, b) || (!isBefore(b, a) && i < j)
    }
  }

  @Test(arguments: [(1, 1, 1), (3, 17, 1), (2, 1023, 1), (2, 100, 3), (1, 40, 300), (1, 5000, 1)])
  func sortingAndExtrema(_ outer: Int, _ n: Int, _ inner: Int) {
    var random = TestRandom(state: 23)
    // Few distinct values, so that there are ties; both zeros; sometimes NaN.
    var x = (0..<outer * n * inner).map { _ in Float(random.integer(-9...9)) * 0.5 }
    for _ in 0..<n / 4 {
      x[random.integer(0...x.count - 1)] = [Float.nan, -0.0, .infinity].randomElement(using: &random)!
    }
    let sizes = (Int64(outer), Int64(n), Int64(inner))
    let workspace = UnsafeMutableRawPointer.allocate(byteCount: pk_sort_workspace(sizes.1, 2), alignment: 64)
    defer { workspace.deallocate() }
    for descending in [false, true] {
      var values = x, indices = [Int32](repeating: -1, count: x.count),
        extrema = [Int32](repeating: -1, count: outer * inner)
      #expect(
        pk_sort(&values, &indices, x, PK_F32, sizes.0, sizes.1, sizes.2, descending ? 1 : 0, workspace, 2)
          == PK_OK)
      #expect(
        pk_arg_extremum(&extrema, PK_I32, x, PK_F32, sizes.0, sizes.1, sizes.2, descending ? 0 : 1, 2)
          == PK_OK)
      let k = max(1, n / 10)
      var top = [Float](repeating: 0, count: outer * k * inner),
        topIndices = [Int32](repeating: -1, count: top.count)
      #expect(
        pk_top_k(&top, &topIndices, x, PK_F32, sizes.0, sizes.1, sizes.2, Int64(k), workspace, 2) == PK_OK)
      for o in 0..<outer {
        for c in 0..<inner {
          let line = (0..<n).map { x[(o * n + $0) * inner + c] }
          let order = Self.order(line, descending: descending)
          #expect((0..<n).map { Int(indices[(o * n + $0) * inner + c]) } == order)
          #expect(
            (0..<n).allSatisfy { values[(o * n + $0) * inner + c].bitPattern == line[order[$0]].bitPattern })
          #expect(Int(extrema[o * inner + c]) == order[0])
          guard descending else { continue }
          #expect((0..<k).map { Int(topIndices[(o * k + $0) * inner + c]) } == Array(order.prefix(k)))
        }
      }
    }
  }

  @Test func sortingWholeNumbers() {
    let x: [Int64] = [5, .min, 0, .max, -1, 5]
    var y = x, indices = [Int32](repeating: -1, count: 6)
    let workspace = UnsafeMutableRawPointer.allocate(byteCount: pk_sort_workspace(6, 1), alignment: 64)
    defer { workspace.deallocate() }
    #expect(pk_sort(&y, &indices, x, PK_I64, 1, 6, 1, 0, workspace, 1) == PK_OK)
    #expect(y == x.sorted() && indices == [1, 4, 2, 0, 5, 3])
    let bytes: [Int8] = [3, -128, 127, -1]
    var z = bytes
    #expect(pk_sort(&z, nil, bytes, PK_I8, 1, 4, 1, 1, workspace, 1) == PK_OK)
    #expect(z == [127, 3, -1, -128])
  }

  @Test func runningSums() {
    var random = TestRandom(state: 24)
    for (outer, n, inner) in [(1, 1, 1), (3, 17, 1), (1, 20_000, 1), (2, 50, 100)] {
      let x = random.floats(outer * n * inner)
      for (reverse, exclusive) in [(false, false), (true, false), (false, true), (true, true)] {
        var expected = [Double](repeating: 0, count: x.count)
        for o in 0..<outer {
          for c in 0..<inner {
            var sum = 0.0
            for step in 0..<n {
              let place = (o * n + (reverse ? n - 1 - step : step)) * inner + c
              if exclusive { expected[place] = sum }
              sum += Double(x[place])
              if !exclusive { expected[place] = sum }
            }
          }
        }
        var y = x
        // In place.
        let status = y.withUnsafeMutableBufferPointer { y in
          pk_cumulative_sum(
            y.baseAddress, y.baseAddress, PK_F32, Int64(outer), Int64(n), Int64(inner), reverse ? 1 : 0,
            exclusive ? 1 : 0, 2)
        }
        #expect(status == PK_OK)
        #expect(largestError(y, expected) < 1.2e-7)
      }
    }
  }
}
