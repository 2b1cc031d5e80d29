import PandoEngine
import PandoIR
import Testing

/// Collectives of threads against plain loops over all ranks' numbers.
@Suite struct CollectiveTests {
  /// Whole numbers that every type holds and that differ between ranks and places.
  private static func value(_ rank: Int, _ index: Int) -> Double { Double((rank * 7 + index * 3) % 5 - 1) }

  private static func tensor(_ count: Int, _ dtype: DType, rank: Int) -> HostBuffer {
    let offset = dtype == .uint8 || dtype == .bool ? 1.0 : 0
    return HostBuffer(
      TensorType([count], dtype), doubles: (0..<count).map { value(rank, $0) + offset })
  }

  private static func plain(_ kind: ReductionKind, _ values: [Double]) -> Double {
    switch kind {
    case .sum: values.reduce(0, +)
    case .product: values.reduce(1, *)
    case .maximum: values.max()!
    case .minimum: values.min()!
    }
  }

  @Test(arguments: 1...8, DType.allCases)
  func allReduce(size: Int, dtype: DType) throws {
    let kinds: [ReductionKind] = dtype == .bool ? [.maximum, .minimum] : ReductionKind.allCases
    // The products of more ranks would leave the small integers' range.
    for kind in kinds where kind != .product || size <= 2 {
      for count in [0, 1, 3, 8, 1031, 4099] {
        let results = try InProcessCommunicator.run(size) { ranks in
          let tensor = Self.tensor(count, dtype, rank: ranks.rank)
          try ranks.allReduce(tensor.mutableBytes, of: dtype, kind, label: "x")
          return tensor.doubles
        }
        let inputs = (0..<size).map { Self.tensor(count, dtype, rank: $0).doubles }
        let expected = (0..<count).map { index in Self.plain(kind, inputs.map { $0[index] }) }
        for result in results { #expect(result == expected, "\(kind) of \(count)") }
      }
    }
  }

  /// With numbers whose sum depends on the order, all ranks and all runs agree, and the order is the documented one.
  @Test func orderIsATreeOverRanks() throws {
    let x: [Float] = [1e8, 1, -1e8, 3, 1e-3, 7, 0.1]
    func reduce() throws -> [[Float]] {
      try InProcessCommunicator.run(7) { ranks in
        let tensor = HostBuffer(TensorType([1]), [x[ranks.rank]])
        try ranks.allReduce(tensor.mutableBytes, of: .float32, label: "x")
        return tensor.elements(as: Float.self)
      }
    }
    let expected = ((x[0] + x[1]) + (x[2] + x[3])) + ((x[4] + x[5]) + x[6])
    for _ in 0..<20 { #expect(try reduce() == Array(repeating: [expected], count: 7)) }
  }

  @Test func bfloat16IsRoundedOnce() throws {
    // 256 + 1 is 256 in bfloat16, 256 + 1 + 1 + 1 + 1 is 260.
    let results = try InProcessCommunicator.run(5) { ranks in
      let tensor = HostBuffer(TensorType([3], .bfloat16), doubles: [ranks.rank == 0 ? 256 : 1, .nan, 0.5])
      try ranks.allReduce(tensor.mutableBytes, of: .bfloat16, label: "x")
      return tensor.doubles
    }
    for result in results { #expect(result[0] == 260 && result[1].isNaN && result[2] == 2.5) }
  }

  @Test func notANumberWins() throws {
    for kind in [ReductionKind.maximum, .minimum] {
      for place in 0..<3 {
        let results = try InProcessCommunicator.run(3) { ranks in
          let tensor = HostBuffer(TensorType([1]), doubles: [ranks.rank == place ? .nan : Double(ranks.rank)])
          try ranks.allReduce(tensor.mutableBytes, of: .float32, kind, label: "x")
          return tensor.doubles
        }
        for result in results { #expect(result[0].isNaN) }
      }
    }
  }

  @Test(arguments: 1...8)
  func reduceScatterAndAllGatherMakeAnAllReduce(size: Int) throws {
    let part = 1033
    let results = try InProcessCommunicator.run(size) { ranks in
      let whole = HostBuffer(
        TensorType([size * part]), doubles: (0..<size * part).map { 1 / Double($0 + ranks.rank + 1) })
      let (own, gathered) = (HostBuffer(TensorType([part])), HostBuffer(TensorType([size * part])))
      try ranks.reduceScatter(whole.bytes, into: own.mutableBytes, of: .float32, label: "x")
      try withExtendedLifetime(own) {
        try ranks.allGather(own.bytes, into: gathered.mutableBytes, label: "x")
      }
      try ranks.allReduce(whole.mutableBytes, of: .float32, label: "x")
      return (gathered.elements(as: Float.self), whole.elements(as: Float.self))
    }
    for (gathered, whole) in results {
      #expect(gathered == whole)
      #expect(whole == results[0].1)
    }
  }

  @Test(arguments: 1...8)
  func movesWhatItShould(size: Int) throws {
    let part = 5
    let results = try InProcessCommunicator.run(size) { ranks in
      let sent = HostBuffer(
        TensorType([size * part], .int32),
        doubles: (0..<size * part).map { Double(100 * ranks.rank + $0) })
      let (exchanged, inPlace) = (HostBuffer(sent.type), HostBuffer(sent.type))
      try ranks.allToAll(sent.bytes, into: exchanged.mutableBytes, label: "x")
      let mine = ranks.rank * part * 4..<(ranks.rank + 1) * part * 4
      inPlace.mutableBytes[mine].copyBytes(from: sent.bytes[mine])
      try ranks.allGather(
        UnsafeRawBufferPointer(rebasing: inPlace.bytes[mine]), into: inPlace.mutableBytes, label: "x")
      try ranks.broadcast(sent.mutableBytes, from: size - 1, label: "x")
      try ranks.barrier(label: "the end")
      return [exchanged.doubles, inPlace.doubles, sent.doubles]
    }
    for (rank, result) in results.enumerated() {
      #expect(result[0] == (0..<size * part).map { Double(100 * ($0 / part) + rank * part + $0 % part) })
      #expect(result[1] == (0..<size * part).map { Double(100 * ($0 / part) + $0) })
      #expect(result[2] == (0..<size * part).map { Double(100 * (size - 1) + $0) })
    }
  }
}
