import CPandoKernels
import Testing

@Suite struct MovementTests {
  /// Copies boxes between random layouts with each element size, and compares with a loop over coordinates.
  func checkCopies<T: FixedWidthInteger>(_: T.Type) {
    var random = TestRandom(state: 11)
    for _ in 0..<120 {
      let rank = random.integer(0...5)
      let sizes = [1, 2, 3, 8, 17, 33, rank < 3 ? 255 : 5]
      let shape = (0..<rank).map { _ in sizes.randomElement(using: &random)! }
      let count = shape.reduce(1, *)
      guard count <= 200_000 else { continue }
      var layouts: [(strides: [Int], offset: Int)] = []
      for side in 0..<2 {
        var strides = [Int](repeating: 0, count: rank), next = 1, offset = 0
        for d in (0..<rank).shuffled(using: &random) {
          let kind = side == 0 ? 1 : random.integer(0...4)
          strides[d] = kind == 0 ? 0 : next
          next *= shape[d]
          if kind == 2 {
            offset += strides[d] * (shape[d] - 1)
            strides[d] = -strides[d]
          }
        }
        layouts.append((strides, offset))
      }
      let src = (0..<count).map { T(truncatingIfNeeded: $0 &* 2_654_435_761) }
      var dst = [T](repeating: 0, count: count), expected = dst
      for place in coordinates(shape) {
        func at(_ k: Int) -> Int { offset(of: place, layouts[k].strides, from: layouts[k].offset) }
        expected[at(0)] = src[at(1)]
      }
      let status = dst.withUnsafeMutableBufferPointer { dst in
        src.withUnsafeBufferPointer { src in
          pk_copy_strided(
            dst.baseAddress, layouts[0].strides.map(Int64.init), src.baseAddress! + layouts[1].offset,
            layouts[1].strides.map(Int64.init), shape.map(Int64.init), Int32(rank), MemoryLayout<T>.size, 2)
        }
      }
      #expect(status == PK_OK)
      #expect(dst == expected, "\(T.self) shape \(shape), strides \(layouts)")
    }
  }

  @Test func stridedCopies() {
    checkCopies(UInt8.self)
    checkCopies(UInt16.self)
    checkCopies(UInt32.self)
    checkCopies(UInt64.self)
    #expect(pk_copy_strided(nil, [], nil, [], [], 9, 4, 1) == PK_INVALID)
    #expect(pk_copy_strided(nil, [], nil, [], [], 0, 3, 1) == PK_INVALID)
    #expect(pk_copy_strided(nil, [1], nil, [1], [0], 1, 4, 1) == PK_OK)
  }

  @Test func fills() {
    for count in [0] + oddSizes + [100_001] {
      var x = [UInt16](repeating: 1, count: count + 1)
      var value: UInt16 = 0x1234
      #expect(pk_fill(&x, Int64(count), &value, 2, 2) == PK_OK)
      #expect(x.dropLast().allSatisfy { $0 == 0x1234 } && x.last == 1)
    }
  }

  @Test func padsAndCrops() {
    var random = TestRandom(state: 12)
    for _ in 0..<100 {
      let rank = random.integer(0...3)
      let shape = (0..<rank).map { _ in random.integer(0...5) }
      let low = (0..<rank).map { _ in random.integer(-2...3) }
      let interior = (0..<rank).map { _ in random.integer(0...2) }
      let high = (0..<rank).map { _ in random.integer(-2...3) }
      let whole = (0..<rank).map { (d: Int) -> Int in
        let gaps: Int = max(shape[d] - 1, 0) * interior[d]
        return shape[d] + gaps + low[d] + high[d]
      }
      guard whole.allSatisfy({ $0 >= 0 }) else { continue }
      let src = random.floats(shape.reduce(1, *))
      var dst = [Float](repeating: .nan, count: whole.reduce(1, *)), value: Float = -9
      let status = pk_pad(
        &dst, whole.map(Int64.init), src, shape.map(Int64.init), low.map(Int64.init),
        interior.map(Int64.init),
        Int32(rank), &value, 4, 2)
      #expect(status == PK_OK)
      var expected = [Float](repeating: value, count: dst.count)
      for (i, place) in coordinates(shape).enumerated() {
        let target = (0..<rank).map { (d: Int) -> Int in low[d] + place[d] * (interior[d] + 1) }
        guard (0..<rank).allSatisfy({ (0..<whole[$0]).contains(target[$0]) }) else { continue }
        expected[offset(of: target, denseStrides(whole))] = src[i]
      }
      #expect(dst == expected, "\(shape) to \(whole), low \(low), interior \(interior)")
    }
  }

