import PandoIR

/// Samples of every operation in the catalogue: one file a family, one row a way of calling it.
public enum Samples {
  /// All of them.
  public static let all: [OperationSample] = [
    elementwise, shape, movement, indexing, contraction, convolution, pooling, reduction, ordering, random,
    activation,
    normalization, attention, loss, regularization, update, collective,
  ].flatMap { $0 }
}
