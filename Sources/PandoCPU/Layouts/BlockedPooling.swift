import CPandoKernels
import PandoEngine
import PandoIR
import PandoOperations

/// A pooling, or the gradient of one, of channels in blocks. Operands and results are those of the plain operation.
struct BlockedPooling: EngineOperation {
  static let name = "blocked_pooling"
  static let operandCount: Int? = nil

  /// What is computed.
  enum Function: String, Hashable, Sendable, Codable {
    case maximum, maximumGradient, sum, sumGradient
  }

  let function: Function
  let window: PoolingWindow
  let block: Int
  /// The plain types of what is pooled and of what it is pooled to.
  let x, y: TensorType

  private var types: (operands: [TensorType], result: TensorType) {
    switch function {
    case .maximum, .sum: ([x], y)
    case .maximumGradient: ([x, y], x)
    case .sumGradient: ([y], x)
    }
  }

  /// The operation in place of a plain one; `nil` where the kernels do not know it.
  init?(_ function: Function, _ window: PoolingWindow, x: TensorType, y: TensorType, block: Int?) {
    guard let block, block.isMultiple(of: 8), window.isFlat, x.dtype == .float32 else { return nil }
    self.function = function
    self.window = window
    self.block = block
    self.x = x
    self.y = y
  }

  func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let layout = TensorLayout.blocked(block)
    let expected = types.operands.map { layout.type($0) }
    guard operands == expected else { throw TypeError(self, "takes \(expected), got \(operands)") }
    return [layout.type(types.result)]
  }

  func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    Cost(flops: y.count * window.count, operands: operands, results: results)
  }

  func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    var sizes = window.kernel(x: x, y: y)
    sizes.planes /= Int64(block)
    let (function, lanes, dtype, threads) = (function, Int64(block), x.dtype.kernel, Int32(threads))
    return Kernel { [sizes] pointers in
      Int32(
        withUnsafePointer(to: sizes) { sizes in
          switch function {
          case .maximum: pk_block_max_pool(pointers[1], pointers[0], sizes, lanes, dtype, threads)
          case .maximumGradient:
            pk_block_max_pool_backward(pointers[2], pointers[1], pointers[0], sizes, lanes, dtype, threads)
          case .sum: pk_block_sum_pool(pointers[1], pointers[0], sizes, lanes, dtype, threads)
          case .sumGradient:
            pk_block_sum_pool_backward(pointers[1], pointers[0], sizes, lanes, dtype, threads)
          }
        }.rawValue)
    }
  }

  fileprivate func arrangement() -> Arrangement {
    Arrangement(
      self, operands: types.operands.map { _ in .blocked(block) }, results: [.blocked(block)])
  }
}

extension MaxPool: LayoutArranging {
  package func arrangement(_ node: Node, _ surroundings: Surroundings) -> Arrangement? {
    BlockedPooling(
      .maximum, window, x: node.operands[0].type, y: node.results[0].type, block: surroundings.homes[0].block)?
      .arrangement()
  }
}

extension MaxPoolGradient: LayoutArranging {
  package func arrangement(_ node: Node, _ surroundings: Surroundings) -> Arrangement? {
    BlockedPooling(
      .maximumGradient, window, x: node.operands[0].type, y: node.operands[1].type,
      block: surroundings.block(of: [0, 1]))?.arrangement()
  }
}

extension SumPool: LayoutArranging {
  package func arrangement(_ node: Node, _ surroundings: Surroundings) -> Arrangement? {
    BlockedPooling(
      .sum, window, x: node.operands[0].type, y: node.results[0].type, block: surroundings.homes[0].block)?
      .arrangement()
  }
}

extension SumPoolGradient: LayoutArranging {
  package func arrangement(_ node: Node, _ surroundings: Surroundings) -> Arrangement? {
    BlockedPooling(
      .sumGradient, window, x: node.results[0].type, y: node.operands[0].type,
      block: surroundings.homes[0].block)?.arrangement()
  }
}
