import CPandoKernels
import PandoEngine
import PandoIR
import PandoOperations

extension pk_attention {
  /// Sizes of dense operands q [B, H, T, D], k and v [B, Hkv, S, D]; the last query sees all keys.
  init(_ q: TensorType, _ k: TensorType, causal: Bool, scale: Double?) {
    self.init()
    let shape = q.shape.kernel
    (batch, heads, queries, width) = (shape[0], shape[1], shape[2], shape[3])
    (kv_heads, keys) = (Int64(k.shape[1]), Int64(k.shape[2]))
    self.scale = scale ?? 1 / Double(width).squareRoot()
    self.causal = causal ? 1 : 0
    offset = keys - queries
    self.q = pk_attention_dense(heads, queries, width)
    self.k = pk_attention_dense(kv_heads, keys, width)
    (v, out) = (self.k, self.q)
  }

  /// Whether bfloat16 operands are multiplied as they are.
  mutating func isLow(_ q: TensorType) -> Bool {
    q.dtype == .bfloat16 && pk_attention_has_low(&self) != 0
  }

  /// The kernels work in float32, to which bfloat16 is widened where the processor does not multiply it.
  fileprivate static func fits(_ operands: [TensorType]) -> Bool {
    operands[0].dtype == .float32 || operands[0].dtype == .bfloat16
  }

  /// Operands: q, k, v; results: the means and the logarithms of the sums. In bfloat16 where that is multiplied,
  /// otherwise in float32.
  static func forward(_ sizes: pk_attention, _ q: TensorType, threads: Int) -> Kernel {
    var sizes = sizes
    if sizes.isLow(q) {
      let workspace = Int(pk_attention_low_forward_workspace(&sizes, Int32(threads)))
      return Kernel(workspaceBytes: workspace) { [sizes] pointers in
        var sizes = sizes
        return Int32(
          pk_attention_low_forward(
            pointers[3].halves, pointers[4].floats, pointers[0].halves, pointers[1].halves,
            pointers[2].halves, &sizes, pointers[5], Int32(threads)
          ).rawValue)
      }
    }
    let workspace = Int(pk_attention_workspace(&sizes, Int32(threads)))
    return Kernel(workspaceBytes: workspace) { [sizes] pointers in
      var sizes = sizes
      return Int32(
        pk_attention_forward(
          pointers[3].floats, pointers[4].floats, pointers[0].floats, pointers[1].floats, pointers[2].floats,
          &sizes, pointers[5], Int32(threads)
        ).rawValue)
    }
  }

  /// Operands: q, k, v, out, logarithms of the sums, dout; results: dq, dk, dv.
  static func backward(_ sizes: pk_attention, _ q: TensorType, threads: Int) -> Kernel {
    var sizes = sizes
    if sizes.isLow(q) {
      let workspace = Int(pk_attention_low_backward_workspace(&sizes, Int32(threads)))
      return Kernel(workspaceBytes: workspace) { [sizes] pointers in
        var sizes = sizes
        return Int32(
          pk_attention_low_backward(
            pointers[6].halves, pointers[7].halves, pointers[8].halves, pointers[5].halves,
            pointers[0].halves, pointers[1].halves, pointers[2].halves, pointers[3].halves,
            pointers[4].floats, &sizes, pointers[9], Int32(threads)
          ).rawValue)
      }
    }
    let workspace = Int(pk_attention_workspace(&sizes, Int32(threads)))
    return Kernel(workspaceBytes: workspace) { [sizes] pointers in
      var sizes = sizes
      return Int32(
        pk_attention_backward(
          pointers[6].floats, pointers[7].floats, pointers[8].floats, pointers[5].floats, pointers[0].floats,
          pointers[1].floats, pointers[2].floats, pointers[3].floats, pointers[4].floats, &sizes, pointers[9],
          Int32(threads)
        ).rawValue)
    }
  }
}

extension Attention: CPULowering {
  package func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool {
    pk_attention.fits(operands)
  }

  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    var sizes = pk_attention(operands[0], operands[1], causal: causal, scale: scale)
    let kernel = pk_attention.forward(sizes, operands[0], threads: threads)
    return sizes.isLow(operands[0]) ? kernel : .widened(kernel, operands, results, threads: threads)
  }
}

extension AttentionGradient: CPULowering {
  package func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool {
    pk_attention.fits(operands)
  }

  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    var sizes = pk_attention(operands[0], operands[1], causal: causal, scale: scale)
    let kernel = pk_attention.backward(sizes, operands[0], threads: threads)
    return sizes.isLow(operands[0]) ? kernel : .widened(kernel, operands, results, threads: threads)
  }
}
