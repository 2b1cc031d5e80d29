import Foundation
import PandoEngine
import PandoIR
import Synchronization
import Testing

/// What goes on beside the caller, between two ranks, in groups of ranks, and what goes wrong.
@Suite struct RequestTests {
  private static func tensor(_ value: Int, count: Int = 301) -> HostBuffer {
    HostBuffer(TensorType([count]), doubles: Array(repeating: Double(value), count: count))
  }

  @Test(arguments: 1...8)
  func manyAreUnderWayAtOnce(size: Int) throws {
    let sums = try InProcessCommunicator.run(size) { ranks in
      let tensors = (0..<20).map { Self.tensor($0 + ranks.rank) }
      let requests = tensors.enumerated().map { index, tensor in
        ranks.start(
          .allReduce(buffer: tensor.mutableBytes, dtype: .float32, kind: .sum), label: "tensor \(index)")
      }
      let blocking = Self.tensor(1)
      try ranks.allReduce(blocking.mutableBytes, of: .float32, label: "between")
      // Ranks wait in different orders.
      let order = ranks.rank % 2 == 0 ? Array(requests) : requests.reversed()
      for request in order { try request.wait() }
      #expect(requests.allSatisfy { $0.isDone })
      return tensors.map { $0.doubles.last! } + [blocking.doubles[0]]
    }
    let ranksSum = size * (size - 1) / 2
    let expected = (0..<20).map { Double($0 * size + ranksSum) } + [Double(size)]
    for sum in sums { #expect(sum == expected) }
  }

  @Test func groupsDoNotWaitForEachOther() throws {
    // Four ranks as a 2 × 2 mesh; the ranks begin the two axes' collectives in different orders.
    let results = try InProcessCommunicator.run(4) { ranks in
      let rows = try ranks.split(color: ranks.rank / 2)
      let columns = try ranks.split(color: ranks.rank % 2, key: -ranks.rank)!
      #expect(columns.worldRanks == [ranks.rank % 2 + 2, ranks.rank % 2])
      #expect(try ranks.split(color: ranks.rank == 3 ? nil : 0, key: 0)?.size == (ranks.rank == 3 ? nil : 3))
      let (x, y) = (Self.tensor(1 << ranks.rank), Self.tensor(1 << ranks.rank))
      var requests: [any CommunicationRequest] = []
      let starts = [
        { rows.start(.allReduce(buffer: x.mutableBytes, dtype: .float32, kind: .sum), label: "x") },
        { columns.start(.allReduce(buffer: y.mutableBytes, dtype: .float32, kind: .sum), label: "y") },
      ]
      for start in ranks.rank == 0 ? starts : starts.reversed() { requests.append(start()) }
      for request in requests.reversed() { try request.wait() }
      return [x.doubles[7], y.doubles[7]]
    }
    #expect(results == [[3, 5], [3, 10], [12, 5], [12, 10]])
  }

  @Test func messagesGoRoundARing() throws {
    let size = 5
    let results = try InProcessCommunicator.run(size) { ranks in
      var (mine, theirs) = (Self.tensor(ranks.rank), Self.tensor(-1))
      var seen: [Double] = []
      for _ in 0..<size {
        // Receiving first must not keep the rank from sending.
        let receive = ranks.startReceive(
          theirs.mutableBytes, from: (ranks.rank + size - 1) % size, tag: 3, label: "keys")
        try ranks.send(mine.bytes, to: (ranks.rank + 1) % size, tag: 3, label: "keys")
        try receive.wait()
        swap(&mine, &theirs)
        seen.append(mine.doubles[300])
      }
      return seen
    }
    for (rank, seen) in results.enumerated() {
      #expect(seen == (1...size).map { Double((rank - $0 + size) % size) })
    }
  }

  @Test func differentCallsAreAnErrorThatNamesBoth() throws {
    let messages = try InProcessCommunicator.run(3) { ranks in
      let tensor = Self.tensor(0, count: ranks.rank == 1 ? 4 : 3)
      do {
        try ranks.allReduce(tensor.mutableBytes, of: .float32, label: "blocks.4.mlp.weight")
        return "no error"
      } catch { return "\(error)" }
    }
    #expect(
      messages[0] == "rank 0, all-reduce of blocks.4.mlp.weight: the ranks do not agree: "
        + "rank 0 calls all-reduce of 12 bytes, float32, sum, "
        + "rank 1 all-reduce of 16 bytes, float32, sum")
    #expect(messages[1].contains("rank 1 calls all-reduce of 16 bytes"))
  }

  @Test func theRankThatFailsIsNamedToTheOthers() throws {
    struct Broken: Error {}
    let seen = Mutex<[CommunicationError]>([])
    #expect(throws: Broken.self) {
      _ = try InProcessCommunicator.run(3) { ranks in
        ranks.recorder.step = 812
        if ranks.rank == 2 { throw Broken() }
        let tensor = Self.tensor(0)
        let request =
          ranks.rank == 0
          ? ranks.startReceive(tensor.mutableBytes, from: 2, tag: 0, label: "x")
          : ranks.start(.barrier, label: "x")
        do { try request.wait() } catch let error as CommunicationError {
          seen.withLock { $0.append(error) }
          throw error
        }
      }
    }
    let errors = seen.withLock { $0.sorted { $0.rank < $1.rank } }
    #expect(errors.map(\.operation) == ["receive", "barrier"])
    for error in errors {
      #expect(error.step == 812)
      #expect("\(error)".hasSuffix("the run was given up: rank 2 failed: Broken()"))
    }
  }

  @Test func theRecorderSaysWhoIsMissing() throws {
    let ends = InProcessCommunicator.group(of: 2)
    ends[1].recorder.step = 812
    let tensor = Self.tensor(1)
    let request = ends[1].start(
      .allReduce(buffer: tensor.mutableBytes, dtype: .float32, kind: .sum), label: "blocks.4.mlp.weight")
    while ends[1].recorder.waiting(atLeast: 0).first?.waitingFor != [0] { usleep(1000) }
    let entry = ends[1].recorder.waiting(atLeast: 0)[0]
    #expect(
      ends[1].recorder.describe(entry)
        == "rank 1, step 812, all-reduce of blocks.4.mlp.weight, waiting 0 s for rank 0")
    try ends[0].allReduce(tensor.mutableBytes, of: .float32, label: "blocks.4.mlp.weight")
    try request.wait()
    #expect(ends[1].recorder.waiting(atLeast: 0).isEmpty)
    #expect(ends[1].recorder.entries.map(\.state) == [.done])
    #expect(ends[1].recorder.sentBytes == tensor.type.byteCount)
  }

  @Test func theRecorderKeepsTheLast() throws {
    let rank = InProcessCommunicator.group(of: 1)[0]
    for index in 0..<300 { try rank.barrier(label: "\(index)") }
    #expect(rank.recorder.entries.map(\.label) == (44..<300).map(String.init))
  }
}
