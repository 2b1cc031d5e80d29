/// How long the kernels of a transformer's layer take on a processor that is known by its data sheet.
extension ClusterDescription.Processor {
  /// Seconds of a matrix product of `count` pairs of m×k and k×n numbers of 16 bits.
  ///
  /// Units take tiles of 256×128 in turns, and the last turn may leave most of them idle (NVIDIA, "Matrix Multiplication
  /// Background": wave and tile quantization); nothing is faster than its operands come from memory.
  func productSeconds(_ m: Int, _ n: Int, _ k: Int, count: Int = 1) -> Double {
    let rate = peakFlops * productEfficiency / Double(units)
    let times = [(256, 128), (128, 256), (128, 128)].map { rows, columns in
      let tiles = count * ((m + rows - 1) / rows) * ((n + columns - 1) / columns)
      return Double((tiles + units - 1) / units) * 2 * Double(rows * columns) * Double(k) / rate
    }
    let bytes = 2 * Double(count) * (Double(m) * Double(k) + Double(k) * Double(n) + Double(m) * Double(n))
    return max(times.min()!, sweepSeconds(bytes: bytes))
  }

  /// Seconds of going over so many bytes of memory.
  func sweepSeconds(bytes: Double) -> Double { bytes / (memoryBandwidth * memoryEfficiency) }
}

/// The passes of one transformer layer on one of `tensor` ranks that share it.
struct LayerTime {
  /// Seconds of a pass forwards and of one backwards, exchanges included.
  let forward: Double, backward: Double

  /// - Parameter overlaps: whether the backward pass sums the gradient of a layer's input over the ranks while it goes on
  ///   to the gradient of the weights, for the two layers where there is something to sum.
  init(
    _ shape: GPTShape, microBatch: Int, tensor: Int, overlaps: Bool = false, on cluster: ClusterDescription
  ) {
    let processor = cluster.processor
    let (h, s, t) = (shape.width, shape.context, tensor)
    let rows = s * microBatch
    let (heads, size) = (max(1, shape.heads / t), h / shape.heads)
    let matrices = microBatch * heads
    // Rows, columns, depth and number of each product; a gradient has two of the same work.
    let products = [
      (rows, 3 * h / t, h, 1), (s, s, size, matrices), (s, size, s, matrices), (rows, h, h / t, 1),
      (rows, 4 * h / t, h, 1), (rows, h, 4 * h / t, 1),
    ]
    var (ahead, back) = (0.0, 0.0)
    for (m, n, k, count) in products {
      ahead += processor.productSeconds(m, n, k, count: count)
      back +=
        processor.productSeconds(m, k, n, count: count) + processor.productSeconds(k, n, m, count: count)
    }
    // Bytes that go through memory beside products, with the fused kernels of Megatron-LM: two norms (read, written) and
    // two sums of bias, dropout and residual with a mask of a byte; the activation and the heads' reordering; softmax
    // and dropout of the attention's matrices.
    let tokens = Double(rows) * Double(h)
    let scores = Double(matrices) * Double(s) * Double(s)
    let share = 1 / Double(t)
    ahead += processor.sweepSeconds(bytes: tokens * (8 + 14) + tokens * share * (16 + 4) + scores * (4 + 5))
    // Norms read x and dy twice; each residual adds two gradients; dropout's read its mask.
    back += processor.sweepSeconds(
      bytes: tokens * (20 + 10 + 12) + tokens * share * (24 + 4 + 8) + scores * (6 + 5))
    let exchange = cluster.allReduceSeconds(bytes: 2 * tokens, size: t)
    let besides = [3 * h / t, 4 * h / t].map { overlaps ? processor.productSeconds(h, $0, rows) : 0 }
    forward = ahead + 2 * exchange
    backward = besides.reduce(back) { $0 + max(0, exchange - $1) }
  }
}
