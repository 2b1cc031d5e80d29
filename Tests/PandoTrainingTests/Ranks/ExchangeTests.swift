import Pando
import PandoTraining
import Testing

/// The forms in which ranks add up gradients, against what they are meant to compute, done the plain way.
@Suite struct ExchangeTests {
  /// Numbers between -1 and 1 that look random.
  private static func noise(_ count: Int, _ seed: Int) -> [Float] {
    (0..<count).map { place in
      let bits = Philox.block(UInt64(place), stream: 7, step: 0, seed: UInt64(seed))[0]
      return Float(Int32(bitPattern: bits)) * 0x1p-31
    }
  }

  private static let types = [TensorType([6, 9]), TensorType([5]), TensorType([8, 2, 3])]
  private static let names = ["first", "bias", "second"]

  /// What came of several steps on one rank.
  private struct Outcome {
    /// The sum of each step, tensor by tensor, and of the number behind the gradients.
    var sums: [[[Float]]] = []
    var tails: [Float] = []
    /// What is left to be sent after each step.
    var unsent: [[String: [Float]]] = []
    var sentBytes: [Int] = []
  }

  /// Adds up `gradient(rank, step)` in some steps.
  private static func exchange(
    _ form: Recipe.GradientForm, ranks: Int, steps: Int,
    _ gradient: @escaping @Sendable (_ rank: Int, _ step: Int) -> [[Float]]
  ) throws -> [Outcome] {
    try InProcessCommunicator.run(ranks) { communicator in
      let vector = GradientVector(names: names, types: types + [.scalar(.float32)])
      let exchange = try form.makeExchange(vector, communicator, on: .cpu)
      var outcome = Outcome()
      for step in 0..<steps {
        let values = gradient(communicator.rank, step) + [[Float(communicator.rank + 1)]]
        for (view, values) in zip(vector.views, values) {
          values.withUnsafeBytes { view.write(from: $0.baseAddress!) }
        }
        let before = communicator.recorder.sentBytes
        try exchange.sum()
        outcome.sentBytes.append(communicator.recorder.sentBytes - before)
        let views = withExtendedLifetime(vector.buffer) { vector.views.map { $0.elements(as: Float.self) } }
        outcome.sums.append(Array(views.prefix(names.count)))
        outcome.tails.append(views[names.count][0])
        outcome.unsent.append(
          Dictionary(
            uniqueKeysWithValues: exchange.carried.filter { $0.name.hasPrefix("unsent.") }.map {
              (String($0.name.dropFirst("unsent.".count)), $0.buffer.elements(as: Float.self))
            }))
      }
      return outcome
    }
  }

  private static func gradients(_ rank: Int, _ step: Int) -> [[Float]] {
    types.enumerated().map { noise($0.element.count, 100 * rank + 10 * step + $0.offset) }
  }

