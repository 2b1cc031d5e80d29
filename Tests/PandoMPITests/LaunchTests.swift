import Foundation
import PandoMPI
import Testing

/// What is checked before any rank is started.
@Suite struct LaunchTests {
  private func message(_ body: () throws -> Void) -> String {
    do { try body() } catch { return "\(error)" }
    return "no error"
  }

  @Test func hostsAreRead() throws {
    #expect(try Host.list("a,b.c-d:4,10.0.0.1") == [Host("a"), Host("b.c-d", ranks: 4), Host("10.0.0.1")])
    #expect(message { _ = try Host.list("a,,b") }.contains("'' is no host"))
    #expect(message { _ = try Host.list("-oProxyCommand=x") }.contains("is no host"))
    #expect(message { _ = try Host.list("a;reboot") }.contains("is no host"))
    #expect(message { _ = try Host.list("a:0") }.contains("'a:0': the number of ranks"))
    #expect(message { _ = try Host.list("a,a:2") }.contains("a is named twice"))
  }

  @Test func ranksAreSpread() throws {
    #expect(try Host.spread(7, over: [Host("a"), Host("b", ranks: 2), Host("c")]).map(\.ranks) == [2, 2, 3])
    #expect(message { _ = try Host.spread(5, over: [Host("a", ranks: 4)]) }.contains("the hosts take 4"))
    #expect(
      message { _ = try Host.spread(4, over: [Host("a", ranks: 4), Host("b")]) }
        .contains("1 more hosts need at least one each"))
  }

  @Test func whoeverStartedItTheRankIsKnown() {
    #expect(RankEnvironment([:]) == nil)
    #expect(RankEnvironment(["SLURM_PROCID": "0", "SLURM_NTASKS": "4"]) == nil)
    let mpirun = RankEnvironment([
      "OMPI_COMM_WORLD_RANK": "3", "OMPI_COMM_WORLD_SIZE": "8", "OMPI_COMM_WORLD_LOCAL_SIZE": "4",
      "PMIX_RANK": "3",
    ])
    #expect(mpirun?.rank == 3 && mpirun?.size == 8 && mpirun?.localSize == 4)
    let slurm = RankEnvironment([
      "PMIX_RANK": "5", "SLURM_PROCID": "5", "SLURM_STEP_NUM_TASKS": "6",
      "SLURM_STEP_TASKS_PER_NODE": "2(x3)",
    ])
    #expect(slurm?.rank == 5 && slurm?.size == 6 && slurm?.localSize == 2)
    #expect(slurm?.threads(cores: 16, hostCores: 16) == 8)
    #expect(slurm?.threads(cores: 3, hostCores: 16) == 3)
    #expect(mpirun?.threads(cores: 2, hostCores: 2) == 1)
  }

  @Test func withoutMPIItSaysHowToGetIt() {
    let launcher = Launcher(
      ranks: 2, program: "/bin/true", arguments: [], environment: ["PATH": "/nonexistent"])
    #expect(
      message { try launcher.check() }
        == "--ranks 2: there is no mpirun on the PATH; install Open MPI "
        + "(Debian and Ubuntu: sudo apt-get install openmpi-bin), or run on one rank")
  }

  @Test(.enabled(if: OpenMPI.isInstalled, "Open MPI is not installed"))
  func aHostThatDoesNotAnswerIsNamed() throws {
    let folder = try TemporaryFolder()
    try folder.write("agent", "#!/bin/sh\n[ \"$1\" = good ] || { echo \"no route to $1\" >&2; exit 255; }\n")
    chmod(folder.url.appendingPathComponent("agent").path, 0o755)
    var environment = ProcessInfo.processInfo.environment
    environment["OMPI_MCA_plm_rsh_agent"] = folder.url.appendingPathComponent("agent").path
    let launcher = Launcher(
      ranks: 3, hosts: [Host("good"), Host("bad"), Host("worse")], program: "/bin/true", arguments: [],
      environment: environment)
    let text = message { try launcher.check() }
    #expect(
      text.hasPrefix(
        "--hosts: no answer from bad (no route to bad), worse (no route to worse); check that '"),
      "\(text)")
  }

  /// One that neither answers nor refuses, such as an address that swallows packets.
  @Test func aHostThatKeepsSilentIsNamed() throws {
    let folder = try TemporaryFolder()
    try folder.write("agent", "#!/bin/sh\n[ \"$1\" = good ] || sleep 60\n")
    let agent = folder.url.appendingPathComponent("agent").path
    chmod(agent, 0o755)
    let silent = try HostProbe.silent(
      [Host("good"), Host("deaf")], agent: [agent], environment: ["PATH": "/usr/bin:/bin"], seconds: 1)
    #expect(silent.map(\.host.name) == ["deaf"] && silent.map(\.reason) == ["no answer within 1 s"])
  }

  @Test(.enabled(if: OpenMPI.isInstalled, "Open MPI is not installed"))
  func ranksGetTheirShareOfTheCores() throws {
    func command(_ ranks: Int, threads: Int?, cores: Int, of hostCores: Int) throws -> [String] {
      let launcher = Launcher(
        ranks: ranks, threads: threads, program: "/bin/x", arguments: ["y"], cores: cores,
        hostCores: hostCores)
      let command = try launcher.command(scratch: "/tmp", run: "r")
      return [command.environment["OMP_NUM_THREADS"]!] + command.arguments
    }
    #expect(
      try command(2, threads: nil, cores: 8, of: 8)
        == [
          "4", "-n", "2", "--use-hwthread-cpus", "--map-by", "slot:PE=4", "--bind-to", "hwthread", "/bin/x",
          "y",
        ])
    #expect(
      try command(2, threads: nil, cores: 8, of: 16)
        == ["4", "-n", "2", "--bind-to", "none", "--oversubscribe", "/bin/x", "y"])
    #expect(
      try command(3, threads: 2, cores: 4, of: 4)
        == ["2", "-n", "3", "--bind-to", "none", "--oversubscribe", "/bin/x", "y"])
  }
}
