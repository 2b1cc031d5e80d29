import PandoEngine
import PandoIR
import Synchronization

/// What tensors refer to: made once, never changed, but for the numbers that are kept when they have been computed.
final class TensorNode: Sendable {
  enum Kind: Sendable {
    case buffer(HostBuffer)
    case placeholder(PlaceholderName)
    case operation(any Operation, [Tensor], SourceSite)
    case failed(TypeError)
  }

  let kind: Kind
  let types: [TensorType]
  private let computed = Mutex<[HostBuffer?]>([])

  init(_ kind: Kind, _ types: [TensorType]) {
    self.kind = kind
    self.types = types
  }

  var failure: TypeError? {
    if case .failed(let error) = kind { error } else { nil }
  }

  /// The numbers of a result, where they are known.
  func buffer(_ index: Int) -> HostBuffer? {
    if case .buffer(let buffer) = kind { return buffer }
    return computed.withLock { $0.isEmpty ? nil : $0[index] }
  }

  func keep(_ buffer: HostBuffer, _ index: Int) {
    computed.withLock { buffers in
      if buffers.isEmpty { buffers = Array(repeating: nil, count: types.count) }
      buffers[index] = buffer
    }
  }
}

/// A placeholder's name, which a model sets when it learns it.
final class PlaceholderName: Sendable {
  private let storage: Mutex<String>

  init(_ name: String) { storage = Mutex(name) }

  var name: String {
    get { storage.withLock { $0 } }
    set { storage.withLock { $0 = newValue } }
  }
}
