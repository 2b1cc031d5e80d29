import Foundation
import Pando
import PandoTraining
import Testing

/// Plans of runs on several ranks, made in one process that exchanges nothing.
@Suite struct RanksPlanTests {
  static let device = Device.cpu.with(threads: 1)

  static let meshes: [SpreadTests.Mesh] = [
    SpreadTests.Mesh(axes: [("data", 2)]),
    // Eight samples on three ranks are two kinds of programs.
    SpreadTests.Mesh(axes: [("data", 3)]),
    SpreadTests.Mesh(axes: [("data", 4)], zero: 1),
    SpreadTests.Mesh(axes: [("fsdp", 4)]),
    SpreadTests.Mesh(axes: [("data", 2), ("fsdp", 2), ("tensor", 2)]),
    SpreadTests.Mesh(axes: [("pipeline", 2), ("data", 2)]),
    SpreadTests.Mesh(axes: [("pipeline", 2), ("tensor", 2)]),
  ]

  private static func recipe(_ mesh: SpreadTests.Mesh) -> Recipe {
    var recipe = SpreadTests.recipe(SpreadTests.textRecipe(), on: mesh)
    recipe.train.steps = 3
    return recipe
  }

  /// What a rank of a run has to tell once it is over.
  private struct Seen: Sendable {
    let plan: RunPlan
    let sentBytes: Double
  }

  private static func run(_ recipe: Recipe, ranks: Int) throws -> [Seen] {
    try InProcessCommunicator.run(ranks) { communicator in
      let run = try TrainingRun(
        recipe, task: try SpreadTests.textTask(), device: device, ranks: Ranks(communicator))
      _ = try Trainer(run).train()
      return Seen(plan: run.plan, sentBytes: run.traffic.sentBytesPerStep)
    }
  }

  /// Each rank's memory is what was planned without the others, to the byte, and what the run then takes.
  @Test(arguments: meshes) func everyRankTakesWhatWasPlanned(_ mesh: SpreadTests.Mesh) throws {
    let recipe = Self.recipe(mesh)
    let plan = try RanksPlan(
      recipe, task: try SpreadTests.textTask(), device: Self.device, ranks: mesh.ranks)
    let seen = try Self.run(recipe, ranks: mesh.ranks)
    for rank in 0..<mesh.ranks {
      let planned = plan.plan(of: rank)
      #expect(planned.plannedBytes == seen[rank].plan.plannedBytes, "rank \(rank)")
      #expect(planned.plannedBytes == seen[rank].plan.measuredBytes, "rank \(rank)")
      #expect(planned.parameterBytes == seen[rank].plan.parameterBytes, "rank \(rank)")
      #expect(planned.statePeakBytes == seen[rank].plan.statePeakBytes, "rank \(rank)")
    }
  }

  /// What the plan says is exchanged is what the ranks send.
  @Test(arguments: [meshes[0], meshes[2], meshes[3], meshes[4]])
  func whatIsExchangedIsKnownBefore(_ mesh: SpreadTests.Mesh) throws {
    let recipe = Self.recipe(mesh)
    let plan = try RanksPlan(
      recipe, task: try SpreadTests.textTask(), device: Self.device, ranks: mesh.ranks)
    let planned = plan.exchanges.reduce(0) { $0 + $1.sentBytes }
    let most = try Self.run(recipe, ranks: mesh.ranks).map(\.sentBytes).max() ?? 0
    #expect(planned > 0)
    #expect(abs(planned - most) <= 0.01 * most, "\(planned) planned, \(most) sent")
  }

