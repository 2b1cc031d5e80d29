import PandoIR

/// Windows of `context` tokens cut from one long text, each with the tokens that follow.
///
/// Fields: `tokens` (`int32[context]`) and `targets` (`int32[context]`), where `targets[i]` is the token after
/// `tokens[i]`. Windows do not overlap. With `shiftsEachEpoch` the grid of windows moves by a number of tokens that
/// depends on the epoch alone, so that later epochs cut the text elsewhere; epoch 0 is never shifted. A window that
/// would reach past the text's end then starts as far before the end as it must.
public struct TextWindowSource: SampleSource {
  /// How many samples there are.
  public let count: Int
  /// What each sample consists of.
  public let fields: [Field]
  private let tokens: HostArray
  private let context: Int
  private let shiftsEachEpoch: Bool

  /// Cuts `tokens` into windows.
  ///
  /// - Throws: `DataError` where there are not more than `context` tokens, or `context` is not positive.
  public init(_ tokens: [Int32], context: Int, shiftsEachEpoch: Bool = false, place: String = "text") throws {
    guard context > 0 else {
      throw DataError(.invalid, at: place, "cannot be cut into windows of \(context) tokens")
    }
    guard tokens.count > context else {
      throw DataError(
        .invalid, at: place,
        "holds \(tokens.count) tokens, too few for one window of \(context) and its targets",
        mend: "use a shorter context or more text")
    }
    self.tokens = HostArray(tokens)
    self.context = context
    self.shiftsEachEpoch = shiftsEachEpoch
    count = (tokens.count - 1) / context
    fields = [
      Field("tokens", TensorType([context], .int32)), Field("targets", TensorType([context], .int32)),
    ]
  }

  /// Writes one sample; see `SampleSource`.
  public func copySample(
    _ index: Int, epoch: Int, into buffers: UnsafeBufferPointer<UnsafeMutableRawBufferPointer>
  ) {
    precondition(index >= 0 && index < count && buffers.count == 2, "sample or buffers out of range")
    let last = tokens.type.count - 1 - context
    let start = min(index * context + shift(epoch: epoch), last)
    tokens.withUnsafeBytes { bytes in
      guard let source = bytes.baseAddress else { return }
      buffers[0].baseAddress?.copyMemory(from: source + start * 4, byteCount: context * 4)
      buffers[1].baseAddress?.copyMemory(from: source + (start + 1) * 4, byteCount: context * 4)
    }
  }

  /// Multiples of the golden section, as parts of a window: they stay far from one another however many there are.
  private func shift(epoch: Int) -> Int {
    guard shiftsEachEpoch else { return 0 }
    let part = UInt64(truncatingIfNeeded: epoch) &* 0x9E37_79B9_7F4A_7C15
    return Int(part.multipliedFullWidth(by: UInt64(context)).high)
  }
}
