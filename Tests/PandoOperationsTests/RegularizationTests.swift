import PandoEngine
import PandoIR
import PandoOperations
import PandoTestSupport
import Testing

@Suite struct RegularizationTests {
  private let type = TensorType([4000], .float64)

  @Test func theShareThatIsAskedForIsDropped() throws {
    let y = try dropped(Dropout(probability: 0.3, stream: 0), key: [1, 2])
    let zeros = y.count { $0 == 0 }
    // Five standard deviations of 4,000 draws.
    #expect(abs(Double(zeros) - 1200) < 145)
    #expect(y.allSatisfy { $0 == 0 || abs($0 - 1 / 0.7) < 1e-12 })
  }

  @Test func theEndsDropNothingAndEverything() throws {
    #expect(try dropped(Dropout(probability: 0, stream: 0), key: [1, 2]).allSatisfy { $0 == 1 })
    #expect(try dropped(Dropout(probability: 1, stream: 0), key: [1, 2]).allSatisfy { $0 == 0 })
  }

  @Test func keyAndStreamDecideWhatIsDropped() throws {
    let operation = Dropout(probability: 0.5, stream: 3)
    let y = try dropped(operation, key: [1, 2])
    #expect(try dropped(operation, key: [1, 2]) == y)
    #expect(try dropped(operation, key: [1, 3]) != y)
    #expect(try dropped(operation, key: [2, 2]) != y)
    #expect(try dropped(Dropout(probability: 0.5, stream: 4), key: [1, 2]) != y)
  }

  @Test func errorsSayWhatToDo() {
    let (x, key) = (TensorType([2]), TensorType([2], .int64))
    #expect(message(Dropout(probability: 1.5, stream: 0), x, key).contains("from 0 to 1, got 1.5"))
    #expect(message(Dropout(probability: 0.5, stream: 0), x, x).contains("seed and step"))
    #expect(message(Dropout(probability: 0.5, stream: -1), x, key).contains("the stream must be from 0"))
  }

  private func dropped(_ operation: Dropout, key: [Int64]) throws -> [Double] {
    let ones = ReferenceTensor(type, reals: [Double](repeating: 1, count: type.count))
    let key = ReferenceTensor(TensorType([2], .int64), integers: key)
    return try ReferenceEngine.evaluate(operation, [ones, key])[0].doubles
  }
}
