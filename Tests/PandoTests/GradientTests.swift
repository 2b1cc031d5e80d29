import Pando
import Testing

@Suite struct GradientTests {
  @Test func gradientsOfWhatItIsComputedFrom() throws {
    let x = Tensor([1, 2, 3])
    let y = Tensor([4, 5, 6])
    let gradients = try gradient(of: (x * y + x).sum(), at: [x, y])
    #expect(try gradients[0].floats() == [5, 6, 7])
    #expect(try gradients[1].floats() == [1, 2, 3])
  }

  @Test func gradientsOfGradients() throws {
    let x = Tensor([2, -1])
    let first = try gradient(of: (x * x * x).sum(), at: x)
    let second = try gradient(of: first.sum(), at: x)
    #expect(try second.floats() == [12, -6])
  }

  @Test func anIntermediateTensorCanBeAskedFor() throws {
    let x = Tensor([1, 2])
    let squared = x * x
    #expect(try gradient(of: (squared * 3).sum(), at: squared).floats() == [3, 3])
  }

  /// A loss and its gradient in one program have one forward pass, not two to be merged later.
  @Test func gradientsShareTheForwardPass() throws {
    let (x, w) = (
      Tensor.placeholder("x", TensorType([2, 3])), Tensor.placeholder("w", TensorType([3, 4]))
    )
    let loss = tanh(matmul(x, w)).sum()
    let slope = try gradient(of: loss, at: w)
    let program = try Program([loss, slope], inputs: [x, w], on: .reference)
    let products = program.graph.nodes.filter { type(of: $0.operation).name == "contraction" }
    #expect(products.count == 2)
  }

  @Test func onlyScalarsHaveGradients() {
    let x = Tensor([1, 2])
    #expect(throws: TypeError.self) { try gradient(of: x * 2, at: x) }
  }

  @Test func descentFindsTheMinimum() throws {
    var x = Tensor([5, -3])
    for _ in 0..<60 {
      let slope = try gradient(of: ((x - 1) * (x - 1)).sum(), at: x)
      x = Tensor(try (x - slope * 0.2).buffer())
    }
    #expect(try x.floats().allSatisfy { abs($0 - 1) < 1e-4 })
  }
}
