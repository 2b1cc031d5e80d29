import Pando

/// A plain convolutional network: stages of a 3×3 convolution, batch norm if wanted, ReLU and a pooling by 2; then a
/// dense layer and one for the outputs.
///
/// Input `[samples, channels, height, width]`, output `[samples, outputs]`.
public struct CNN: Layer {
  /// A convolution for each stage.
  public let convolutions: [Conv2d]
  /// A norm for each stage, or none.
  public let norms: [BatchNorm2d]
  /// From the last stage's elements.
  public let dense: Linear
  /// To the outputs.
  public let head: Linear
  private let pool: MaxPool2d
  private let dropout: Dropout

  /// A network for images of a fixed size.
  ///
  /// - Parameters:
  ///   - stages: output channels of each stage; each halves height and width, rounding down.
  ///   - dense: features of the dense layer.
  ///   - dropout: the probability that one of these is dropped in training.
  public init(
    channels: Int, height: Int, width: Int, stages: [Int], dense: Int, outputs: Int, batchNorm: Bool = false,
    dropout: Double = 0, file: StaticString = #fileID, line: UInt = #line
  ) {
    let (rows, columns) = (height >> stages.count, width >> stages.count)
    precondition(
      rows > 0 && columns > 0, "\(stages.count) poolings by 2 leave nothing of an image of \(height)×\(width)"
    )
    convolutions = zip([channels] + stages, stages).map { inputs, outputs in
      // A bias in front of a norm does nothing.
      Conv2d(inputs, outputs, kernel: 3, padding: 1, bias: !batchNorm, file: file, line: line)
    }
    norms = batchNorm ? stages.map { BatchNorm2d($0, file: file, line: line) } : []
    self.dense = Linear(
      (stages.last ?? channels) * rows * columns, dense, axes: ["mlp", nil], file: file, line: line)
    head = Linear(dense, outputs, axes: [nil, "mlp"], file: file, line: line)
    pool = MaxPool2d(kernel: 2, file: file, line: line)
    self.dropout = Dropout(dropout)
  }

  public func callAsFunction(_ x: Tensor, _ context: Context) -> Tensor {
    var x = x
    for (index, convolution) in convolutions.enumerated() {
      x = convolution(x)
      if norms.indices.contains(index) { x = norms[index](x, context) }
      x = pool(relu(x))
    }
    return head(dropout(relu(dense(x.flatten(from: 1))), context))
  }
}
