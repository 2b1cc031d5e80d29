import PandoEngine
import PandoIR
import PandoOperations

/// A value in a graph: numbers, a stand-in for numbers to come, or an operation on other tensors.
///
/// Operations only record what is to be done. Reading the numbers (`scalar`, `floats`, …) compiles and runs what they
/// need; `compile` keeps the compiled program for many runs. A wrong shape is remembered with the place of the call, so
/// that expressions need no `try`; it is thrown where the tensor is read, compiled or differentiated.
public struct Tensor: Sendable {
  let node: TensorNode
  let index: Int

  init(node: TensorNode, index: Int = 0) {
    self.node = node
    self.index = index
  }

  /// Shape and element type. After a failed operation this is its first operand's type, so that code that asks for
  /// sizes goes on until the error is thrown.
  public var type: TensorType { node.types[index] }
  /// Sizes of the dimensions, outermost first.
  public var shape: [Int] { type.shape }
  /// How many dimensions there are.
  public var rank: Int { type.rank }
  /// The elements' type.
  public var dtype: DType { type.dtype }

  /// The size of a dimension; negative numbers count from the last. 1 where there is no such dimension, whose use
  /// the operation that needs it reports.
  public func size(_ dimension: Int) -> Int {
    let index = dimension < 0 ? dimension + rank : dimension
    return shape.indices.contains(index) ? shape[index] : 1
  }

  /// The mistake in this tensor's making, if there was one.
  public var failure: TypeError? { node.failure }

  /// A tensor with these numbers.
  public init(_ buffer: HostBuffer) {
    self.init(node: TensorNode(.buffer(buffer), [buffer.type]))
  }

  /// A scalar.
  public init(_ value: Double, dtype: DType = .float32) {
    self.init(HostBuffer(.scalar(dtype), doubles: [value]))
  }

  /// A vector of 32-bit floats.
  public init(_ values: [Float]) { self.init(HostBuffer(TensorType([values.count]), values)) }

  /// A tensor of 32-bit floats, row-major. There are as many values as the shape has places.
  public init(_ values: [Float], shape: [Int]) { self.init(HostBuffer(TensorType(shape), values)) }

  /// A tensor of 32-bit integers, row-major. There are as many values as the shape has places.
  public init(integers values: [Int32], shape: [Int]) {
    self.init(HostBuffer(TensorType(shape, .int32), values))
  }

  /// A stand-in for numbers that are given when a program runs.
  ///
  /// - Parameter name: what errors and graphs call it.
  public static func placeholder(_ name: String, _ type: TensorType) -> Tensor {
    Tensor(node: TensorNode(.placeholder(PlaceholderName(name)), [type]))
  }

  /// Renames a placeholder; does nothing for other tensors.
  package func rename(_ name: String) {
    if case .placeholder(let label) = node.kind { label.name = name }
  }

  /// The placeholder's name.
  public var placeholderName: String? {
    if case .placeholder(let label) = node.kind { label.name } else { nil }
  }

  /// The same number everywhere.
  public static func full(_ shape: [Int], _ value: Double, dtype: DType = .float32) -> Tensor {
    let scalar = emit(Constant(value, dtype), [])
    return shape.isEmpty ? scalar : emit(Broadcast(shape: shape, dimensions: []), [scalar])
  }

  /// Zeros.
  public static func zeros(_ shape: [Int], dtype: DType = .float32) -> Tensor { full(shape, 0, dtype: dtype) }

  /// Ones.
  public static func ones(_ shape: [Int], dtype: DType = .float32) -> Tensor { full(shape, 1, dtype: dtype) }

  /// Applies an operation.
  ///
  /// - Parameter results: how many results it has.
  /// - Returns: its results; where the operands do not fit, tensors that carry the error.
  public static func emit(
    _ operation: any Operation, _ operands: [Tensor], results: Int, file: StaticString = #fileID,
    line: UInt = #line
  ) -> [Tensor] {
    let site = SourceSite(file: file, line: line)
    if let failed = operands.first(where: { $0.failure != nil }) {
      let node = TensorNode(.failed(failed.failure!), Array(repeating: failed.type, count: results))
      return (0..<results).map { Tensor(node: node, index: $0) }
    }
    let node: TensorNode
    do {
      let types = try operation.resultTypes(operands.map(\.type))
      node = TensorNode(.operation(operation, operands, site), types)
    } catch {
      var error = error
      error.site = error.site ?? site
      error.place = error.place ?? nearestName(operands)
      let recovery = operands.first?.type ?? .scalar(.float32)
      node = TensorNode(.failed(error), Array(repeating: recovery, count: results))
    }
    return (0..<results).map { Tensor(node: node, index: $0) }
  }

  /// Applies an operation with one result.
  public static func emit(
    _ operation: any Operation, _ operands: [Tensor], file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor { emit(operation, operands, results: 1, file: file, line: line)[0] }

  /// A tensor that carries a mistake.
  public static func failed(
    _ operation: String, _ message: String, like other: Tensor, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    var error = TypeError(operation: operation, message)
    error.site = SourceSite(file: file, line: line)
    error.place = nearestName([other])
    return Tensor(node: TensorNode(.failed(other.failure ?? error), [other.type]))
  }

  /// The placeholder that is fewest operations away; of several the last, because layers put parameters after inputs.
  private static func nearestName(_ tensors: [Tensor]) -> String? {
    var level = tensors
    for _ in 0..<4 {
      if let name = level.reversed().lazy.compactMap(\.placeholderName).first { return name }
      level = level.flatMap { tensor -> [Tensor] in
        if case .operation(_, let operands, _) = tensor.node.kind { operands } else { [] }
      }
    }
    return nil
  }
}
