import PandoIR
import PandoOperations

/// What an operation means that depends on this rank's place, or on what the others hold.
public protocol ReferenceGroupSemantics: PandoIR.Operation {
  /// The results for these operands; `group` is `nil` for a program of one rank.
  func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType], in group: MeshGroup?) throws
    -> [ReferenceTensor]
}

extension CollectiveOperation {
  /// This rank's place in its group.
  ///
  /// - Throws: `EngineError` where the group has several ranks and the program was compiled without a mesh, or with
  ///   another.
  public func index(in group: MeshGroup?) throws -> Int {
    if parts == 1 { return 0 }
    try checkGroup(group)
    return group!.index(along: axes)
  }

  private func checkGroup(_ group: MeshGroup?) throws {
    let name = type(of: self).name
    guard let group else {
      throw EngineError(
        "\(name) over \(axes) needs \(parts) ranks; compile the program with a mesh and its communicator")
    }
    guard axes.allSatisfy({ group.mesh.size(of: $0) != nil }), group.mesh.parts(axes) == parts else {
      throw EngineError("\(name) over \(axes) needs \(parts) ranks, the mesh is \(group.mesh)")
    }
  }

  /// The communicator of its group; `nil` where there is one rank only.
  ///
  /// - Throws: as `index(in:)`, and `CommunicationError`.
  public func communicator(in group: MeshGroup?) throws -> (any Communicator)? {
    if parts == 1 { return nil }
    try checkGroup(group)
    return try group!.communicator(along: axes)
  }
}

extension ExchangeOperation {
  /// What every rank of the group has, in order: all collectives follow from that.
  fileprivate func everyone(_ x: ReferenceTensor, in group: MeshGroup?) throws -> [ReferenceTensor] {
    guard let communicator = try communicator(in: group) else { return [x] }
    let (own, all) = (HostBuffer(x.type), HostBuffer(TensorType([parts * x.type.byteCount], .uint8)))
    x.store(to: own.pointer)
    try communicator.allGather(own.bytes, into: all.mutableBytes, label: label)
    return withExtendedLifetime(all) {
      (0..<parts).map {
        ReferenceTensor(HostBuffer(x.type, borrowing: all.pointer + $0 * x.type.byteCount))
      }
    }
  }
}

extension ShardingRule.Reduction {
  /// The terms combined element by element, in the order in which they stand, and rounded once.
  fileprivate func combine(_ terms: [ReferenceTensor]) -> ReferenceTensor {
    func extreme(_ values: [Double], _ isBetter: (Double, Double) -> Bool) -> Double {
      values.contains(where: \.isNaN)
        ? .nan : values.dropFirst().reduce(values[0]) { isBetter($1, $0) ? $1 : $0 }
    }
    return ReferenceTensor(
      terms[0].type,
      real: { index in
        let values = terms.map { $0.reals[index] }
        return switch self {
        case .sum: values.reduce(0, +)
        case .product: values.reduce(1, *)
        case .maximum: extreme(values, >)
        case .minimum: extreme(values, <)
        }
      },
      integer: { index in
        let values = terms.map { $0.integers[index] }
        return switch self {
        case .sum: values.reduce(0, &+)
        case .product: values.reduce(1, &*)
        case .maximum: values.max()!
        case .minimum: values.min()!
        }
      })
  }
}

extension ReferenceTensor {
  /// Part number `index` of `parts` along a dimension.
  fileprivate func part(_ index: Int, of parts: Int, along dimension: Int) -> ReferenceTensor {
    var shape = type.shape
    shape[dimension] /= parts
    return ReferenceTensor(type.with(shape: shape), from: self) { linear in
      var place = Indexing.coordinates(linear, shape)
      place[dimension] += index * shape[dimension]
      return Indexing.linear(place, type.shape)
    }
  }

  /// Tensors of one type behind each other along a dimension.
  fileprivate static func joined(_ tensors: [ReferenceTensor], along dimension: Int) -> ReferenceTensor {
    let type = tensors[0].type
    let size = type.shape[dimension]
    var shape = type.shape
    shape[dimension] *= tensors.count
    func source(_ index: Int) -> (tensor: ReferenceTensor, index: Int) {
      var place = Indexing.coordinates(index, shape)
      let number = place[dimension] / size
      place[dimension] %= size
      return (tensors[number], Indexing.linear(place, type.shape))
    }
    return ReferenceTensor(
      type.with(shape: shape),
      real: {
        let (tensor, index) = source($0)
        return tensor.reals[index]
      },
      integer: {
        let (tensor, index) = source($0)
        return tensor.integers[index]
      })
  }
}

extension AllReduce: ReferenceGroupSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType], in group: MeshGroup?) throws
    -> [ReferenceTensor]
  { [reduction.combine(try everyone(operands[0], in: group))] }
}

extension AllGather: ReferenceGroupSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType], in group: MeshGroup?) throws
    -> [ReferenceTensor]
  { [.joined(try everyone(operands[0], in: group), along: dimension)] }
}

extension ReduceScatter: ReferenceGroupSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType], in group: MeshGroup?) throws
    -> [ReferenceTensor]
  {
    let index = try index(in: group)
    let all = try everyone(operands[0], in: group)
    return [reduction.combine(all.map { $0.part(index, of: parts, along: dimension) })]
  }
}

extension AllToAll: ReferenceGroupSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType], in group: MeshGroup?) throws
    -> [ReferenceTensor]
  {
    let index = try index(in: group)
    let all = try everyone(operands[0], in: group)
    return [.joined(all.map { $0.part(index, of: parts, along: cut) }, along: joined)]
  }
}

extension CollectivePermute: ReferenceGroupSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType], in group: MeshGroup?) throws
    -> [ReferenceTensor]
  {
    let source = (try index(in: group) - shift) % parts
    return [try everyone(operands[0], in: group)[source < 0 ? source + parts : source]]
  }
}

extension AxisIndex: ReferenceGroupSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType], in group: MeshGroup?) throws
    -> [ReferenceTensor]
  { [ReferenceTensor(results[0], integers: [Int64(try index(in: group) * factor)])] }
}

extension ShardSlice: ReferenceGroupSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType], in group: MeshGroup?) throws
    -> [ReferenceTensor]
  { [operands[0].part(try index(in: group), of: parts, along: dimension)] }
}

extension CollectiveDone: ReferenceSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType]) -> [ReferenceTensor] {
    [operands[0]]
  }
}

extension Shard: ReferenceSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType]) -> [ReferenceTensor] {
    [operands[0]]
  }
}