  /// The time is the sum of its parts, and a faster link or idle cores make it shorter.
  @Test func timeFollowsFromTheMachine() throws {
    let mesh = Self.meshes[3]
    let plan = try RanksPlan(
      Self.recipe(mesh), task: try SpreadTests.textTask(), device: Self.device, ranks: mesh.ranks)
    func link(_ factor: Double) -> LinkTimes {
      let line = LinkTimes.Line(latency: 1e-5 * factor, perByte: 1e-9 * factor)
      return LinkTimes(
        lines: Dictionary(uniqueKeysWithValues: ExchangeKind.allCases.map { ($0, line) }), processBytes: 0)
    }
    let slow = plan.stepTime(on: PlanMachine(link: link(2), cores: 4))
    let fast = plan.stepTime(on: PlanMachine(link: link(1), cores: 4))
    #expect(slow.compute == fast.compute)
    #expect(abs(slow.exchange - 2 * fast.exchange) < 1e-9)
    // By hand: nothing is hidden, so every exchange counts in full.
    let expected = plan.exchanges.reduce(0) {
      $0 + $1.count * link(1).seconds(of: $1.kind, bytes: $1.bytes, ranks: $1.ranks)
    }
    #expect(abs(fast.exchange - expected) < 1e-9)
    let idle = plan.stepTime(on: PlanMachine(link: link(1), cores: 8))
    #expect(idle.exchange < fast.exchange && idle.compute == fast.compute)
    // Two cores for four ranks take twice as long.
    let crowded = plan.stepTime(on: PlanMachine(link: link(1), cores: 2))
    #expect(abs(crowded.seconds - 2 * fast.seconds) < 1e-9)
  }

  @Test func linesOfTheLinkByHand() {
    var link = LinkTimes(lines: [:], processBytes: 0)
    link.lines[.allReduce] = LinkTimes.Line(latency: 2, perByte: 0.5)
    link.lines[.reduceScatter] = LinkTimes.Line(latency: 1, perByte: 0.25)
    #expect(link.seconds(of: .allReduce, bytes: 8, ranks: 1) == 0)
    #expect(link.seconds(of: .allReduce, bytes: 8, ranks: 2) == 2 + 4)
    #expect(link.seconds(of: .allReduce, bytes: 8, ranks: 4) == 4 + 6)
    // A quarter more of the tensor goes to others than between two.
    #expect(link.seconds(of: .reduceScatter, bytes: 8, ranks: 4) == 1 + 8 * 0.25 * 1.5)
    #expect(ExchangeKind.allReduce.sentBytes(8, ranks: 4) == 12)
    #expect(ExchangeKind.allGather.sentBytes(8, ranks: 4) == 6)
  }

  /// A pipeline's step is no shorter than its busiest stage, and as long as the bubble says where stages are alike.
  @Test func aPipelineWaitsForItsBubble() throws {
    let plan = try RanksPlan(
      Self.recipe(SpreadTests.Mesh(axes: [("pipeline", 2)])), task: try SpreadTests.textTask(),
      device: Self.device, ranks: 2)
    let free = LinkTimes.Line(latency: 0, perByte: 0)
    let link = LinkTimes(
      lines: Dictionary(uniqueKeysWithValues: ExchangeKind.allCases.map { ($0, free) }), processBytes: 0)
    let time = plan.stepTime(on: PlanMachine(link: link, cores: 2))
    #expect(time.exchange > 0 && time.exchange < time.compute)
  }

  @Test func parametersAndAxesAreTold() throws {
    let mesh = SpreadTests.Mesh(axes: [("fsdp", 2), ("tensor", 2)])
    let plan = try RanksPlan(
      Self.recipe(mesh), task: try SpreadTests.textTask(), device: Self.device, ranks: 4)
    let up = try #require(plan.parameterSpread.first { $0.name == "blocks.*.mlp.up.weight" })
    #expect(up.count == 2 && up.sharding == "[tensor*fsdp,_]" && up.optimizerSharding == up.sharding)
    #expect(up.dimensions.first == "mlp" && up.bytes == 4 * up.bytesOfRank)
    #expect(plan.strategyText.contains("heads along tensor"))
  }
}

/// Ways of spreading a recipe, compared before any is run.
@Suite struct StrategyTableTests {
  private static func table(
    _ ranks: Int, memory: Int = 1 << 40, _ change: (inout Recipe) -> Void = { _ in }
  ) throws -> (Recipe, StrategyTable) {
    var recipe = SpreadTests.textRecipe()
    recipe.data.source = "made-up"
    recipe.parallel.isAutomatic = true
    change(&recipe)
    let machine = PlanMachine(cores: ranks, memoryBytes: memory)
    return (
      recipe,
      try StrategyTable(
        recipe, task: try SpreadTests.textTask(), device: RanksPlanTests.device, ranks: ranks, on: machine)
    )
  }

