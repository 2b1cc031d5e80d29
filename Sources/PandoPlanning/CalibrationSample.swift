import Pando

/// A small program whose operations are timed to learn what a machine can do.
struct CalibrationSample {
  /// What a person is told that is measured.
  let name: String
  let outputs: [Tensor]
  let inputs: [Tensor]

  /// Products, convolutions, attention and sweeps over memory in many sizes, forwards and backwards: none of them a
  /// network that anyone trains.
  static func all(short: Bool) throws -> [CalibrationSample] {
    var samples: [CalibrationSample] = []
    for (rows, from, to, depth) in [
      (64, 256, 256, 2), (128, 1024, 512, 2), (512, 512, 512, 2), (1024, 256, 1024, 4), (2048, 512, 2048, 3),
      (4096, 256, 64, 2), (1536, 1024, 1536, 2), (2048, 1024, 1024, 4), (256, 64, 16, 2),
    ] { samples.append(try products(rows, from, to, depth, short)) }
    for (images, channels, outputs, size, kernel, stride) in [
      (32, 64, 64, 32, 3, 1), (64, 32, 32, 32, 3, 1), (64, 128, 128, 16, 3, 1), (64, 256, 256, 8, 3, 1),
      (64, 512, 512, 4, 3, 1), (64, 48, 96, 32, 3, 2), (64, 96, 192, 16, 3, 2), (64, 256, 512, 8, 3, 2),
      (64, 64, 128, 16, 1, 2), (1, 64, 64, 32, 3, 1), (1, 128, 128, 16, 3, 1), (1, 256, 256, 8, 3, 1),
      (1, 512, 512, 4, 3, 1), (8, 96, 96, 16, 3, 1), (1, 128, 256, 16, 3, 2),
    ] { samples.append(try convolutions(images, channels, outputs, size, kernel, stride, short)) }
    for (batch, heads, time, width) in [(4, 4, 128, 64), (8, 8, 256, 64), (4, 6, 512, 64), (2, 4, 1024, 64)] {
      samples.append(try attention(batch, heads, time, width, short))
    }
    guard !short else { return samples }
    for (rows, features) in [(256, 256), (1024, 512), (2048, 1024), (4096, 1024), (4096, 2048)] {
      samples.append(try block(rows, features))
    }
    for shapes in [
      [[256], [256, 256]], [[512, 512], [512], [512, 2048]], Array(repeating: [1024, 2048], count: 6),
    ] { samples.append(update(shapes)) }
    return samples
  }

  private static func value(_ name: String, _ shape: [Int], _ short: Bool = false) -> Tensor {
    .placeholder(name, TensorType(shape, short ? .bfloat16 : .float32))
  }

  /// A function's result and its gradient at every input.
  private static func withGradients(
    _ name: String, _ y: Tensor, _ inputs: [Tensor], beside others: [Tensor] = []
  ) throws -> CalibrationSample {
    let wide = y.cast(.float32)
    let loss = (wide * wide).mean()
    return CalibrationSample(
      name: name, outputs: [loss] + (try gradient(of: loss, at: inputs)), inputs: inputs + others)
  }

  /// Pairs of layers one behind another.
  private static func products(
    _ rows: Int, _ from: Int, _ to: Int, _ depth: Int, _ short: Bool
  ) throws -> CalibrationSample {
    var inputs = [value("x", [rows, from], short)]
    var x = inputs[0]
    for place in 0..<depth {
      let there = value("there\(place)", [to, from], short)
      let back = value("back\(place)", [from, to], short)
      inputs += [there, back]
      x = linear(linear(x, there), back)
    }
    return try withGradients("products of \(rows)×\(from)×\(to)", x, inputs)
  }

  private static func convolutions(
    _ images: Int, _ channels: Int, _ outputs: Int, _ size: Int, _ kernel: Int, _ stride: Int, _ short: Bool
  ) throws -> CalibrationSample {
    var inputs = [value("x", [images, channels, size, size], short)]
    var x = inputs[0]
    for place in 0..<(stride == 1 ? 3 : 1) {
      let weight = value("weight\(place)", [outputs, place == 0 ? channels : outputs, kernel, kernel], short)
      let (scale, shift) = (value("scale\(place)", [outputs]), value("shift\(place)", [outputs]))
      inputs += [weight, scale, shift]
      let y = conv2d(x, weight, stride: Pair(stride), padding: Pair(kernel / 2))
      x = relu(batchNorm(y, weight: scale, bias: shift).y)
    }
    return try withGradients("convolutions of \(size)×\(size)×\(channels)", x, inputs)
  }

  private static func attention(
    _ batch: Int, _ heads: Int, _ time: Int, _ width: Int, _ short: Bool
  ) throws -> CalibrationSample {
    let q = value("q", [batch, heads, time, width], short)
    let k = value("k", [batch, heads, time, width], short)
    let v = value("v", [batch, heads, time, width], short)
    return try withGradients(
      "attention over \(time) places", scaledDotProductAttention(q, k, v, causal: true), [q, k, v])
  }

  /// What a transformer's block does beside products.
  private static func block(_ rows: Int, _ features: Int) throws -> CalibrationSample {
    let x = value("x", [rows, features])
    let (scale, shift) = (value("scale", [features]), value("shift", [features]))
    let bias = value("bias", [features])
    let key = Tensor.placeholder("key", TensorType([2], .int64))
    let normal = layerNorm(x, shape: [features], weight: scale, bias: shift)
    let dropped = dropout(gelu(normal + bias), 0.1, key: key, stream: 1)
    let turned = dropped.reshape(rows, features / 64, 64).permute(1, 0, 2)
    return try withGradients(
      "sweeps over \(rows)×\(features)", softmax(turned + 1), [x, scale, shift, bias], beside: [key])
  }

  /// An optimizer's update, behind the gradients' norm as in training.
  private static func update(_ shapes: [[Int]]) -> CalibrationSample {
    var (outputs, inputs): ([Tensor], [Tensor]) = ([], [])
    var norm = value("start", [])
    inputs.append(norm)
    let (rate, step) = (value("rate", []), value("step", []))
    inputs += [rate, step]
    for (place, shape) in shapes.enumerated() {
      let parts = ["parameter", "gradient", "mean", "square"].map { value("\($0)-\(place)", shape) }
      inputs += parts
      norm = norm + (parts[1] * parts[1]).sum()
    }
    let finite = isFinite(norm)
    for place in shapes.indices {
      let parts = Array(inputs[(3 + 4 * place)..<(7 + 4 * place)])
      let new = adamUpdate(
        parts[0], gradient: parts[1], mean: parts[2], square: parts[3], learningRate: rate, step: step,
        beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, decoupled: true)
      outputs += zip([new.parameter, new.mean, new.square], [parts[0], parts[2], parts[3]]).map {
        select(finite, $0, $1)
      }
    }
    return CalibrationSample(name: "updates of \(shapes.count) tensors", outputs: outputs, inputs: inputs)
  }
}
