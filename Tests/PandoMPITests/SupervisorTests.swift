import Foundation
import PandoMPI
import Synchronization
import Testing

/// Runs whose ranks die, hang or are stopped.
@Suite(.enabled(if: OpenMPI.isInstalled, "Open MPI is not installed"), .serialized)
struct SupervisorTests {
  private func supervise(
    _ folder: TemporaryFolder, _ limits: Supervisor.Limits, ranks: Int = 2,
    shouldStop: () -> Bool = { false }
  ) throws -> (Supervisor.Outcome, [String]) {
    let launcher = Fixture.launcher(ranks, "work", folder)
    var notes: [String] = []
    let outcome = try Supervisor(launcher, limits: limits).run(
      arguments: { _ in launcher.arguments }, progress: { step(folder) }, shouldStop: shouldStop,
      note: { notes.append($0) })
    return (outcome, notes)
  }

  private func step(_ folder: TemporaryFolder) -> Int {
    let text = try? String(contentsOf: folder.url.appendingPathComponent("step"), encoding: .utf8)
    return text.flatMap { Int($0) } ?? 0
  }

  @Test func aKilledRankIsReplaced() throws {
    let folder = try TemporaryFolder()
    try folder.write("fault", "once")
    let (outcome, notes) = try supervise(folder, Supervisor.Limits(maxRestarts: 2))
    #expect(outcome == .finished(restarts: 1))
    #expect(step(folder) == 40)
    #expect(notes.count == 1 && notes[0].hasPrefix("rank 1 on "), "\(notes)")
    #expect(
      notes.first?.hasSuffix(
        "ended by signal 9 (Killed); starting again from the last checkpoint with 2 ranks, restart 1 of 2")
        == true, "\(notes)")
  }

  @Test func withoutRestartsTheRankIsNamed() throws {
    let folder = try TemporaryFolder()
    try folder.write("fault", "always")
    let (outcome, notes) = try supervise(folder, Supervisor.Limits())
    guard case .failed(137, let text) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect(text.hasPrefix("rank 1 on ") && text.hasSuffix("ended by signal 9 (Killed)"), "\(text)")
    #expect(notes.isEmpty)
  }

  @Test func aRankThatCannotBeReplacedIsLeftOut() throws {
    let folder = try TemporaryFolder()
    try folder.write("fault", "always")
    // The fault kills whichever rank is last, so that it goes on only once the fault is taken away: at one rank.
    let launcher = Fixture.launcher(2, "work", folder)
    var notes: [String] = []
    let outcome = try Supervisor(launcher, limits: Supervisor.Limits(maxRestarts: 5, minRanks: 1)).run(
      arguments: { restarts in
        if restarts == 2 {
          try? FileManager.default.removeItem(at: folder.url.appendingPathComponent("fault"))
        }
        return launcher.arguments
      }, progress: { 0 }, shouldStop: { false }, note: { notes.append($0) })
    #expect(outcome == .finished(restarts: 2))
    #expect(notes.map { $0.contains("with 2 ranks") } == [true, false], "\(notes)")
    #expect(notes.last?.contains("with 1 rank, restart 2 of 5") == true, "\(notes)")
  }

  @Test func askedToStopTheRanksWriteACheckpoint() throws {
    let folder = try TemporaryFolder()
    let (outcome, _) = try supervise(folder, Supervisor.Limits(), shouldStop: { step(folder) >= 3 })
    #expect(outcome == .stopped)
    #expect((3..<40).contains(step(folder)))
  }

  /// `kill -9` of the supervisor itself: nothing stays behind.
  @Test func nothingStaysBehind() throws {
    let folder = try TemporaryFolder()
    let (_, text) = try Fixture.shell(
      """
      program=$(realpath "$PANDO")
      "$program" ranks --ranks 2 & main=$!
      for turn in $(seq 500); do
        ranks=$(pgrep -f "^$program ranks --ranks 2$" | grep -vx $main)
        [[ $(wc -w <<<"$ranks") -ge 2 ]] && break
        sleep 0.01
      done
      sleep 0.2
      scratch=$(tr '\\0' '\\n' </proc/${ranks%%$'\\n'*}/environ | sed -n 's/^OMPI_MCA_orte_tmpdir_base=//p')
      [[ -n $(ls "$scratch") ]] || echo "no files"
      all="$ranks $(pgrep -P $main)"
      kill -9 $main
      for turn in $(seq 100); do
        left=
        for process in $all; do [[ -d /proc/$process ]] && left="$left $process"; done
        [[ -z $left && ! -e $scratch ]] && break
        sleep 0.1
      done
      echo "left:$left"
      [[ ! -e $scratch ]] || echo "files: $(ls "$scratch")"
      """, in: folder)
    #expect(text.contains("left:\n") && !text.contains("files"), "\(text)")
  }
}