  @Test func waysThatGoHaveFiguresAndOthersSayWhy() throws {
    let (_, table) = try Self.table(3)
    let rows = Dictionary(uniqueKeysWithValues: table.rows.map { ($0.name, $0) })
    // Eight samples do not divide over three ranks, nor do four heads; data alone may differ by a sample.
    #expect(rows["data 3"]?.obstacle == nil)
    #expect(rows["tensor 3"]?.obstacle?.contains("nearest sizes that do") ?? false)
    #expect(rows["fsdp 3, ZeRO 3"]?.obstacle?.contains("data.batch") ?? false)
    #expect(table.rows.allSatisfy { ($0.obstacle == nil) == ($0.stepSeconds != nil) })
  }

  @Test func theFastestThatFitsIsTaken() throws {
    let (recipe, table) = try Self.table(4)
    let best = try #require(table.best)
    let seconds = try #require(best.stepSeconds)
    #expect(table.rows.allSatisfy { seconds <= $0.stepSeconds ?? .infinity })
    let (resolved, reason) = try table.resolved(recipe)
    #expect(!resolved.parallel.isAutomatic && reason.contains(best.name))
    #expect(try Recipe(yaml: resolved.yaml).parallel == resolved.parallel)
    #expect(resolved.parallel.strategyName == best.name)
    // What needs more than there is is not taken, and where nothing fits it is said.
    let hosts = table.rows.compactMap(\.hostResidentBytes)
    let least = try #require(hosts.min())
    let (_, tight) = try Self.table(4, memory: least + (1 << 20))
    #expect(tight.rows.contains { $0.obstacle == nil && !$0.fits } || Set(hosts).count == 1)
    let (small, none) = try Self.table(4, memory: 1 << 20)
    #expect(throws: RecipeError.self) { try none.resolved(small) }
  }

  @Test func theNearestWayIsFound() throws {
    var recipe = SpreadTests.textRecipe()
    recipe.parallel.axes = [Recipe.Axis(name: "tensor", size: 8)]
    // Four heads do not go over eight ranks; over four they do.
    let near = StrategyTable.nearest(
      to: recipe, task: try SpreadTests.textTask(), device: RanksPlanTests.device, ranks: 8)
    #expect(near?.name == "data 2 · tensor 4")
    #expect(near?.parallel.override == "parallel={axes: {data: 2, tensor: 4}}")
  }

  @Test func samplesAloneAreSpreadWhereTheResultDependsOnIt() {
    var recipe = SpreadTests.textRecipe()
    recipe.reproducible = true
    #expect(StrategyCandidate.all(recipe, ranks: 4).map(\.name) == ["data 4"])
    recipe.reproducible = false
    let names = StrategyCandidate.all(recipe, ranks: 8).map(\.name)
    #expect(Set(names).count == names.count)
    #expect(names.contains("data 4 · tensor 2") && names.contains("pipeline 2 · data 2 · tensor 2"))
  }

  @Test func automaticIsAWordOfTheRecipe() throws {
    let yaml = """
      name: a
      data: {source: digits, batch: 8}
      model: {kind: mlp, hidden: [4]}
      train: {steps: 1}
      """
    let recipe = try Recipe(yaml: yaml + "\nparallel: auto")
    #expect(recipe.parallel.isAutomatic && recipe.yaml.contains("parallel: auto"))
    #expect(try Recipe(yaml: recipe.yaml) == recipe)
    let over = try Recipe(yaml: yaml + "\nparallel: auto", overrides: ["parallel.axes.data=2"])
    #expect(!over.parallel.isAutomatic && over.parallel.axes == [Recipe.Axis(name: "data", size: 2)])
    #expect(try Recipe(yaml: yaml, overrides: ["parallel=auto"]).parallel.isAutomatic)
    do {
      _ = try Recipe(yaml: yaml + "\nparallel: best")
      Issue.record("'best' is no way of spreading")
    } catch { #expect(error.description.contains("expected auto")) }
    // It has to be found before a run of several ranks is made.
    let task: @Sendable () throws -> TrainingTask = { try SpreadTests.textTask() }
    var text = SpreadTests.textRecipe()
    text.parallel.isAutomatic = true
    let final = text
    #expect(throws: RecipeError.self) { try SpreadTests.train(final, task, ranks: 2) }
  }

  @Test func theFirstRanksTextIsEveryRanks() throws {
    let texts = try InProcessCommunicator.run(3) { communicator in
      try Ranks(communicator).sharing(communicator.rank == 0 ? "parallel: größer" : "")
    }
    #expect(texts == Array(repeating: "parallel: größer", count: 3))
  }
}
