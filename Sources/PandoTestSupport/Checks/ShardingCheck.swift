import PandoEngine
import PandoIR
import PandoOperations

/// Judges a sharding rule by doing what it says: two halves along each label, put together again.
public enum ShardingCheck {
  /// Splits a sample's operands along every label that may be split and is even, runs both halves, and combines them.
  ///
  /// - Returns: what differs from the whole, or `nil`.
  public static func difference(_ sample: OperationSample) throws -> String? {
    let operands = sample.makeOperands()
    let types = operands.map(\.type)
    let rule = sample.operation.shardingRule(types)
    let whole = try ReferenceEngine.evaluate(sample.operation, operands)
    guard rule.operands.map(\.count) == types.map(\.rank), rule.results.map(\.count) == whole.map(\.type.rank)
    else {
      return "the rule \(rule) does not label each dimension"
    }
    var sizes: [Character: Int] = [:]
    for (labels, type) in zip(rule.operands, types) {
      for (label, size) in zip(labels, type.shape) { sizes[label] = size }
    }
    for (labels, type) in zip(rule.results, whole.map(\.type)) {
      for (label, size) in zip(labels, type.shape)
      where sizes[label, default: size] != size && !rule.outermost.contains(label) {
        return "label \(label) is \(sizes[label]!) in an operand and \(size) in a result"
      }
    }
    // An operation whose attributes hold sizes must be told the smaller ones; that is the partitioner's business.
    for (label, size) in sizes where !rule.whole.contains(label) && size > 1 && size.isMultiple(of: 2) {
      let halves = (0..<2).map { half in
        zip(operands, rule.operands).map { Self.half($0, $1, label, half) }
      }
      guard (try? sample.operation.resultTypes(halves[0].map(\.type))) != nil else { continue }
      let parts = try halves.map { try ReferenceEngine.evaluate(sample.operation, $0) }
      for place in whole.indices {
        guard let expected = Self.expected(whole[place], rule.results[place], label) else {
          guard parts[0][place].type == whole[place].type else { continue }
          let combined = combine(parts[0][place], parts[1][place], rule.reduction)
          if let difference = EngineCheck.difference(combined, whole[place], 1e-5) {
            return "split along \(label), result \(place) reduced: \(difference)"
          }
          continue
        }
        for half in 0..<2 where parts[half][place].type == expected[half].type {
          if let difference = EngineCheck.difference(parts[half][place], expected[half], 1e-5) {
            return "split along \(label), half \(half) of result \(place): \(difference)"
          }
        }
      }
    }
    return nil
  }

  private static func expected(_ tensor: ReferenceTensor, _ labels: String, _ label: Character)
    -> [ReferenceTensor]?
  {
    labels.contains(label) ? (0..<2).map { half(tensor, labels, label, $0) } : nil
  }

  private static func half(_ tensor: ReferenceTensor, _ labels: String, _ label: Character, _ half: Int)
    -> ReferenceTensor
  {
    guard let position = labels.firstIndex(of: label) else { return tensor }
    let dimension = labels.distance(from: labels.startIndex, to: position)
    var shape = tensor.type.shape
    shape[dimension] /= 2
    return ReferenceTensor(tensor.type.with(shape: shape), from: tensor) { index in
      var place = Indexing.coordinates(index, shape)
      place[dimension] += half * shape[dimension]
      return Indexing.linear(place, tensor.type.shape)
    }
  }

  private static func combine(
    _ x: ReferenceTensor, _ y: ReferenceTensor, _ reduction: ShardingRule.Reduction
  ) -> ReferenceTensor {
    ReferenceTensor(
      x.type,
      real: { index in
        switch reduction {
        case .sum: x.reals[index] + y.reals[index]
        case .product: x.reals[index] * y.reals[index]
        case .maximum:
          x.reals[index].isNaN || y.reals[index].isNaN ? .nan : max(x.reals[index], y.reals[index])
        case .minimum:
          x.reals[index].isNaN || y.reals[index].isNaN ? .nan : min(x.reals[index], y.reals[index])
        }
      },
      integer: { index in
        switch reduction {
        case .sum: x.integers[index] &+ y.integers[index]
        case .product: x.integers[index] &* y.integers[index]
        case .maximum: max(x.integers[index], y.integers[index])
        case .minimum: min(x.integers[index], y.integers[index])
        }
      })
  }
}
