import Pando
import Testing

/// Tensors as a user meets them.
@Suite struct TensorTests {
  @Test func arithmeticIsReadBack() throws {
    let x = Tensor([1, 2, 3, 4], shape: [2, 2])
    #expect(try ((x + 1) * x / 2).floats() == [1, 3, 6, 10])
    #expect(try (2 - x).floats() == [1, 0, -1, -2])
    #expect(try exp(Tensor([0])).floats() == [1])
  }

  @Test func shapesAreBroadcastAsNumPyDoes() throws {
    let column = Tensor([10, 20], shape: [2, 1])
    let row = Tensor([1, 2, 3])
    let sum = column + row
    #expect(sum.shape == [2, 3])
    #expect(try sum.floats() == [11, 12, 13, 21, 22, 23])
  }

  @Test func reductions() throws {
    let x = Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3])
    #expect(try x.sum().scalar() == 21)
    #expect(try x.mean([1]).floats() == [2, 5])
    #expect(try x.max([0], keepDimensions: true).floats() == [4, 5, 6])
    #expect(x.max([0], keepDimensions: true).shape == [1, 3])
    #expect(try x.variance().scalar() == 3.5)
    #expect(try x.argmax(-1).doubles() == [2, 2])
  }

  @Test func matrixProducts() throws {
    let a = Tensor([1, 2, 3, 4], shape: [2, 2])
    #expect(try matmul(a, a).floats() == [7, 10, 15, 22])
    let batch = Tensor((0..<8).map(Float.init), shape: [2, 2, 2])
    #expect(try matmul(batch, a).floats() == [3, 4, 11, 16, 19, 28, 27, 40])
    #expect(try einsum("ij,ij->i", a, a).floats() == [5, 25])
  }

  @Test func pieces() throws {
    let x = Tensor((0..<6).map(Float.init), shape: [2, 3])
    #expect(try x.transpose(0, 1).floats() == [0, 3, 1, 4, 2, 5])
    #expect(try x.slice(1, 1..<3).floats() == [1, 2, 4, 5])
    #expect(try concatenate([x, x], 0).shape == [4, 3])
    #expect(try x.reshape(3, -1).shape == [3, 2])
    #expect(try select(x .> 2, x, -x).floats() == [0, -1, -2, 3, 4, 5])
  }

  @Test func aMistakeNamesShapesAndPlace() throws {
    let x = Tensor([1, 2, 3])
    let y = Tensor([1, 2])
    let wrong = matmul(x.reshape(1, 3), y.reshape(1, 2))
    let error = #expect(throws: TypeError.self) { try (wrong + 1).floats() }
    #expect(error?.description.contains("float32[1,3]") == true)
    #expect(error?.description.contains("TensorTests.swift") == true)
    #expect(throws: TypeError.self) { try x.reshape(2, 2).floats() }
    #expect(throws: TypeError.self) { try (x + y).floats() }
  }

  @Test func aPlaceholderHasNoNumbers() {
    let p = Tensor.placeholder("images", TensorType([2]))
    let error = #expect(throws: EngineError.self) { try (p + 1).floats() }
    #expect(error?.description.contains("images") == true)
  }

  @Test func devicesAgree() throws {
    let x = Tensor([0.5, -1, 2, 3], shape: [2, 2])
    func value() -> Tensor { softmax(matmul(x, x), dimension: -1) }
    let cpu = try value().floats(on: .cpu)
    let reference = try value().floats(on: .reference)
    #expect(zip(cpu, reference).allSatisfy { abs($0 - $1) < 1e-6 })
    let error = #expect(throws: EngineError.self) { try Device(named: "cpuu") }
    #expect(error?.description.contains("'cpu'") == true)
  }
}
