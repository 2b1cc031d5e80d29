import PandoEngine
import PandoIR
import PandoOperations
import PandoTestSupport
import Testing

/// Values worked out by hand.
@Suite struct OrderingTests {
  @Test func theFirstOfEqualsWins() throws {
    #expect(try evaluated(ArgMax(0), ([5], [1, 3, 0, 3, 0])) == [[1]])
    #expect(try evaluated(ArgMax(0, minimum: true), ([5], [1, 3, 0, 3, 0])) == [[2]])
    #expect(try evaluated(ArgMax(0), ([2], [-0.0, 0])) == [[0]])
    #expect(try evaluated(ArgMax(0, minimum: true), ([2], [0, -0.0])) == [[0]])
    #expect(try evaluated(ArgMax(1), ([2, 3], [1, 2, 3, 6, 5, 4])) == [[2, 0]])
    #expect(try evaluated(ArgMax(0), ([2, 3], [1, 5, 3, 6, 2, 4])) == [[1, 0, 1]])
  }

  @Test func notANumberIsTheLargest() throws {
    #expect(try evaluated(ArgMax(0), ([4], [1, .nan, .infinity, .nan])) == [[1]])
    #expect(try evaluated(ArgMax(0, minimum: true), ([3], [.nan, .infinity, 5])) == [[2]])
    let up = try evaluated(Sort(0), ([4], [.nan, 2, .infinity, 1]))
    #expect(agree(up[0].map { $0.isInfinite ? 99 : $0 }, [1, 2, 99, .nan]))
    #expect(up[1] == [3, 1, 2, 0])
    #expect(try evaluated(Sort(0, descending: true), ([4], [.nan, 2, .infinity, 1]))[1] == [0, 2, 1, 3])
    #expect(try evaluated(TopK(2, dimension: 0), ([4], [1, .nan, 2, .nan]))[1] == [1, 3])
  }

  @Test func equalElementsKeepTheirOrder() throws {
    let x: ([Int], [Double]) = ([6], [2, 1, 2, 1, 2, 1])
    #expect(try evaluated(Sort(0), x) == [[1, 1, 1, 2, 2, 2], [1, 3, 5, 0, 2, 4]])
    #expect(try evaluated(Sort(0, descending: true), x) == [[2, 2, 2, 1, 1, 1], [0, 2, 4, 1, 3, 5]])
    #expect(try evaluated(TopK(4, dimension: 0), x) == [[2, 2, 2, 1], [0, 2, 4, 1]])
    #expect(try evaluated(Sort(0), ([2], [0, -0.0]))[1] == [0, 1])
  }

  @Test func linesRunAlongTheDimension() throws {
    let x: ([Int], [Double]) = ([2, 3], [4, 2, 6, 1, 5, 3])
    #expect(try evaluated(Sort(0), x) == [[1, 2, 3, 4, 5, 6], [1, 0, 1, 0, 1, 0]])
    #expect(try evaluated(TopK(1, dimension: 1), x) == [[6, 5], [2, 1]])
    #expect(try evaluated(TopK(1, dimension: 0), x) == [[4, 5, 6], [0, 1, 0]])
  }

  @Test func runningSumsGoBothWays() throws {
    let x: ([Int], [Double]) = ([4], [1, 2, 3, 4])
    #expect(try evaluated(CumulativeSum(0), x) == [[1, 3, 6, 10]])
    #expect(try evaluated(CumulativeSum(0, exclusive: true), x) == [[0, 1, 3, 6]])
    #expect(try evaluated(CumulativeSum(0, reverse: true), x) == [[10, 9, 7, 4]])
    #expect(try evaluated(CumulativeSum(0, reverse: true, exclusive: true), x) == [[9, 7, 4, 0]])
    #expect(try evaluated(CumulativeSum(0), ([2, 2], [1, 2, 3, 4])) == [[1, 2, 4, 6]])
  }

  @Test func errorsSayWhatToDo() {
    let x = TensorType([2, 3])
    #expect(message(ArgMax(2), x).contains("float32[2,3] has no dimension 2"))
    #expect(message(ArgMax(0), TensorType([0, 3])).contains("is empty, and has no largest element"))
    #expect(message(Sort(-1), x).contains("no dimension -1"))
    #expect(
      message(TopK(4, dimension: 1), x)
        .contains("cannot take 4 elements along dimension 1 of float32[2,3]: give 0 to 3"))
    #expect(message(TopK(1, dimension: 0), TensorType([1 << 31], .int8)).contains("int32 can number"))
    #expect(message(CumulativeSum(0), TensorType([2], .bool)).contains("adds numbers, got bool[2]"))
    #expect(message(CumulativeSum(1), TensorType([2])).contains("no dimension 1"))
  }
}
