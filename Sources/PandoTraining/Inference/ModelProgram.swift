import Pando
import PandoNN

/// A model made ready to answer: compiled in evaluation mode for inputs of one shape, over buffers that stay.
///
/// Write into `input`, call `run`, read `output`; a run allocates nothing. Used by one thread at a time.
public final class ModelProgram {
  /// What goes in.
  public let input: HostBuffer
  /// What comes out.
  public let output: HostBuffer
  /// What is run.
  public let program: Program

  /// Compiles a model.
  ///
  /// - Parameters:
  ///   - model: maps a tensor of type `inputType` to one tensor.
  ///   - weights: each parameter and statistic of the model with its numbers.
  ///   - precision: what the model was trained with; the output is of the type that the model gives in it.
  /// - Throws: `TypeError` (naming the layer) or `EngineError`.
  public init(
    _ model: any Layer, weights: [(placeholder: Tensor, buffer: HostBuffer)], inputType: TensorType,
    precision: Recipe.Precision, device: Device
  ) throws {
    let x = Tensor.placeholder("input", inputType)
    let inputs = weights.map(\.placeholder) + [x]
    let y = try precision.applied(to: [model(x, .evaluation())], of: inputs)[0]
    program = try Program([y], inputs: inputs, on: device, frozen: Set(weights.indices))
    input = HostBuffer(inputType)
    output = HostBuffer(y.type)
    program.bind(weights.map(\.buffer) + [input], into: [output])
  }

  /// Computes `output` from `input`. What only depends on the weights is computed in the first run; say
  /// `program.refresh()` after changing them.
  public func run() throws { try program.run() }
}
