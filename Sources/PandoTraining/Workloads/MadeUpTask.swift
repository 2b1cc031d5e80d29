import Pando
import PandoData

extension TrainingTask {
  /// Noise in the shape of `input`, in `classes` classes.
  static func madeUp(input: [Int], classes: Int, count: Int) throws -> TrainingTask {
    let size = input.reduce(1, *)
    let pixels = (0..<count * size).map { index in
      Float(Int32(truncatingIfNeeded: Philox.block(UInt64(index), stream: 1, step: 0, seed: 0)[0])) * 0x1p-30
    }
    let labels = (0..<count).map { Int32($0 % classes) }
    return try TrainingTask(
      .classification(classes: classes, names: nil),
      ArraySource([
        ("input", HostArray(pixels, shape: [count] + input)), ("target", HostArray(labels, shape: [count])),
      ]))
  }

  /// Random letters.
  static func madeUpText(context: Int, vocabulary: Int, count: Int) throws -> TrainingTask {
    let tokens = (0..<count * context).map { index in
      Int32(Philox.block(UInt64(index), stream: 2, step: 0, seed: 0)[0] % UInt32(vocabulary))
    }
    let letters = String(String.UnicodeScalarView((0..<vocabulary).map { UnicodeScalar(UInt8(32 + $0)) }))
    return try TrainingTask(
      .language(TextVocabulary(unit: .character, of: letters)),
      ArraySource([
        ("input", HostArray(tokens, shape: [count, context])),
        ("target", HostArray(tokens.reversed(), shape: [count, context])),
      ]))
  }
}
