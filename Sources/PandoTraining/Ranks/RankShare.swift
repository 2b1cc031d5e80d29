/// The samples of each batch that one rank takes: neighbours, as many for each rank as can be.
struct RankShare: Hashable {
  /// Samples of a batch, over all ranks.
  let batch: Int
  let rank: Int
  let ranks: Int

  /// The share of the rank that `ranks` sees itself as.
  init(of batch: Int, _ ranks: Ranks) {
    (self.batch, rank, self.ranks) = (batch, ranks.rank, ranks.count)
  }

  /// Its samples, counted in the batch.
  var range: Range<Int> { batch * rank / ranks..<batch * (rank + 1) / ranks }

  /// What part of the batch that is.
  var fraction: Double { Double(range.count) / Double(batch) }
}
