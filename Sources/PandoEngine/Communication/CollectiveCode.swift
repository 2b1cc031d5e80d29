import PandoIR

/// What must be equal in all ranks' calls of one collective, in 64 bits that ranks can show each other: the kind, the
/// element type, the reduction, the root and the number of bytes.
package struct CollectiveCode: Hashable, Sendable {
  package let bits: UInt64
  package init(bits: UInt64) { self.bits = bits }

  private static let kinds = [
    "barrier", "all-reduce", "reduce-scatter", "all-gather", "all-to-all", "broadcast",
  ]

  private init(_ kind: Int, dtype: DType? = nil, _ reduction: ReductionKind? = nil, root: Int = 0, bytes: Int)
  {
    let dtypeIndex: UInt64 = dtype.map { $0.code + 1 } ?? 0
    let reductionIndex: UInt64 = reduction.map { $0.code } ?? 0
    let head = UInt64(kind) | dtypeIndex << 3 | reductionIndex << 7
    bits = head | UInt64(root & 0xFFF) << 9 | UInt64(bytes) << 21
  }

  /// The code of a call.
  package init(_ collective: Collective) {
    let bytes = collective.byteCount
    switch collective {
    case .barrier: self.init(0, bytes: 0)
    case .allReduce(_, let dtype, let kind): self.init(1, dtype: dtype, kind, bytes: bytes)
    case .reduceScatter(_, _, let dtype, let kind): self.init(2, dtype: dtype, kind, bytes: bytes)
    case .allGather: self.init(3, bytes: bytes)
    case .allToAll: self.init(4, bytes: bytes)
    case .broadcast(_, let root): self.init(5, root: root, bytes: bytes)
    }
  }

  /// In words: `all-reduce of 40 bytes, float32, sum`.
  package var description: String {
    let kind = Int(bits & 7)
    guard kind < Self.kinds.count else { return "an unknown operation" }
    if kind == 0 { return "barrier" }
    let size = "\(Self.kinds[kind]) of \(bits >> 21) bytes"
    if kind == 5 { return "\(size) from rank \(bits >> 9 & 0xFFF)" }
    let dtype = Int(bits >> 3 & 15) - 1
    guard DType.allCases.indices.contains(dtype) else { return size }
    return "\(size), \(DType.allCases[dtype]), \(ReductionKind.allCases[Int(bits >> 7 & 3)])"
  }

  /// What to say where calls differ; `nil` where they do not.
  ///
  /// - Parameters:
  ///   - codes: each rank's.
  ///   - rank: the one that says so.
  ///   - names: what the ranks are called.
  package static func disagreement(_ codes: [CollectiveCode], rank: Int, names: [Int]) -> ExchangeFailure? {
    guard let other = codes.firstIndex(where: { $0 != codes[rank] }) else { return nil }
    return ExchangeFailure(
      .mismatch(
        "rank \(names[rank]) calls \(codes[rank].description), "
          + "rank \(names[other]) \(codes[other].description)"))
  }
}

extension DType {
  fileprivate var code: UInt64 {
    switch self {
    case .float32: 0
    case .float64: 1
    case .bfloat16: 2
    case .float16: 3
    case .int32: 4
    case .int64: 5
    case .int8: 6
    case .uint8: 7
    case .bool: 8
    }
  }
}

extension ReductionKind {
  fileprivate var code: UInt64 {
    switch self {
    case .sum: 0
    case .product: 1
    case .maximum: 2
    case .minimum: 3
    }
  }
}

extension Collective {
  /// What it does, in words, for messages.
  package var signature: String { CollectiveCode(self).description }
}
