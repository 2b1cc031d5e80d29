extension Recipe {
  /// Checks that a batch can be shared by so many ranks.
  ///
  /// - Throws: `RecipeError` where there are fewer samples than ranks.
  public func requireSamples(forRanks ranks: Int) throws(RecipeError) {
    guard !reproducible, data.batch < ranks else { return }
    throw RecipeError(
      keyPath: "data.batch",
      message:
        "\(data.batch) sample\(data.batch == 1 ? "" : "s") cannot be shared by \(ranks) ranks; raise it to at least "
        + "\(ranks), or use fewer ranks")
  }
}
