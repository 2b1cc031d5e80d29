import PandoIR
import PandoOperations

/// Puts small sums over one group of ranks together, up to a number of bytes: an exchange has a fixed price, which many
/// small tensors would pay many times.
///
/// A sum waits for those that follow it, until one of them is used or the bucket is full. (After the gradient buckets of
/// Li et al. 2020, "PyTorch Distributed: Experiences on accelerating data parallel training".)
struct MergeReductions: Pass {
  let name = "merge-reductions"
  /// The most bytes of one bucket.
  let bucketBytes: Int

  /// A tensor is small below this share of a bucket; larger ones would be copied for little.
  private static let smallShare = 8

  func apply(_ graph: Graph) throws -> Graph {
    guard bucketBytes > 0 else { return graph }
    var merger = Merger(Rewriter(graph), bucketBytes)
    for node in graph.nodes {
      if let reduction = node.operation as? AllReduce, reduction.channel == nil, reduction.parts > 1,
        node.results[0].type.byteCount * Self.smallShare <= bucketBytes
      {
        try merger.add(node, reduction)
      } else {
        try merger.copy(node)
      }
    }
    return try merger.finish()
  }
}

private struct Merger {
  private struct Key: Hashable {
    let axes: [String]
    let reduction: ShardingRule.Reduction
    let dtype: DType
  }

  private struct Bucket {
    let key: Key
    var nodes: [(node: Node, reduction: AllReduce)] = []
    var bytes = 0
  }

  private var rewriter: Rewriter
  private let limit: Int
  private var buckets: [Bucket] = []

  init(_ rewriter: Rewriter, _ limit: Int) {
    self.rewriter = rewriter
    self.limit = limit
  }

  mutating func add(_ node: Node, _ reduction: AllReduce) throws {
    try flush(usedBy: node)
    let key = Key(axes: reduction.axes, reduction: reduction.reduction, dtype: node.results[0].type.dtype)
    let bytes = node.results[0].type.byteCount
    var place = buckets.firstIndex { $0.key == key }
    if let full = place, buckets[full].bytes + bytes > limit {
      try emit(buckets.remove(at: full))
      place = nil
    }
    if place == nil {
      buckets.append(Bucket(key: key))
      place = buckets.count - 1
    }
    buckets[place!].nodes.append((node, reduction))
    buckets[place!].bytes += bytes
  }

  mutating func copy(_ node: Node) throws {
    try flush(usedBy: node)
    try rewriter.copy(node)
  }

  mutating func finish() throws -> Graph {
    for bucket in buckets { try emit(bucket) }
    return rewriter.finish()
  }

  private mutating func flush(usedBy node: Node) throws {
    while let place = buckets.firstIndex(where: { bucket in
      bucket.nodes.contains { node.operands.contains($0.node.results[0]) }
    }) {
      try emit(buckets.remove(at: place))
    }
  }

  /// One vector of all the bucket's tensors is added up, and taken apart again.
  private mutating func emit(_ bucket: Bucket) throws {
    guard bucket.nodes.count > 1 else { return try rewriter.copy(bucket.nodes[0].node) }
    let (first, reduction) = bucket.nodes[0]
    rewriter.builder.site = first.site
    var pieces: [Value] = []
    for (node, _) in bucket.nodes {
      pieces.append(try rewriter.builder.reshape(rewriter[node.operands[0]], [node.results[0].type.count]))
    }
    let joined = try rewriter.builder.concatenate(pieces, 0)
    let label = "\(reduction.label) and \(bucket.nodes.count - 1) more"
    let sum = try rewriter.builder.emit(
      AllReduce(reduction.reduction, axes: reduction.axes, parts: reduction.parts, label: label), joined)
    var start = 0
    for (node, _) in bucket.nodes {
      let type = node.results[0].type
      let slice = Slice(starts: [start], limits: [start + type.count], strides: [1])
      rewriter[node.results[0]] = try rewriter.builder.reshape(
        rewriter.builder.emit(slice, sum), type.shape)
      start += type.count
    }
  }
}
