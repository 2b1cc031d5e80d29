import Pando

/// Adds the sums of all ranks in the order of the tree. Each rank adds up one piece of the vector, so that every rank
/// sends and receives about twice the vector, however many there are.
final class SumExchange {
  private let tree: ReductionTree
  let communicator: any Communicator
  /// Each rank's nodes, as many as its parts add up to.
  private let nodes: [[ReductionTree.Node]]
  private let most: Int
  private let pieceBytes: Int
  private let vectorBytes: Int
  private let outgoing: HostBuffer
  private let incoming: HostBuffer
  private let root: HostBuffer
  private let adder: VectorAdder
  /// The pieces in `incoming`, by rank and node.
  private let pieces: [[HostBuffer]]

  init(_ tree: ReductionTree, layout: FlatLayout, communicator: any Communicator, device: Device) throws {
    self.tree = tree
    self.communicator = communicator
    let ranks = communicator.size
    nodes = (0..<ranks).map { tree.nodes(of: tree.range(of: $0, among: ranks)) }
    let most = nodes.map(\.count).max() ?? 1
    self.most = most
    let piece = TensorType([layout.pieceCount(ranks)])
    pieceBytes = piece.byteCount
    vectorBytes = layout.count * 4
    outgoing = HostBuffer(TensorType([ranks, most, piece.count]))
    incoming = HostBuffer(TensorType([ranks, most, piece.count]))
    root = HostBuffer(TensorType([ranks, piece.count]))
    adder = try VectorAdder(count: piece.count, on: device)
    pieces = (0..<ranks).map { [incoming] rank in
      (0..<most).map { HostBuffer(piece, borrowing: incoming.pointer + (rank * most + $0) * piece.byteCount) }
    }
  }

  var byteCount: Int { outgoing.type.byteCount + incoming.type.byteCount + root.type.byteCount }

  /// What `combine` exchanges.
  var exchanges: [StepExchange] {
    [
      .samples(.allToAll, bytes: outgoing.type.byteCount, communicator),
      .samples(.allGather, bytes: root.type.byteCount, communicator),
    ]
  }

  /// The vector of the whole tree, from this rank's vectors; valid until the next call.
  func combine(_ vectors: [HostBuffer]) throws -> HostBuffer {
    for rank in 0..<communicator.size {
      let start = rank * pieceBytes
      let bytes = max(0, min(pieceBytes, vectorBytes - start))
      for (place, vector) in vectors.enumerated() {
        let target = outgoing.pointer + (rank * most + place) * pieceBytes
        target.copyMemory(from: vector.pointer + min(start, vectorBytes), byteCount: bytes)
      }
    }
    try communicator.allToAll(outgoing.bytes, into: incoming.mutableBytes, label: "gradient sums")
    var gathering = ReductionTree.Gathering<HostBuffer>(tree)
    for rank in 0..<communicator.size {
      for (place, node) in nodes[rank].enumerated() {
        try gathering.push(node, pieces[rank][place]) { left, right in
          try adder.add(right, to: left)
          return left
        }
      }
    }
    try communicator.allGather(gathering.waiting[0].value.bytes, into: root.mutableBytes, label: "gradients")
    return root
  }
}

extension HostBuffer {
  /// The elements' bytes, to be written.
  var mutableBytes: UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: pointer, count: type.byteCount)
  }
}
