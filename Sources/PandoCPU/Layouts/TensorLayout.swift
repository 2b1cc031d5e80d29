import PandoIR

/// How the elements of a tensor lie in memory, where that is not in the order of its dimensions.
///
/// A value that lies in another layout is an ordinary tensor of another type, whose elements are in order.
package enum TensorLayout: Hashable, Sendable, Codable {
  /// In the order of the dimensions.
  case plain
  /// [N, C, spatial…] as [N, C / block, spatial…, block]; with one block for all channels this is channels-last.
  case blocked(Int)
  /// Weights in the order in which a convolution of the library reads them.
  indirect case packed(PackedWeights)

  /// The type of a value whose plain type is `plain`.
  func type(_ plain: TensorType) -> TensorType {
    switch self {
    case .plain: plain
    case .blocked(let block):
      plain.with(
        shape: [plain.shape[0], plain.shape[1] / block] + plain.shape.dropFirst(2) + [block])
    case .packed(let weights): plain.with(shape: [weights.byteCount / plain.dtype.byteCount])
    }
  }

  /// The block of a blocked layout.
  var block: Int? {
    if case .blocked(let block) = self { return block }
    return nil
  }
}

/// The arrangement of a convolution's weights that suits the library.
package struct PackedWeights: Hashable, Sendable, Codable {
  /// A convolution that has them so.
  let convolution: ArrangedConvolution
  /// Equal for equal arrangements, whatever the convolution.
  let key: String
  /// Their size, padding included.
  let byteCount: Int

  package static func == (a: Self, b: Self) -> Bool { a.key == b.key && a.byteCount == b.byteCount }

  package func hash(into hasher: inout Hasher) { hasher.combine(key) }
}
