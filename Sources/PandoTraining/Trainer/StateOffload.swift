import Foundation
import Pando

/// What of a run lies in files, and where.
struct StateOffload {
  /// Whether the optimizer's tensors do.
  let holdsState: Bool
  private let holdsValues: Bool
  private let folder: URL
  private let isCached: Bool
  private let isPlan: Bool

  /// Nothing.
  init() {
    (holdsState, holdsValues, isCached, isPlan) = (false, false, true, false)
    folder = URL(fileURLWithPath: ".", isDirectory: true)
  }

  /// - Parameters:
  ///   - scratch: the folder where the recipe names none; the working folder if there is none either.
  ///   - isPlan: whether no file is made.
  init(_ recipe: Recipe.Offload, scratch: URL?, isPlan: Bool) {
    (holdsState, holdsValues) = (recipe.state, recipe.activations)
    isCached = recipe.cached
    folder =
      recipe.folder.map { URL(fileURLWithPath: $0, isDirectory: true) } ?? scratch
      ?? URL(fileURLWithPath: ".", isDirectory: true)
    self.isPlan = isPlan
  }

  /// Whether one of the optimizer's tensors lies in the file: small ones are not worth it.
  func takes(_ type: TensorType) -> Bool { holdsState && type.byteCount >= OffloadFile.alignment }

  /// A file with room for those of some tensors that it takes; `nil` where it takes none.
  ///
  /// - Throws: `OffloadError` where it cannot be made.
  func file(for types: [TensorType]) throws -> OffloadFile? {
    let bytes = types.reduce(0) { takes($1) ? $0 + OffloadFile.aligned($1.byteCount) : $0 }
    return bytes == 0 ? nil : try file(byteCount: bytes)
  }

  /// A file of some length in the same folder.
  ///
  /// - Throws: `OffloadError` where it cannot be made.
  func file(byteCount: Int) throws -> OffloadFile {
    try OffloadFile(in: folder, byteCount: byteCount, isCached: isCached)
  }

  /// What of a program lies in files.
  ///
  /// - Parameters:
  ///   - places: of its inputs, those whose buffers do.
  ///   - hasGradients: whether it computes gradients, so that it has values which wait.
  func program(_ places: Set<Int>, hasGradients: Bool) -> Offload {
    Offload(
      inputs: places, values: hasGradients && holdsValues ? folder : nil, isCached: isCached,
      isPlan: isPlan && !(places.isEmpty && !(hasGradients && holdsValues)))
  }
}

extension TrainingState {
  /// What of a program of the state lies in files.
  ///
  /// - Parameters:
  ///   - inputs: the program's inputs.
  ///   - hasGradients: whether it computes gradients.
  func offload(_ inputs: [Tensor], hasGradients: Bool = false) -> Offload {
    let names = Set(slots.joined().filter(\.isOffloaded).map(\.name))
    let places = inputs.indices.filter { inputs[$0].placeholderName.map(names.contains) ?? false }
    return offload.program(Set(places), hasGradients: hasGradients)
  }

  /// Bytes of the state that lie in a file.
  var offloadedBytes: Int {
    slots.joined().reduce(0) { $1.isOffloaded ? $0 + OffloadFile.aligned($1.buffer.type.byteCount) : $0 }
  }
}
