extension Recipe {
  /// The parts into which a reproducible run divides each batch, whoever computes them.
  ///
  /// - Throws: `RecipeError` where `parallel.shards` does not divide the batch.
  func shardsPerBatch() throws -> Int {
    let batch = data.batch
    guard let shards = parallel.shards else {
      return (1...16).last { batch.isMultiple(of: $0) } ?? 1
    }
    guard batch.isMultiple(of: shards) else {
      let divisors = (1...batch).filter { batch.isMultiple(of: $0) }
      let nearest = divisors.min { abs($0 - shards) < abs($1 - shards) } ?? 1
      throw RecipeError(
        keyPath: "parallel.shards",
        message: "\(shards) does not divide data.batch, \(batch); the nearest that does is \(nearest)")
    }
    return shards
  }
}
