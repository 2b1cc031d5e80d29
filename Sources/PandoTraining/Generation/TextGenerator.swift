import Foundation
import Pando
import PandoData
import PandoNN

/// Writes text with a trained language model, one token after another.
public final class TextGenerator {
  private let vocabulary: TextVocabulary
  private let context: Int
  private let program: ModelProgram

  /// - Parameters:
  ///   - model: maps tokens `[1, context]` to logits `[1, context, vocabulary]`.
  ///   - weights: the buffers of the model's parameters, in its order.
  ///   - precision: what the model was trained with.
  init(
    _ model: any Layer, weights: [(placeholder: Tensor, buffer: HostBuffer)], vocabulary: TextVocabulary,
    context: Int, precision: Recipe.Precision,
    device: Device
  ) throws {
    self.vocabulary = vocabulary
    self.context = context
    program = try ModelProgram(
      model, weights: weights, inputType: TensorType([1, context], .int32), precision: precision,
      device: device)
  }

  /// Goes on from `prompt`.
  ///
  /// - Parameters:
  ///   - count: tokens to write.
  ///   - temperature: divides the logits; 0 always takes the likeliest token.
  ///   - seed: the same seed writes the same text.
  ///   - emit: is given each piece of text as it is written.
  /// - Throws: `DataError` where the prompt has characters that the model has never seen.
  public func generate(
    from prompt: String, count: Int, temperature: Double = 0.8, seed: UInt64 = 1,
    emit: (String) -> Void = { _ in }
  ) throws -> String {
    var history = try vocabulary.encode(prompt)
    // A model has to be given something: a line's end, or the first token there is, stands for an empty prompt.
    if history.isEmpty { history = [(try? vocabulary.encode("\n").first) ?? 0] }
    var text = prompt
    for index in 0..<count {
      let window = Array(history.suffix(context))
      let places = program.input.pointer.assumingMemoryBound(to: Int32.self)
      // What comes after the window does not reach its logits: attention is causal.
      for place in 0..<context { places[place] = place < window.count ? window[place] : 0 }
      try program.run()
      let next = sample(row: window.count - 1, temperature, index, seed)
      history.append(next)
      let piece = try vocabulary.decode([next])
      text += piece
      emit(piece)
    }
    return text
  }

  private func sample(row: Int, _ temperature: Double, _ index: Int, _ seed: UInt64) -> Int32 {
    let size = vocabulary.count
    let row = UnsafeBufferPointer(
      start: program.output.pointer.assumingMemoryBound(to: Float.self) + row * size, count: size)
    let best = row.indices.max { row[$0] < row[$1] } ?? 0
    guard temperature > 0 else { return Int32(best) }
    let weights = row.map { exp((Double($0) - Double(row[best])) / temperature) }
    let words = Philox.block(UInt64(index), stream: 0x67656E, step: 0, seed: seed)
    var rest = Double(words[0]) * 0x1p-32 * weights.reduce(0, +)
    for (token, weight) in weights.enumerated() {
      rest -= weight
      if rest < 0 { return Int32(token) }
    }
    return Int32(best)
  }
}
