import PandoTraining
import Testing

@Suite struct ReductionTreeTests {
  /// Adds by nested text, so that the order shows.
  private func text(_ tree: ReductionTree, workers: Int) -> [String] {
    var all = ReductionTree.Gathering<String>(tree)
    for worker in 0..<workers {
      var own = ReductionTree.Gathering<String>(tree)
      for part in tree.range(of: worker, among: workers) {
        own.push(.leaf(part), "\(part)") { "(\($0)+\($1))" }
      }
      for (node, value) in own.waiting { all.push(node, value) { "(\($0)+\($1))" } }
    }
    return all.waiting.map(\.value)
  }

  @Test func fivePartsAddUpInPairs() {
    #expect(text(ReductionTree(parts: 5), workers: 1) == ["(((0+1)+(2+3))+4)"])
    #expect(text(ReductionTree(parts: 1), workers: 1) == ["0"])
  }

  @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8, 12, 13, 16, 31])
  func orderIsTheSameForAnyNumberOfWorkers(parts: Int) {
    let tree = ReductionTree(parts: parts)
    let alone = text(tree, workers: 1)
    #expect(alone.count == 1)
    for workers in 1...parts { #expect(text(tree, workers: workers) == alone, "\(workers) workers") }
  }

  @Test func everyPartHasOneWorker() {
    let tree = ReductionTree(parts: 16)
    for workers in 1...16 {
      let parts = (0..<workers).flatMap { Array(tree.range(of: $0, among: workers)) }
      #expect(parts == Array(0..<16))
    }
  }

  @Test func depthCountsWhatIsHeldAtOnce() {
    let tree = ReductionTree(parts: 8)
    // After seven parts, sums of four, of two and of one wait, and the eighth part comes.
    #expect(tree.depth(of: 0..<8) == 4)
    #expect(tree.nodes(of: 0..<8) == [tree.root])
    #expect(tree.nodes(of: 1..<4).map(\.level) == [0, 1])
  }
}
