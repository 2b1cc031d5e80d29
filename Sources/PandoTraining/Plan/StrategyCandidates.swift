import Foundation
import Pando

/// Ways of spreading a recipe over so many ranks, of those that people choose between.
public struct StrategyCandidate: Hashable, Sendable {
  /// The recipe's keys.
  public let parallel: Recipe.Parallel

  /// The axes that have more than one rank, with the stage of ZeRO: `data 2 · tensor 2, ZeRO 1`.
  public var name: String { parallel.strategyName }

  /// The recipe spread so.
  public func applied(to recipe: Recipe) -> Recipe {
    var recipe = recipe
    recipe.parallel = parallel
    return recipe
  }

  /// All that are looked at. Stages 1 and 2 of ZeRO are one program, and `data` with stage 3 is `fsdp`.
  ///
  /// Samples go over `data` or `fsdp` or both, beside them tensors, layers or experts. A recipe whose result depends on its
  /// exchanges being as they are has samples alone to spread.
  public static func all(_ recipe: Recipe, ranks: Int) -> [StrategyCandidate] {
    var base = recipe.parallel
    (base.isAutomatic, base.axes, base.zero) = (false, [], nil)
    func candidate(_ axes: [(String, Int)], zero: Int? = nil) -> StrategyCandidate {
      var parallel = base
      parallel.axes = axes.filter { $0.1 > 1 }.map { Recipe.Axis(name: $0.0, size: $0.1) }
      if parallel.axes.isEmpty { parallel.axes = [Recipe.Axis(name: "data", size: 1)] }
      parallel.zero = zero
      return StrategyCandidate(parallel: parallel)
    }
    let samplesAlone = recipe.reproducible || recipe.parallel.changesTraining || recipe.train.accumulate > 1
    guard !samplesAlone, ranks > 1 else { return [candidate([("data", ranks)])] }
    var found = [
      candidate([("data", ranks)]), candidate([("data", ranks)], zero: 1), candidate([("fsdp", ranks)]),
    ]
    let divisors = (2...ranks).filter { ranks.isMultiple(of: $0) }
    for inner in divisors where inner < ranks {
      found.append(candidate([("data", ranks / inner), ("fsdp", inner)]))
    }
    var others = ["tensor"]
    if case .gpt(let gpt) = recipe.model, gpt.experts != nil { others.append("expert") }
    for name in others {
      for inner in divisors {
        found.append(candidate([("data", ranks / inner), (name, inner)]))
        if inner < ranks { found.append(candidate([("fsdp", ranks / inner), (name, inner)])) }
      }
    }
    guard others.count == 1 else { return found }
    for stages in divisors {
      let rest = ranks / stages
      found.append(candidate([("pipeline", stages), ("data", rest)]))
      for tensor in divisors where rest.isMultiple(of: tensor) {
        found.append(candidate([("pipeline", stages), ("data", rest / tensor), ("tensor", tensor)]))
      }
    }
    return found
  }

  /// How far another way is: by which factors its axes differ.
  func distance(to other: Recipe.Parallel) -> Double {
    func size(_ parallel: Recipe.Parallel, _ name: String) -> Double {
      Double(parallel.axes.first { $0.name == name }?.size ?? 1)
    }
    let names = Set((parallel.axes + other.axes).map(\.name))
    let axes = names.reduce(0) { $0 + abs(log2(size(parallel, $1) / max(1, size(other, $1)))) }
    return axes + ((parallel.zero ?? 0) == (other.zero ?? 0) ? 0 : 0.5)
  }
}

extension Recipe.Parallel {
  /// The axes with more than one rank, and the stage of ZeRO: `data 2 · tensor 2, ZeRO 1`.
  public var strategyName: String {
    if isAutomatic { return "auto" }
    let named = axes.filter { $0.size > 1 }.map { "\($0.name) \($0.size)" }
    let stage = zero ?? (axes.contains { $0.name == "fsdp" && $0.size > 1 } ? 3 : 0)
    let zero = stage == 0 ? "" : ", ZeRO \(stage == 2 ? 1 : stage)"
    return (named.isEmpty ? "data" : named.joined(separator: " · ")) + zero
  }

  /// As `--set` takes it: `parallel={axes: {data: 2, tensor: 2}, zero: 1}`.
  public var override: String {
    let axes = axes.map { "\($0.name): \($0.size)" }.joined(separator: ", ")
    return "parallel={axes: {\(axes)}\(zero.map { ", zero: \($0)" } ?? "")}"
  }
}
