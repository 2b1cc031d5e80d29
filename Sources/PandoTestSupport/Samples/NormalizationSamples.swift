import PandoIR
import PandoOperations

extension Samples {
  /// Norms and their gradients.
  static let normalization: [OperationSample] = layerNorms + rmsNorms + batchNorms + groupNorms

  private static let layerNorms: [OperationSample] =
    [([4, 5], 1), ([2, 3, 4], 1), ([2, 3, 4], 2), ([6], 1), ([0, 3], 1)].flatMap { shape, dimensions in
      layerNorm(shape, dimensions)
    }
    + [([37, 65], 1), ([3, 5, 7, 9], 2), ([130, 1], 1), ([2, 1024], 1)].flatMap { shape, dimensions in
      layerNorm(shape, dimensions, checksGradient: false)
    } + layerNorm([4, 33], 1, .bfloat16, checksGradient: false)
    + layerNorm([4, 33], 1, .float16, checksGradient: false)
    + layerNorm([4, 33], 1, .bfloat16, parameters: .float32, checksGradient: false)
    + layerNorm([130, 384], 1, .bfloat16, parameters: .float32, checksGradient: false)

  private static func layerNorm(
    _ shape: [Int], _ dimensions: Int, _ dtype: DType = .float32, parameters: DType? = nil,
    checksGradient: Bool = true
  ) -> [OperationSample] {
    let parameters = parameters ?? dtype
    let (row, rows) = (Array(shape.suffix(dimensions)), Array(shape.dropLast(dimensions)))
    return [
      OperationSample(
        LayerNorm(dimensions: dimensions, epsilon: 1e-3), .uniform(shape, -2...2, dtype),
        .uniform(row, 0.5...1.5, parameters), .uniform(row, -1...1, parameters),
        checksGradient: checksGradient),
      OperationSample(
        LayerNormGradient(dimensions: dimensions), .uniform(shape, -2...2, dtype),
        .uniform(row, 0.5...1.5, parameters), .uniform(rows, -0.1...0.1), .uniform(rows, 0.5...1),
        .uniform(shape, -2...2, dtype), checksGradient: checksGradient),
    ]
  }

  private static let rmsNorms: [OperationSample] =
    [([4, 5], 1), ([2, 3, 4], 2), ([6], 1), ([0, 3], 1)].flatMap { shape, dimensions in
      rmsNorm(shape, dimensions)
    }
    + [([37, 65], 1), ([130, 1], 1), ([2, 1024], 1)].flatMap { shape, dimensions in
      rmsNorm(shape, dimensions, checksGradient: false)
    } + rmsNorm([4, 33], 1, .bfloat16, checksGradient: false)
    + rmsNorm([17, 33], 1, .bfloat16, parameters: .float32, checksGradient: false)

  private static func rmsNorm(
    _ shape: [Int], _ dimensions: Int, _ dtype: DType = .float32, parameters: DType? = nil,
    checksGradient: Bool = true
  ) -> [OperationSample] {
    let parameters = parameters ?? dtype
    let (row, rows) = (Array(shape.suffix(dimensions)), Array(shape.dropLast(dimensions)))
    return [
      OperationSample(
        RMSNorm(dimensions: dimensions, epsilon: 1e-3), .uniform(shape, -2...2, dtype),
        .uniform(row, 0.5...1.5, parameters), checksGradient: checksGradient),
      OperationSample(
        RMSNormGradient(dimensions: dimensions), .uniform(shape, -2...2, dtype),
        .uniform(row, 0.5...1.5, parameters), .uniform(rows, 0.5...1), .uniform(shape, -2...2, dtype),
        checksGradient: checksGradient),
    ]
  }

  private static let batchNorms: [OperationSample] =
    [[4, 3], [3, 2, 5], [2, 4, 3, 2]].flatMap { batchNorm($0) }
    + [[16, 33], [4, 17, 9, 9], [1, 1, 1]].flatMap { batchNorm($0, checksGradient: false) }
    + batchNorm([4, 5, 3, 3], .bfloat16, checksGradient: false)
    + batchNorm([4, 5, 3, 3], .bfloat16, parameters: .float32, checksGradient: false)
    + batchNorm([3, 17, 9, 9], .bfloat16, parameters: .float32, checksGradient: false)

  private static func batchNorm(
    _ shape: [Int], _ dtype: DType = .float32, parameters: DType? = nil, checksGradient: Bool = true
  ) -> [OperationSample] {
    let parameters = parameters ?? dtype
    let channels = [shape[1]]
    let x = OperationSample.Operand.uniform(shape, -2...2, dtype)
    let weight = OperationSample.Operand.uniform(channels, 0.5...1.5, parameters)
    let bias = OperationSample.Operand.uniform(channels, -1...1, parameters)
    let mean = OperationSample.Operand.uniform(channels, -0.1...0.1)
    let variance = OperationSample.Operand.uniform(channels, 0.5...1.5)
    return [
      OperationSample(BatchNorm(epsilon: 1e-3), x, weight, bias, checksGradient: checksGradient),
      OperationSample(
        BatchNormGradient(epsilon: 1e-3), x, weight, mean, variance, x, checksGradient: checksGradient),
      OperationSample(
        BatchNormInference(epsilon: 1e-3), x, weight, bias, mean, variance, checksGradient: checksGradient),
    ]
  }

  private static let groupNorms: [OperationSample] =
    [([2, 4], 2), ([2, 6, 3], 3), ([2, 4, 2, 3], 1), ([2, 3, 5], 3), ([0, 2, 3], 1)].flatMap {
      shape, groups in groupNorm(shape, groups)
    } + groupNorm([4, 32, 5, 5], 8, checksGradient: false)
    + groupNorm([2, 6, 3], 3, .bfloat16, checksGradient: false)
    + groupNorm([2, 6, 3], 3, .bfloat16, parameters: .float32, checksGradient: false)

  private static func groupNorm(
    _ shape: [Int], _ groups: Int, _ dtype: DType = .float32, parameters: DType? = nil,
    checksGradient: Bool = true
  ) -> [OperationSample] {
    let parameters = parameters ?? dtype
    let (channels, statistics) = ([shape[1]], [shape[0], groups])
    return [
      OperationSample(
        GroupNorm(groups: groups, epsilon: 1e-3), .uniform(shape, -2...2, dtype),
        .uniform(channels, 0.5...1.5, parameters), .uniform(channels, -1...1, parameters),
        checksGradient: checksGradient),
      OperationSample(
        GroupNormGradient(groups: groups), .uniform(shape, -2...2, dtype),
        .uniform(channels, 0.5...1.5, parameters), .uniform(statistics, -0.1...0.1),
        .uniform(statistics, 0.5...1), .uniform(shape, -2...2, dtype), checksGradient: checksGradient),
    ]
  }
}