  /// Whatever has gone out, and whatever is left on the ranks, is all that there was; and every rank got the same.
  private static func expectNothingIsLost(_ outcomes: [Outcome], within tolerance: Double) {
    let first = outcomes[0]
    for outcome in outcomes { #expect(outcome.sums == first.sums && outcome.tails == first.tails) }
    for (place, type) in types.enumerated() {
      for element in 0..<type.count {
        var (given, arrived) = (0.0, 0.0)
        for step in first.sums.indices {
          for rank in outcomes.indices { given += Double(gradients(rank, step)[place][element]) }
          arrived += Double(first.sums[step][place][element])
        }
        for outcome in outcomes {
          arrived += Double(outcome.unsent.last?[names[place]]?[element] ?? 0)
        }
        #expect(abs(given - arrived) < tolerance, "\(names[place])[\(element)]")
      }
    }
    let ranks = outcomes.count
    #expect(first.tails.allSatisfy { $0 == Float(ranks * (ranks + 1) / 2) })
  }

  @Test func wholeGradientsAreAddedUp() throws {
    let outcomes = try Self.exchange(.float32, ranks: 3, steps: 2, Self.gradients)
    Self.expectNothingIsLost(outcomes, within: 1e-6)
  }

  /// Rounded once on each rank and once after the sum, to nearest, ties to even.
  @Test func roundedGradientsAreRoundedTwice() throws {
    func rounded(_ value: Float) -> Float {
      let (low, high) = (value.bitPattern & 0xFFFF, value.bitPattern & 0xFFFF_0000)
      let up = low > 0x8000 || low == 0x8000 && high & 0x1_0000 != 0
      return Float(bitPattern: up ? high &+ 0x1_0000 : high)
    }
    let outcomes = try Self.exchange(.bf16, ranks: 2, steps: 2, Self.gradients)
    let whole = try Self.exchange(.float32, ranks: 2, steps: 2, Self.gradients)
    for step in 0..<2 {
      for place in Self.types.indices {
        let (one, two) = (Self.gradients(0, step)[place], Self.gradients(1, step)[place])
        let expected: [Float] = zip(one, two).map { rounded(rounded($0) + rounded($1)) }
        #expect(outcomes[0].sums[step][place] == expected)
      }
    }
    #expect(outcomes[1].sums == outcomes[0].sums && outcomes[0].tails == [3, 3])
    #expect(outcomes[0].sentBytes[0] < whole[0].sentBytes[0] * 6 / 10)
  }

  /// Each rank's largest elements, found by sorting, with what was left out before.
  @Test func theLargestElementsAreSentAndTheRestIsKept() throws {
    let (ranks, steps, sent) = (3, 5, 11)
    let outcomes = try Self.exchange(
      .topK(
        {
          var topK = Recipe.GradientForm.TopK()
          topK.density = 0.1
          return topK
        }()), ranks: ranks, steps: steps, Self.gradients)
    Self.expectNothingIsLost(outcomes, within: 1e-5)
    var unsent = Array(repeating: Self.types.map { [Float](repeating: 0, count: $0.count) }, count: ranks)
    for step in 0..<steps {
      var sum = Self.types.map { [Float](repeating: 0, count: $0.count) }
      for rank in 0..<ranks {
        for (place, values) in Self.gradients(rank, step).enumerated() {
          for (element, value) in values.enumerated() { unsent[rank][place][element] += value }
        }
        let all = unsent[rank].enumerated().flatMap { tensor in
          tensor.element.enumerated().map { (tensor.offset, $0.offset, $0.element) }
        }
        for (place, element, value) in all.sorted(by: { abs($0.2) > abs($1.2) }).prefix(sent) {
          sum[place][element] += value
          unsent[rank][place][element] = 0
        }
      }
      #expect(outcomes[0].sums[step] == sum, "step \(step)")
    }
    #expect(outcomes[0].sentBytes.allSatisfy { $0 >= sent * 8 * 2 && $0 < sent * 8 * 2 + 128 })
  }

  /// A gradient of low rank arrives whole, however it is spread over the ranks; what is no matrix always does.
  @Test func gradientsOfLowRankArriveWhole() throws {
    let outcomes = try Self.exchange(.powerSGD(Self.power(2)), ranks: 2, steps: 1) { rank, _ in
      let (left, right) = (Self.noise(12, 1), Self.noise(18, 2))
      let whole = (0..<54).map { element -> Float in
        let (row, column) = (element / 9, element % 9)
        return left[row] * right[column] + left[6 + row] * right[9 + column]
      }
      let (share, other) = (Self.noise(54, 3), Self.noise(48, 4))
      return [
        zip(whole, share).map { rank == 0 ? $1 : $0 - $1 }, Self.noise(5, rank),
        (0..<48).map { element -> Float in
          rank == 0 ? other[element] : 2 * other[element / 6 * 6] - other[element]
        },
      ]
    }
    let (left, right) = (Self.noise(12, 1), Self.noise(18, 2))
    for element in 0..<54 {
      let (row, column) = (element / 9, element % 9)
      let whole: Float = left[row] * right[column] + left[6 + row] * right[9 + column]
      let arrived: Float = outcomes[0].sums[0][0][element]
      #expect(abs(arrived - whole) < 1e-5)
    }
    let other = Self.noise(48, 4)
    for element in 0..<48 {
      let (arrived, whole): (Float, Float) = (outcomes[0].sums[0][2][element], 2 * other[element / 6 * 6])
      #expect(abs(arrived - whole) < 1e-5)
    }
    let plain: [Float] = zip(Self.noise(5, 0), Self.noise(5, 1)).map { $0 + $1 }
    #expect(outcomes[0].sums[0][1] == plain)
  }

  /// Steps of the paper's algorithm, in Double: the left factor of the sum is made orthonormal, the sum is projected on
  /// it, and what is missed stays on its rank.
  @Test func powerIterationsAreThoseOfThePaper() throws {
    let (ranks, steps, rank) = (3, 4, 1)
    let outcomes = try Self.exchange(.powerSGD(Self.power(rank)), ranks: ranks, steps: steps, Self.gradients)
    Self.expectNothingIsLost(outcomes, within: 1e-4)
    var unsent = Array(repeating: [Double](repeating: 0, count: 54), count: ranks)
    var direction: [Double]?
    for step in 0..<steps {
      for number in 0..<ranks {
        for (element, value) in Self.gradients(number, step)[0].enumerated() {
          unsent[number][element] += Double(value)
        }
      }
      let sum = (0..<54).map { element -> Double in unsent.reduce(0.0) { $0 + $1[element] } }
      defer {
        // Where the first step began is the exchange's own; after that it is the right factor of the step before.
        let arrived = outcomes[0].sums[step][0].map(Double.init)
        let row = arrived.indices.max { abs(arrived[$0]) < abs(arrived[$1]) }! / 9
        direction = (0..<9).map { arrived[row * 9 + $0] }
        for number in 0..<ranks {
          unsent[number] = outcomes[number].unsent[step]["first"]!.map(Double.init)
        }
      }
      guard let direction else { continue }
      var left = (0..<6).map { row -> Double in
        (0..<9).reduce(0.0) { $0 + sum[row * 9 + $1] * direction[$1] }
      }
      let norm = left.reduce(0) { $0 + $1 * $1 }.squareRoot()
      left = left.map { $0 / norm }
      let right = (0..<9).map { column -> Double in
        (0..<6).reduce(0.0) { $0 + sum[$1 * 9 + column] * left[$1] }
      }
      for element in 0..<54 {
        let expected: Double = left[element / 9] * right[element % 9]
        let arrived = Double(outcomes[0].sums[step][0][element])
        #expect(abs(arrived - expected) < 1e-5, "step \(step)")
      }
    }
  }

  private static func power(_ rank: Int) -> Recipe.GradientForm.PowerSGD {
    var power = Recipe.GradientForm.PowerSGD()
    power.rank = rank
    return power
  }

  @Test(arguments: [(1000, 1), (1000, 37), (1000, 999), (64, 64), (1, 1)])
  func theLargestAreThoseThatSortingFinds(count: Int, wanted: Int) {
    // Few different magnitudes, so that many are equal, both signs, and zeros.
    let values = Self.noise(count, 5).map { ($0 * 20).rounded() / 20 * ($0 > 0.9 ? 1e-30 : 1) }
    var largest = LargestElements()
    var places = [Int32](repeating: -1, count: wanted)
    values.withUnsafeBufferPointer { values in
      places.withUnsafeMutableBufferPointer {
        largest.find(values, count: wanted, into: $0.baseAddress!)
      }
    }
    let sorted = values.indices.sorted { (abs(values[$0]), $1) > (abs(values[$1]), $0) }
    let expected = sorted.prefix(wanted).sorted().map { Int32($0) }
    #expect(places == expected)
  }

  @Test func columnsBecomeOrthonormal() {
    let (rows, columns) = (7, 4)
    var matrix = Self.noise(rows * columns, 6)
    // The third column is twice the first.
    for row in 0..<rows { matrix[row * columns + 2] = 2 * matrix[row * columns] }
    let before = matrix
    matrix.withUnsafeMutableBufferPointer {
      Orthogonal.columns($0.baseAddress!, rows: rows, columns: columns)
    }
    func product(_ left: [Float], _ i: Int, _ right: [Float], _ j: Int) -> Double {
      (0..<rows).reduce(0) { $0 + Double(left[$1 * columns + i]) * Double(right[$1 * columns + j]) }
    }
    for i in 0..<columns {
      for j in 0..<columns {
        let expected = i == j && i != 2 ? 1.0 : 0
        #expect(abs(product(matrix, i, matrix, j) - expected) < 1e-6)
      }
      // What the columns spanned they still span.
      for row in 0..<rows {
        var projected = 0.0
        for j in 0..<columns {
          projected += product(matrix, j, before, i) * Double(matrix[row * columns + j])
        }
        let original = Double(before[row * columns + i])
        #expect(abs(projected - original) < 1e-5)
      }
    }
  }
}
