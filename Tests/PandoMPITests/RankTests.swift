import Foundation
import PandoEngine
import PandoMPI
import Testing

/// Ranks that are processes, against ranks that are threads and against plain sums.
@Suite(.enabled(if: OpenMPI.isInstalled, "Open MPI is not installed"), .serialized)
struct RankTests {
  /// One run for each way to exchange: the bits that come out are those of threads.
  @Test(arguments: [2, 3], [false, true])
  func exchangesAreRight(size: Int, byMessages: Bool) throws {
    let folder = try TemporaryFolder()
    let expected = try InProcessCommunicator.run(size) { try ExchangeCheck($0).digest }
    #expect(Set(expected).count == 1)
    let (code, text) = try Fixture.shell(
      "$PANDO ranks --ranks \(size) --check --json\(byMessages ? " --messages" : "")", in: folder)
    #expect(code == 0, "\(text)")
    #expect(text.contains("\"\(String(expected[0], radix: 16))\""), "\(text)")
    #expect(text.filter { $0 != " " }.contains("\"sharesMemory\":\(!byMessages)"))
  }

  @Test(.enabled(if: TwoHosts.canBePlayed, "networks cannot be made here"))
  func hostsReachEachOtherByTCP() throws {
    let folder = try TemporaryFolder()
    let expected = try InProcessCommunicator.run(3) { try ExchangeCheck($0).digest }[0]
    let (code, text) = try Fixture.shell(
      "scripts/two-hosts $PANDO ranks --ranks 3 --hosts 10.77.0.1:2,10.77.0.2 --check --json", in: folder)
    #expect(code == 0 && text.contains("\"\(String(expected, radix: 16))\""), "\(text)")
  }

  @Test func differentCallsNameBothRanks() throws {
    let (code, text) = try Fixture.shell(
      "mpirun -n 2 --oversubscribe --bind-to none $FIXTURE mismatch", in: TemporaryFolder())
    #expect(code == 1)
    #expect(
      text.contains(
        "rank 0, step 812, all-reduce of blocks.4.mlp.weight: the ranks do not agree: "
          + "rank 0 calls all-reduce of 4 bytes, float32, sum, rank 1 all-reduce of 8 bytes, float32, sum"),
      "\(text)")
  }

  @Test func anotherRecipeNamesTheRank() throws {
    let (code, text) = try Fixture.shell(
      "mpirun -n 3 --oversubscribe --bind-to none $FIXTURE differ", in: TemporaryFolder())
    #expect(code == 2)
    #expect(text.contains("rank 1 has another recipe than rank 0; start all ranks with the same"), "\(text)")
  }

  @Test func anotherProgramNamesTheRank() throws {
    let (code, text) = try Fixture.shell(
      "cp $FIXTURE $FOLDER/other; echo >>$FOLDER/other; "
        + "mpirun --oversubscribe --bind-to none -n 2 $FIXTURE agree : -n 1 $FOLDER/other agree",
      in: TemporaryFolder())
    #expect(code == 2)
    #expect(text.contains("rank 2 has another program than rank 0; start all ranks with the same"), "\(text)")
  }

  @Test func otherDataNameTheRank() throws {
    let (code, text) = try Fixture.shell(
      "cd $FOLDER; echo 1 >a; echo 2 >b; "
        + "mpirun --oversubscribe --bind-to none -n 1 $FIXTURE agree a : -n 1 $FIXTURE agree b",
      in: TemporaryFolder())
    #expect(code == 2)
    #expect(
      text.contains("rank 1 has another file data than rank 0; give all hosts the same data"), "\(text)")
  }

  @Test func aHangingRankIsNamed() throws {
    let folder = try TemporaryFolder()
    let (code, text) = try Fixture.shell(
      "mpirun -n 2 --oversubscribe --bind-to none $FIXTURE hang $FOLDER", in: folder)
    #expect(code == Supervisor.retryCode)
    let waits = "rank 0, step 812, all-reduce of blocks.4.mlp.weight, waiting 0 s for rank 1"
    #expect(text.contains("warning: \(waits)") && text.contains("the run was given up: \(waits)"), "\(text)")
    let dump = try String(contentsOf: folder.url.appendingPathComponent("rank-0.json"), encoding: .utf8)
    #expect(dump.contains("blocks.4.mlp.weight") && dump.contains("running"))
  }
}
