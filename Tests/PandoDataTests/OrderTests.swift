import PandoData
import PandoIR
import Testing

@Suite struct OrderTests {
  /// The vectors that Random123 publishes (`kat_vectors`, philox4x32 10).
  @Test func philoxGivesTheKnownAnswers() {
    let cases: [(SIMD4<UInt32>, SIMD2<UInt32>, SIMD4<UInt32>)] = [
      (
        SIMD4(0, 0, 0, 0), SIMD2(0, 0), SIMD4(0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8)
      ),
      (
        SIMD4(repeating: .max), SIMD2(repeating: .max),
        SIMD4(0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD)
      ),
      (
        SIMD4(0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344), SIMD2(0xA409_3822, 0x299F_31D0),
        SIMD4(0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1)
      ),
    ]
    for (counter, key, words) in cases { #expect(Philox.block(counter: counter, key: key) == words) }
  }

  @Test func everyCountIsPermuted() {
    for count in Array(1...300) + [511, 512, 513, 1000, 1797, 4095, 4096, 4097, 60_000] {
      let permutation = KeyedPermutation(count: count, seed: 5, epoch: 2)
      var seen = [Bool](repeating: false, count: count)
      for index in 0..<count { seen[permutation[index]] = true }
      #expect(seen.allSatisfy { $0 }, "count \(count)")
    }
  }

  @Test func hugeCountsStayInside() {
    let count = Int.max
    let permutation = KeyedPermutation(count: count, seed: 1, epoch: 0)
    let images = (0..<1000).map { permutation[count - 1 - $0] }
    #expect(Set(images).count == 1000)
  }

  @Test func seedsAndEpochsGiveOtherOrders() {
    func order(_ seed: UInt64, _ epoch: Int) -> [Int] {
      let permutation = KeyedPermutation(count: 100, seed: seed, epoch: epoch)
      return (0..<100).map { permutation[$0] }
    }
    let orders = [order(1, 0), order(1, 1), order(2, 0), order(1 << 32, 0), order(1, 1 << 32)]
    #expect(Set(orders).count == orders.count)
    #expect(order(1, 0) == order(1, 0))
  }

  /// Over many keys every index must go to every place about equally often, and neighbours must part.
  @Test(arguments: [3, 10, 50]) func ordersAreEven(count: Int) {
    let keys = 4000
    var hits = [Int](repeating: 0, count: count * count)
    var neighbours = 0
    for key in 0..<keys {
      let permutation = KeyedPermutation(count: count, seed: UInt64(key), epoch: 0)
      for index in 0..<count { hits[index * count + permutation[index]] += 1 }
      if permutation[1] == permutation[0] + 1 { neighbours += 1 }
    }
    // Chi squared of count^2 cells, of which (count - 1)^2 are free; six standard deviations.
    let expected = Double(keys) / Double(count)
    let statistic = hits.reduce(0.0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
    let free = Double((count - 1) * (count - 1))
    #expect(abs(statistic - free) < 6 * (2 * free).squareRoot(), "chi squared \(statistic) of \(free)")
    let share = Double(neighbours) / Double(keys) * Double(count)
    #expect(share < 1 + 6 * (Double(count) / Double(keys)).squareRoot())
  }

  @Test func positionIsOneInteger() {
    let order = SampleOrder(count: 7, seed: 3, shuffle: true)
    #expect(order.epoch(at: 13) == 1 && order.epoch(at: 14) == 2)
    for epoch in 0..<5 {
      #expect(Set((0..<7).map { order.sample(at: epoch * 7 + $0) }) == Set(0..<7))
    }
    let plain = SampleOrder(count: 7, seed: 3, shuffle: false)
    #expect((0..<14).map { plain.sample(at: $0) } == Array(0..<7) + Array(0..<7))
  }
}
