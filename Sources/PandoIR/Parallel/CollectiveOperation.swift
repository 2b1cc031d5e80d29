/// An operation that all ranks of a group do together, or that depends on a rank's place in its group.
///
/// The graph is the same on every rank and holds the types of one rank's part. A group are the ranks that differ along
/// `axes` of the mesh only; an engine is told the mesh and this rank's place when it compiles.
///
/// Gradients are those of the sum of all ranks' results, so that the gradient of a sum over ranks is a sum again.
public protocol CollectiveOperation: Operation {
  /// The mesh axes along which the group's ranks differ, outermost first.
  var axes: [String] { get }
  /// How many ranks the group has.
  var parts: Int { get }
}

/// A collective that moves data between ranks.
public protocol ExchangeOperation: CollectiveOperation {
  /// What it does, in a word.
  var exchange: ExchangeKind { get }
  /// What is exchanged, in errors and traces: `blocks.4.mlp.weight`.
  var label: String { get }
  /// The number of the `ExchangeEnd` that waits for it; `nil` for an exchange that is over when its node is.
  var channel: Int? { get }
  /// Whether terms of all ranks are combined: such an exchange is begun as soon as its operand is there.
  var isReduction: Bool { get }
  /// Whether the operand's memory is read until the exchange is over.
  var readsUntilEnd: Bool { get }

  /// The same exchange on a channel; `nil` where it cannot go on beside other work.
  func on(channel: Int) -> (any ExchangeOperation)?
}

extension ExchangeOperation {
  /// Not on a channel.
  public var channel: Int? { nil }
  /// Only moves data.
  public var isReduction: Bool { false }
  /// The operand is read at any time until the end.
  public var readsUntilEnd: Bool { true }
  /// Cannot go on beside other work.
  public func on(channel: Int) -> (any ExchangeOperation)? { nil }
}

/// Waits for the exchange that was begun on a channel; its first operand is that exchange's result.
public protocol ExchangeEnd: Operation {
  /// The channel, as the exchange names it.
  var channel: Int { get }
}

/// Checks what holds of exchanges in a graph, beside what holds of every node.
struct ExchangeVerifier {
  /// For each open channel the value that is being made.
  private var open: [Int: Value] = [:]
  private var pending: Set<Int> = []
  private var sizes: [[String]: Int] = [:]

  mutating func visit(_ node: Node, _ place: String) throws(VerifierError) {
    if let collective = node.operation as? any CollectiveOperation {
      if let size = sizes[collective.axes], size != collective.parts {
        throw VerifierError(
          description:
            "\(place) has \(collective.parts) ranks along \(collective.axes), another node has \(size)")
      }
      sizes[collective.axes] = collective.parts
    }
    if let end = node.operation as? any ExchangeEnd, let made = open[end.channel] {
      guard node.operands.first == made else {
        throw VerifierError(description: "\(place) waits for channel \(end.channel), but not for its result")
      }
      open[end.channel] = nil
      pending.remove(made.id)
    }
    for operand in node.operands where pending.contains(operand.id) {
      throw VerifierError(description: "\(place) uses %\(operand.id), whose exchange is not over")
    }
    if let exchange = node.operation as? any ExchangeOperation, let channel = exchange.channel {
      guard open.updateValue(node.results[0], forKey: channel) == nil else {
        throw VerifierError(description: "\(place) begins on channel \(channel), which is taken")
      }
      pending.insert(node.results[0].id)
    }
  }

  func finish() throws(VerifierError) {
    if let channel = open.keys.min() {
      throw VerifierError(description: "nothing waits for the exchange on channel \(channel)")
    }
  }
}
