import PandoIR

/// An operation whose attributes hold sizes or places of the whole tensor, and so differ for a part of it.
///
/// Any other operation is done on parts by giving it parts.
public protocol Localizable: Operation {
  /// Emits what makes one rank's parts of the results.
  ///
  /// - Parameters:
  ///   - division: what is cut, and along which axes.
  ///   - operands: this rank's parts.
  func localized(
    _ division: NodeDivision, operands: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value]
}

/// How the work of one node is divided over a mesh.
public struct NodeDivision: Sendable {
  /// The mesh.
  public let mesh: Mesh
  /// For each result dimension the axes that it is cut along, outermost first.
  public let resultAxes: [[[String]]]
  /// Types of the whole operands.
  public let operands: [TensorType]
  /// Types of the whole results.
  public let results: [TensorType]
  /// Types of one rank's parts of the results.
  public let localResults: [TensorType]

  /// A division from all it says.
  public init(
    mesh: Mesh, resultAxes: [[[String]]], operands: [TensorType], results: [TensorType],
    localResults: [TensorType]
  ) {
    self.mesh = mesh
    self.resultAxes = resultAxes
    self.operands = operands
    self.results = results
    self.localResults = localResults
  }
}

extension Broadcast: Localizable {
  public func localized(
    _ division: NodeDivision, operands: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value] {
    [try graph.broadcast(operands[0], to: division.localResults[0].shape, dimensions: dimensions)]
  }
}

extension Reshape: Localizable {
  public func localized(
    _ division: NodeDivision, operands: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value] { [try graph.reshape(operands[0], division.localResults[0].shape)] }
}

extension Slice: Localizable {
  public func localized(
    _ division: NodeDivision, operands: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value] {
    // A dimension is cut only where it is taken whole.
    let ends = limits.indices.map {
      division.resultAxes[0][$0].isEmpty ? limits[$0] : operands[0].type.shape[$0]
    }
    return [try graph.emit(Slice(starts: starts, limits: ends, strides: strides), operands[0])]
  }
}

extension DynamicSlice: Localizable {
  public func localized(
    _ division: NodeDivision, operands: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value] {
    [try graph.emit(DynamicSlice(sizes: division.localResults[0].shape), operands[0], operands[1])]
  }
}

extension Iota: Localizable {
  public func localized(
    _ division: NodeDivision, operands: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value] {
    let local = division.localResults[0]
    let axes = division.resultAxes[0][dimension]
    guard !axes.isEmpty else { return [try graph.emit(Iota(local, dimension: dimension))] }
    // Whole numbers are added as such and rounded once, as the whole tensor's are.
    let wide = local.with(dtype: .int64)
    let parts = division.mesh.parts(axes)
    let start = try graph.emit(AxisIndex(axes: axes, parts: parts, factor: local.shape[dimension]))
    let places = try graph.add(
      graph.iota(wide, dimension: dimension), graph.broadcast(start, to: local.shape, dimensions: []))
    return [try graph.convert(places, to: local.dtype)]
  }
}

extension RandomBits: Localizable {
  public func localized(
    _ division: NodeDivision, operands: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value] {
    let axes = division.resultAxes[0]
    guard axes.contains(where: { !$0.isEmpty }) else { return [try graph.emit(self, operands[0])] }
    let part = Part(whole: shape, axes: axes, parts: axes.map { division.mesh.parts($0) })
    return [
      try graph.emit(
        RandomBits(shape: division.localResults[0].shape, stream: stream, part: part), operands[0])
    ]
  }
}

extension NameDimensions: Localizable {
  /// Nothing: the operand has been spread as the names say.
  public func localized(
    _ division: NodeDivision, operands: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value] { operands }
}

extension Shard: Localizable {
  /// Nothing: the operand has been spread as the annotation says.
  public func localized(
    _ division: NodeDivision, operands: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value] { operands }
}