  @Test func boxesAreClampedInside() {
    let src: [Int32] = Array(0..<20)
    var box = [Int32](repeating: -1, count: 6)
    #expect(pk_dynamic_slice(&box, [2, 3], src, [4, 5], [3, -7], 2, 4, 1) == PK_OK)
    #expect(box == [10, 11, 12, 15, 16, 17])
    var dst = src
    #expect(pk_dynamic_update(&dst, [4, 5], [100, 101] as [Int32], [1, 2], [1, 9], 2, 4, 1) == PK_OK)
    #expect(dst == src.map { $0 == 8 ? 100 : $0 == 9 ? 101 : $0 })
    #expect(pk_dynamic_slice(&box, [2, 6], src, [4, 5], [0, 0], 2, 4, 1) == PK_INVALID)
  }

  @Test(arguments: [1, 3, 17, 64, 200]) func gatheringAndAddingRows(_ row: Int) {
    var random = TestRandom(state: 13)
    for (outer, n, k) in [(1, 1, 1), (1, 50, 3000), (3, 7, 20), (2, 5, 0)] {
      let indices = (0..<k).map { _ in Int32(random.integer(-2...n + 1)) }, wide = indices.map(Int64.init)
      let table = random.floats(outer * n * row), rows = random.floats(outer * k * row)
      for bounds in [PK_BOUNDS_CLAMP, PK_BOUNDS_SKIP] {
        func place(_ index: Int32) -> Int? {
          if index >= 0, index < n { return Int(index) }
          return bounds == PK_BOUNDS_CLAMP ? min(max(Int(index), 0), n - 1) : nil
        }
        var gathered = [Float](repeating: .nan, count: rows.count), expected = gathered
        var sums = table, expectedSums = table
        for o in 0..<outer {
          for j in 0..<k {
            for i in 0..<row {
              let from = place(indices[j]).map { (o * n + $0) * row + i }
              expected[(o * k + j) * row + i] = from.map { table[$0] } ?? 0
              if let from { expectedSums[from] += rows[(o * k + j) * row + i] }
            }
          }
        }
        let sizes = (Int64(outer), Int64(n), Int64(k), Int64(row))
        #expect(
          pk_gather_rows(&gathered, table, indices, PK_I32, sizes.0, sizes.1, sizes.2, sizes.3, 4, bounds, 2)
            == PK_OK)
        #expect(gathered == expected)
        gathered = []
        gathered = [Float](repeating: .nan, count: rows.count)
        #expect(
          pk_gather_rows(&gathered, table, wide, PK_I64, sizes.0, sizes.1, sizes.2, sizes.3, 4, bounds, 1)
            == PK_OK)
        #expect(gathered == expected)
        // Sums in the order of the indices: the very same bits on one thread and on two.
        for threads: Int32 in [1, 2] {
          sums = table
          #expect(
            pk_scatter_add_rows(
              &sums, rows, indices, PK_I32, sizes.0, sizes.1, sizes.2, sizes.3, PK_F32, bounds, threads)
              == PK_OK)
          #expect(sums == expectedSums)
        }
      }
    }
    #expect(pk_gather_rows(nil, nil, nil, PK_F32, 1, 1, 1, 1, 4, PK_BOUNDS_CLAMP, 1) == PK_UNSUPPORTED)
  }

  @Test func takingAndAddingAlongADimension() {
    var random = TestRandom(state: 14)
    for (outer, n, k, inner) in [(1, 1, 1, 1), (4, 9, 3, 1), (3, 5, 2, 17), (100, 10, 40, 10)] {
      let src = random.floats(outer * n * inner), updates = random.floats(outer * k * inner)
      let indices = (0..<outer * k * inner).map { _ in Int64(random.integer(0...n - 1)) }
      var taken = [Float](repeating: .nan, count: updates.count), expected = taken
      var sums = src, expectedSums = src
      for p in indices.indices {
        let (o, i) = (p / (k * inner), p % inner)
        let place = (o * n + Int(indices[p])) * inner + i
        expected[p] = src[place]
        expectedSums[place] += updates[p]
      }
      let sizes = (Int64(outer), Int64(n), Int64(k), Int64(inner))
      #expect(
        pk_take_along(&taken, src, indices, PK_I64, sizes.0, sizes.1, sizes.2, sizes.3, 4, PK_BOUNDS_CLAMP, 2)
          == PK_OK)
      #expect(
        pk_add_along(
          &sums, updates, indices, PK_I64, sizes.0, sizes.1, sizes.2, sizes.3, PK_F32, PK_BOUNDS_SKIP, 2)
          == PK_OK)
      #expect(taken == expected && sums == expectedSums)
    }
  }
}
