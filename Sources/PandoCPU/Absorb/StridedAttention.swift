import CPandoKernels
import PandoEngine
import PandoIR
import PandoOperations

/// Where the heads of one of an attention's operands or results lie in a tensor of any shape: element (b, h, t, d) at
/// `offset + b · batch + h · head + t · row + d`.
struct HeadPlaces: Hashable, Sendable, Codable {
  var offset = 0
  let batch, head, row: Int

  init(offset: Int, batch: Int, head: Int, row: Int) {
    (self.offset, self.batch, self.head, self.row) = (offset, batch, head, row)
  }

  /// Heads of [B, H, T, D] as a view lies; `nil` where the elements of a head are not side by side.
  init?(_ view: StridedView) {
    guard view.strides.count == 4, view.strides[3] == 1 else { return nil }
    (offset, batch, head, row) = (view.offset, view.strides[0], view.strides[1], view.strides[2])
  }

  /// Heads of [B, H, T, D] in a dense [B, T, H, D].
  init(rowsOutside type: TensorType) {
    let (heads, rows, width) = (type.shape[1], type.shape[2], type.shape[3])
    (batch, head, row) = (rows * heads * width, width, heads * width)
  }

  /// Heads of a dense [B, H, T, D].
  init(dense type: TensorType) { (batch, head, row) = (type.strides[0], type.strides[1], type.strides[2]) }

  var layout: pk_attention_layout {
    pk_attention_layout(batch: Int64(batch), head: Int64(head), row: Int64(row))
  }

  /// The same distances from another first element.
  func at(_ offset: Int) -> HeadPlaces {
    var places = self
    places.offset = offset
    return places
  }

  /// Whether all heads of `type` lie inside `count` elements.
  func fit(_ type: TensorType, in count: Int) -> Bool {
    let last = zip([batch, head, row, 1], type.shape).reduce(offset) { $0 + $1.0 * ($1.1 - 1) }
    return offset >= 0 && [batch, head, row].allSatisfy { $0 >= 0 } && last < count
  }
}

/// An attention, or its gradient, whose operands and results lie inside of other tensors, such as the joint product of
/// queries, keys and values.
///
/// Operands and results are those of `Attention` or `AttentionGradient`. Queries, keys and values may be in one tensor,
/// and so may their gradients, which then are one result.
struct StridedAttention: EngineOperation {
  static let name = "strided_attention"
  static let operandCount: Int? = nil

  let causal: Bool
  let scale: Double?
  /// The types of queries and of keys, as [B, H, T, D].
  let queries, keys: TensorType
  /// Where each lies; the attention's own result, and its cotangent, at `out`.
  let q, k, v, out: HeadPlaces
  /// The types of the results that hold heads: of an attention one, of its gradient one or three.
  let held: [TensorType]
  /// The first elements of the gradients by queries, keys and values; `nil` for an attention. Else they lie as those.
  let gradients: [Int]?

  private var lse: TensorType { TensorType(Array(queries.shape.prefix(3)), .float32) }

  func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    var places = [(q, queries), (k, keys), (v, keys)]
    if gradients != nil { places += [(out, queries), (out, queries), (out, queries)] }
    guard operands.count == places.count else { throw TypeError(self, "takes \(places.count) operands") }
    for (index, (place, type)) in places.enumerated() {
      let isLse = index == 4
      guard isLse ? operands[4] == lse : place.fit(type, in: operands[index].count) else {
        throw TypeError(self, "operand \(index), \(operands[index]), does not hold \(type)")
      }
    }
    return gradients == nil ? held + [lse] : held
  }

  func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    let flops =
      gradients == nil
      ? Attention(causal: causal, scale: scale).cost([queries, keys, keys], [queries, lse]).flops
      : AttentionGradient(causal: causal, scale: scale)
        .cost([queries, keys, keys, queries, lse, queries], [queries, keys, keys]).flops
    return Cost(flops: flops, operands: operands, results: results, kind: .attention)
  }

  /// The kernel's own description of it.
  var sizes: pk_attention {
    var sizes = pk_attention(queries, keys, causal: causal, scale: scale)
    (sizes.q, sizes.k, sizes.v, sizes.out) = (q.layout, k.layout, v.layout, out.layout)
    return sizes
  }

  /// Whether there is a kernel that takes the elements as they are.
  var isPossible: Bool {
    var sizes = sizes
    return queries.dtype == .float32 || sizes.isLow(queries)
  }

  func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool { isPossible }

  func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    let size = queries.dtype.byteCount
    guard let gradients else {
      let kernel = pk_attention.forward(sizes, queries, threads: threads)
      return shifted(kernel, [q.offset, k.offset, v.offset, 0, 0].map { $0 * size }, Array(0..<5))
    }
    let kernel = pk_attention.backward(sizes, queries, threads: threads)
    let offsets = [q.offset, k.offset, v.offset, 0, 0, 0] + gradients
    let isJoint = held.count == 1
    return shifted(
      kernel, offsets.map { $0 * size }, Array(0..<6) + (isJoint ? [6, 6, 6] : [6, 7, 8]))
  }

  /// A kernel that is given addresses some bytes behind those of the operands and results at `places`.
  private func shifted(_ kernel: Kernel, _ bytes: [Int], _ places: [Int]) -> Kernel {
    let inner = kernel.run
    let (count, workspace) = (places.count, places.last! + 1)
    return Kernel(workspaceBytes: kernel.workspaceBytes) { pointers in
      withUnsafeTemporaryAllocation(of: UnsafeMutableRawPointer?.self, capacity: count + 1) { table in
        for index in 0..<count {
          table.initializeElement(at: index, to: pointers[places[index]]! + bytes[index])
        }
        table.initializeElement(at: count, to: pointers[workspace])
        return inner(UnsafePointer(table.baseAddress!))
      }
    }
  }
}
