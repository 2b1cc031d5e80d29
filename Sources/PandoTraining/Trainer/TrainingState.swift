import Foundation
import Pando
import PandoNN
import PandoOptimizers

/// Everything that a step changes: parameters, running statistics and the optimizer's memory, each with its name and
/// its buffer.
final class TrainingState {
  /// One tensor of the state.
  struct Entry {
    let name: String
    let placeholder: Tensor
    let buffer: HostBuffer
  }

  let model: any Layer
  let parameters: [NamedParameter]
  /// Weights and statistics, in the model's order.
  let weights: [Entry]
  /// For each trainable parameter, the optimizer's tensors.
  let slots: [[Entry]]

  /// Indices into `parameters` of those that are trained.
  let trainable: [Int]

  /// A model's state at the start of a run.
  init(_ model: any Layer, optimizer: any Optimizer, seed: UInt64) throws {
    self.model = model
    parameters = try model.namedParameters()
    weights = parameters.map { entry in
      let parameter = entry.parameter
      return Entry(
        name: entry.name, placeholder: parameter.tensor,
        buffer: parameter.initializer.makeBuffer(parameter.type, name: entry.name, seed: seed))
    }
    trainable = parameters.indices.filter { [parameters] in parameters[$0].parameter.isTrainable }
    slots = trainable.map { [parameters] index in
      optimizer.slots(for: parameters[index].parameter.type).map { slot in
        let name = "\(slot.name).\(parameters[index].name)"
        return Entry(name: name, placeholder: .placeholder(name, slot.type), buffer: HostBuffer(slot.type))
      }
    }
  }

  /// Weights, then the optimizer's tensors: the order in which programs take them.
  var entries: [Entry] { weights + slots.flatMap { $0 } }

  /// Elements of all trained parameters.
  var parameterCount: Int { trainable.reduce(0) { $0 + parameters[$1].parameter.type.count } }
}
