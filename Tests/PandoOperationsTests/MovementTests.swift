import PandoEngine
import PandoIR
import PandoOperations
import PandoTestSupport
import Testing

/// Values worked out by hand.
@Suite struct MovementTests {
  @Test func slicesStepOverElements() throws {
    let slice = Slice(starts: [1, 0], limits: [3, 5], strides: [1, 2])
    let y = try evaluated(slice, ([3, 5], (0..<15).map(Double.init)))
    #expect(y == [[5, 7, 9, 10, 12, 14]])
  }

  @Test func paddingGoesAroundAndBetween() throws {
    let y = try evaluated(Pad(low: [1], high: [2], interior: [1]), ([3], [1, 2, 3]), ([], [9]))
    #expect(y == [[9, 1, 9, 2, 9, 3, 9, 9]])
  }

  /// The example of StableHLO's specification with a negative low: cutting applies after what goes between.
  @Test func negativePaddingCutsOff() throws {
    let y = try evaluated(Pad(low: [-1], high: [1], interior: [1]), ([3], [1, 2, 3]), ([], [9]))
    #expect(y == [[9, 2, 9, 3, 9]])
    #expect(
      try evaluated(Pad(low: [-5], high: [4], interior: [0]), ([3], [1, 2, 3]), ([], [9])) == [[9, 9]])
  }

  @Test func joiningKeepsTheOrder() throws {
    let y = try evaluated(Concatenate(1), ([2, 1], [1, 2]), ([2, 2], [3, 4, 5, 6]))
    #expect(y == [[1, 3, 4, 2, 5, 6]])
  }

  @Test func reversingTurnsEachDimension() throws {
    #expect(try evaluated(Reverse([1, 0]), ([2, 3], [1, 2, 3, 4, 5, 6])) == [[6, 5, 4, 3, 2, 1]])
    #expect(try evaluated(Reverse([1]), ([2, 3], [1, 2, 3, 4, 5, 6])) == [[3, 2, 1, 6, 5, 4]])
  }

  @Test func placesAreNumbered() throws {
    #expect(try evaluated(Iota(TensorType([2, 3], .float64), dimension: 1)) == [[0, 1, 2, 0, 1, 2]])
    #expect(try evaluated(Iota(TensorType([2, 3], .int8), dimension: 0)) == [[0, 0, 0, 1, 1, 1]])
    let narrow = try ReferenceEngine.evaluate(Iota(TensorType([258], .uint8), dimension: 0), [])[0]
    #expect(narrow.integers.suffix(3) == [255, 0, 1])
  }

  /// An integer type too narrow for the number of classes must not wrap to a class.
  @Test func oneHotRowsHaveOneOrNone() throws {
    var builder = GraphBuilder()
    let labels = builder.input("labels", TensorType([3], .int8))
    builder.setOutputs([try builder.oneHot(labels, classes: 300, dtype: .float32)])
    let rows = try ReferenceEngine.evaluate(
      builder.graph, [ReferenceTensor(labels.type, integers: [2, -1, 0])])[0]
    #expect(rows.type == TensorType([3, 300]))
    #expect(rows.reals.indices.filter { rows.reals[$0] != 0 } == [2, 600])
    #expect(rows.reals[2] == 1)
  }

  @Test func nothingIsEmittedForTheWhole() throws {
    var builder = GraphBuilder()
    let x = builder.input("x", TensorType([2, 3]))
    #expect(try builder.slice(x, 1, 0..<3) == x)
    #expect(try builder.pad(x, low: [0, 0], high: [0, 0]) == x)
    #expect(try builder.concatenate([x], 0) == x)
    #expect(builder.graph.nodes.isEmpty)
    #expect(try builder.slice(x, 1, 1..<3).type.shape == [2, 2])
    #expect(try builder.pad(x, low: [1, 0], high: [0, 2], value: 3).type.shape == [3, 5])
    #expect(try builder.concatenate([x, x], 1).type.shape == [2, 6])
  }

  @Test func errorsSayWhatToDo() {
    let x = TensorType([2, 3])
    #expect(
      message(Slice(starts: [0, 1], limits: [2, 4], strides: [1, 1]), x)
        .contains("cannot take 1..<4 of dimension 1 of float32[2,3], which has 3"))
    #expect(message(Slice(starts: [0], limits: [2], strides: [1]), x).contains("starts [0] must have one"))
    #expect(
      message(Slice(starts: [0, 2], limits: [2, 0], strides: [1, -1]), x).contains("cannot take 2..<0"))
    #expect(
      message(Slice(starts: [0, 0], limits: [2, 3], strides: [1, -1]), x).contains("reverse goes backwards"))
    #expect(
      message(Pad(low: [0, -2], high: [0, -2], interior: [0, 0]), x, .scalar(.float32))
        .contains("dimension 1 of float32[2,3] cannot be padded by -2 before, -2 after"))
    #expect(
      message(Pad(low: [0, .max], high: [0, .max], interior: [0, 0]), x, .scalar(.float32))
        .contains("too large"))
    #expect(
      message(Pad(low: [0, .min], high: [0, .max], interior: [0, 0]), x, .scalar(.float32))
        .contains("too large"))
    #expect(
      message(Pad(low: [0, 0], high: [0, 0], interior: [0, -1]), x, .scalar(.float32))
        .contains("cannot put -1 elements"))
    #expect(
      message(Pad(low: [0, 0], high: [0, 0], interior: [0, 0]), x, .scalar(.int32))
        .contains("must be float32[] for float32[2,3], got int32[]"))
    #expect(message(Concatenate(0)).contains("at least one operand"))
    #expect(
      message(Concatenate(0), x, TensorType([2, 4]))
        .contains("cannot join float32[2,3] and float32[2,4] along dimension 0"))
    #expect(message(Concatenate(0), x, TensorType([6])).contains("cannot join"))
    #expect(message(Concatenate(0), x, TensorType([2, 3], .int32)).contains("convert one"))
    #expect(message(Concatenate(2), x).contains("no dimension 2"))
    #expect(message(Reverse([1, 1]), x).contains("each once"))
    #expect(message(Iota(TensorType([2], .bool), dimension: 0)).contains("cannot make bool[2]"))
    #expect(message(Iota(TensorType([2]), dimension: 1)).contains("float32[2] has no dimension 1"))
    #expect(message(Iota(TensorType([-2]), dimension: 0)).contains("no type of a tensor"))
  }
}
