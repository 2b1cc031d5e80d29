import PandoOperations

/// Which elements a window meets at each of its places; those in the padding are left out.
struct WindowMeetings {
  /// An element of the window, and the element of the input that it meets: linear indices over the spatial dimensions.
  typealias Meeting = (window: Int, input: Int)

  /// For each place in row-major order, what the window meets there, in the window's row-major order.
  let places: [[Meeting]]
  /// How many elements a window and an input have.
  let windowCount: Int, inputCount: Int

  init(input: [Int], window: [Int], output: [Int], strides: [Int], low: [Int], dilation: [Int]? = nil) {
    let inside = (0..<window.reduce(1, *)).map { Indexing.coordinates($0, window) }
    places = (0..<output.reduce(1, *)).map { place in
      let start = zip(Indexing.coordinates(place, output), zip(strides, low)).map { $0 * $1.0 - $1.1 }
      return inside.enumerated().compactMap { index, offset in
        let met = offset.indices.map { start[$0] + offset[$0] * (dilation?[$0] ?? 1) }
        guard zip(met, input).allSatisfy({ $0 >= 0 && $0 < $1 }) else { return nil }
        return (index, Indexing.linear(met, input))
      }
    }
    windowCount = inside.count
    inputCount = input.reduce(1, *)
  }
}
