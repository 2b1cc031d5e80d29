import PandoIR

/// Multiplies two tensors, summing over every label absent from the result.
///
/// Each dimension has a label: `ik,kj->ij` is a matrix product, `bik,bkj->bij` its batched form. Labels alone decide
/// the shape, the gradient and how the operation may be sharded.
public struct Contraction: Accumulating {
  public static let name = "contraction"
  public static let operandCount: Int? = 2

  /// One label for each dimension of the first operand.
  public let lhs: String
  /// One label for each dimension of the second operand.
  public let rhs: String
  /// One label for each dimension of the result.
  public let result: String
  public let resultDType: DType?

  /// A contraction from the labels of its operands and its result.
  ///
  /// - Parameter dtype: the result's element type, either the operands' (as for `nil`) or their accumulator's.
  public init(lhs: String, rhs: String, result: String, dtype: DType? = nil) {
    self.lhs = lhs
    self.rhs = rhs
    self.result = result
    resultDType = dtype
  }

  /// As in `Contraction("ik,kj->ij")`.
  public init(_ labels: String) {
    let sides = labels.split(separator: ">", maxSplits: 1, omittingEmptySubsequences: false)
    let operands = sides[0].dropLast().split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false)
    precondition(sides.count == 2 && operands.count == 2, "'\(labels)' is not like 'ik,kj->ij'")
    self.init(lhs: String(operands[0]), rhs: String(operands[1]), result: String(sides[1]))
  }

  public var precision: PrecisionRule { .low }

  public func accumulating(in dtype: DType) -> Contraction? {
    Contraction(lhs: lhs, rhs: rhs, result: result, dtype: dtype)
  }

  /// Every label has one size, and is shared by at least two of the three tensors.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let (x, y) = (operands[0], operands[1])
    guard x.dtype == y.dtype else { throw TypeError(self, "cannot mix \(x) and \(y); convert one") }
    guard x.dtype != .bool else { throw TypeError(self, "takes numbers, got \(x) and \(y)") }
    for (labels, rank) in [(lhs, x.rank), (rhs, y.rank), (result, result.count)]
    where labels.count != rank || Set(labels).count != rank {
      throw TypeError(self, "'\(labels)' must name each of \(rank) dimensions once, for \(x) and \(y)")
    }
    for label in Set(lhs + rhs + result) where [lhs, rhs, result].count(where: { $0.contains(label) }) < 2 {
      throw TypeError(
        self, "'\(label)' of '\(lhs),\(rhs)->\(result)' stands in one tensor only; reduce it first")
    }
    var sizes = Dictionary(uniqueKeysWithValues: zip(lhs, x.shape))
    for (label, size) in zip(rhs, y.shape) {
      if let other = sizes.updateValue(size, forKey: label), other != size {
        throw TypeError(
          self, "'\(label)' is \(other) in \(x) but \(size) in \(y), in '\(lhs),\(rhs)->\(result)'")
      }
    }
    return [TensorType(result.map { sizes[$0]! }, try accumulatedDType(x))]
  }

  /// The gradient of each operand contracts the cotangent with the other operand.
  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    let cotangent = try graph.convert(cotangents[0], to: operands[0].type.dtype)
    let dx = try graph.emit(Contraction(lhs: result, rhs: rhs, result: lhs), cotangent, operands[1])
    let dy = try graph.emit(Contraction(lhs: lhs, rhs: result, result: rhs), operands[0], cotangent)
    return [dx, dy]
  }

  /// Any label may be sharded; one absent from the result leaves partial sums to reduce.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    ShardingRule(operands: [lhs, rhs], results: [result], linear: [[0], [1]])
  }

  /// Two floating-point operations for each combination of labels.
  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    var sizes = Dictionary(zip(lhs, operands[0].shape), uniquingKeysWith: { first, _ in first })
    sizes.merge(zip(rhs, operands[1].shape), uniquingKeysWith: { first, _ in first })
    return Cost(
      flops: 2 * sizes.values.reduce(1, *), operands: operands, results: results, kind: .product)
  }
}

extension Contraction: CustomStringConvertible {
  /// The labels: `ik,kj->ij`.
  public var description: String { "\(lhs),\(rhs)->\(result)" }
}
