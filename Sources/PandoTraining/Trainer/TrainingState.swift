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
    /// Stands for the whole tensor.
    let placeholder: Tensor
    /// What this process holds of it.
    let buffer: HostBuffer
    /// How it is spread over ranks; `nil` for a whole copy.
    var placement: Placement?
    /// The stage of a pipeline that has it, or first has it.
    var stage = 0
    /// Whether it lies in a file.
    var isOffloaded = false

    /// Whether another stage holds it.
    var isElsewhere: Bool { buffer.type.count == 0 && placeholder.type.count > 0 }
  }

  let model: any Layer
  let parameters: [NamedParameter]
  /// Weights and statistics, in the model's order.
  let weights: [Entry]
  /// For each trainable parameter, the optimizer's tensors.
  let slots: [[Entry]]

  /// Indices into `parameters` of those that are trained.
  let trainable: [Int]

  /// Over which ranks the state is spread; `nil` where each holds all of it.
  let parallelism: Parallelism?

  /// What of the state and of its programs lies in files.
  let offload: StateOffload

  /// A model's state at the start of a run.
  ///
  /// - Parameters:
  ///   - threads: how many may draw.
  ///   - isPlan: whether it has no numbers and no memory, only names and types.
  ///   - offload: what lies in files.
  ///   - spread: makes of the parameters how they are spread over ranks.
  /// - Throws: `OffloadError` where a file cannot be made.
  init(
    _ model: any Layer, optimizer: any Optimizer, seed: UInt64, threads: Int, isPlan: Bool = false,
    offload: StateOffload = StateOffload(), spread: ([NamedParameter]) throws -> Parallelism? = { _ in nil }
  ) throws {
    self.model = model
    let parameters = try model.namedParameters()
    self.parameters = parameters
    let parallelism = try spread(parameters)
    self.parallelism = parallelism
    func localType(_ type: TensorType, _ placement: Placement?, _ name: String) throws -> TensorType {
      guard let parallelism, let placement else { return type }
      return try placement.sharding.localType(of: type, on: parallelism.group.mesh, name: name)
    }
    // What other stages hold takes no memory here.
    func isHeld(_ index: Int) -> Bool { parallelism?.holds(index) ?? true }
    func elsewhere(_ type: TensorType) -> HostBuffer { HostBuffer(TensorType([0], type.dtype)) }
    func part(_ buffer: HostBuffer, _ placement: Placement?, _ name: String) throws -> HostBuffer {
      guard let parallelism, let placement else { return buffer }
      let group = parallelism.group
      return try buffer.shard(placement.sharding, of: group.mesh, rank: group.rank, name: name)
    }
    weights = try parameters.enumerated().map { index, entry in
      let parameter = entry.parameter
      let placement = try parallelism?.strategy.placement(of: entry)
      let buffer =
        !isHeld(index)
        ? elsewhere(parameter.type)
        : isPlan
          ? HostBuffer(try localType(parameter.type, placement, entry.name), borrowing: Self.nowhere)
          : try part(
            parameter.initializer.makeBuffer(
              parameter.type, name: entry.name, seed: seed, threads: threads), placement, entry.name)
      return Entry(
        name: entry.name, placeholder: parameter.tensor, buffer: buffer, placement: placement,
        stage: parallelism?.stage?.holders[index][0] ?? 0)
    }
    trainable = parameters.indices.filter { parameters[$0].parameter.isTrainable }
    self.offload = offload
    let slotTypes = try trainable.filter(isHeld).flatMap { index in
      try optimizer.slots(for: parameters[index].parameter.type).map { slot in
        try localType(
          slot.type, try parallelism?.strategy.placement(ofSlot: slot.type, for: parameters[index]), slot.name
        )
      }
    }
    let file = try isPlan ? nil : offload.file(for: slotTypes)
    func made(_ type: TensorType) -> HostBuffer {
      if isPlan { return HostBuffer(type, borrowing: Self.nowhere) }
      return file.flatMap { offload.takes(type) ? HostBuffer(type, in: $0) : nil } ?? HostBuffer(type)
    }
    slots = try trainable.map { index in
      try optimizer.slots(for: parameters[index].parameter.type).map { slot in
        let name = "\(slot.name).\(parameters[index].name)"
        let placement = try parallelism?.strategy.placement(ofSlot: slot.type, for: parameters[index])
        let type = try localType(slot.type, placement, name)
        return Entry(
          name: name, placeholder: .placeholder(name, slot.type),
          buffer: isHeld(index) ? made(type) : elsewhere(type),
          placement: placement, stage: parallelism?.stage?.holders[index][0] ?? 0,
          isOffloaded: isHeld(index) && offload.takes(type))
      }
    }
  }

  /// An address at which nothing is, for state that nobody reads.
  private static var nowhere: UnsafeMutableRawPointer { UnsafeMutableRawPointer(bitPattern: 64)! }

  /// Weights, then the optimizer's tensors: the order in which programs take them.
  var entries: [Entry] { weights + slots.flatMap { $0 } }

  /// Elements of all trained parameters.
  var parameterCount: Int { trainable.reduce(0) { $0 + parameters[$1].parameter.type.count } }
}
