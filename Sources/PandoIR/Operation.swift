/// A step of a graph: pure, typed, and ignorant of engines.
///
/// An operation is a value whose stored properties are its attributes: they are compared and hashed for common
/// subexpressions and program caches, and encoded (as JSON) in the graph's text form. Its rules stand next to it:
/// types, gradient, sharding, cost. What an engine can do with it is an extension in that engine's own target.
public protocol Operation: Hashable, Sendable, Codable {
  /// The name in the text form, `snake_case`, unique in the catalogue.
  static var name: String { get }

  /// How many operands there are; `nil` where the number varies.
  static var operandCount: Int? { get }

  /// What passes may assume.
  var traits: Traits { get }

  /// What mixed precision may do with the operands.
  var precision: PrecisionRule { get }

  /// The types of the results.
  ///
  /// - Throws: `TypeError` that says what was expected and what was given.
  func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType]

  /// Emits the vector–Jacobian product.
  ///
  /// - Parameters:
  ///   - cotangents: one for each result, of the result's type; zeros where a result is unused.
  ///   - operands: the operands of this node.
  ///   - results: the results of this node; rules prefer them where that saves keeping an operand.
  ///   - graph: where the rule emits.
  /// - Returns: a cotangent for each operand; `nil` where the gradient is zero or does not exist (integers).
  func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?]

  /// How the operation may be split over a mesh.
  func shardingRule(_ operands: [TensorType]) -> ShardingRule

  /// Arithmetic and memory traffic of one execution.
  func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost
}

extension Operation {
  /// Nothing may be assumed.
  public var traits: Traits { [] }

  /// What only moves elements takes them as they are; anything else keeps float32 unless it says otherwise.
  public var precision: PrecisionRule { traits.contains(.movement) ? .follow : .full }

  /// Reads each operand once, writes each result once, one floating-point operation for each result element.
  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    Cost(flops: results.first?.count ?? 0, operands: operands, results: results)
  }
}

/// What a pass may assume of an operation.
public struct Traits: OptionSet, Hashable, Sendable {
  /// The bits.
  public let rawValue: Int
  /// A set from its bits.
  public init(rawValue: Int) { self.rawValue = rawValue }

  /// Each result element depends only on the operands' elements at the same place; all shapes are equal.
  public static let elementwise = Traits(rawValue: 1 << 0)
  /// The result holds the same bytes as the first operand, in the same order.
  public static let alias = Traits(rawValue: 1 << 1)
  /// Each result element is a copy of some operand element (or of padding), so it costs memory traffic only.
  public static let movement = Traits(rawValue: 1 << 2)
  /// Draws from a counter-based random stream: the same operands give the same numbers.
  public static let random = Traits(rawValue: 1 << 3)
  /// Has no operands and is cheaper to make again than to keep.
  public static let generator = Traits(rawValue: 1 << 4)
  /// Exchanging the two operands does not change the result.
  public static let commutative = Traits(rawValue: 1 << 5)
  /// The first result may be written over the first operand, element for element or row for row.
  public static let inPlace = Traits(rawValue: 1 << 6)
  /// Exchanges something with other ranks, which all do the same in the same order: passes keep the order of such nodes.
  public static let collective = Traits(rawValue: 1 << 12)
}

/// Arithmetic and memory traffic of one execution of an operation.
public struct Cost: Hashable, Sendable {
  /// What kind of work it is: each has its own ceiling on a machine.
  public enum Kind: String, CaseIterable, Hashable, Sendable, Codable, CodingKeyRepresentable {
    /// Matrix products.
    case product
    /// Convolutions that take every place of the image, and their gradients by the image.
    case convolution
    /// The same with steps between places.
    case stridedConvolution = "strided-convolution"
    /// Gradients of convolutions by the weights.
    case weightConvolution = "weight-convolution"
    /// The same with steps between places.
    case stridedWeightConvolution = "strided-weight-convolution"
    /// Attention done at once, and its gradient.
    case attention
    /// Anything that goes over its operands and results a few times.
    case sweep
  }

  /// Floating-point operations (a fused multiply–add counts two).
  public var flops: Int
  /// Bytes read from and written to memory when nothing is cached.
  public var bytes: Int
  /// What kind of work it is.
  public var kind: Kind
  /// Bytes that one rank sends to others.
  public var sentBytes: Int

  /// A cost from its figures.
  public init(flops: Int, bytes: Int, kind: Kind = .sweep, sentBytes: Int = 0) {
    self.flops = flops
    self.bytes = bytes
    self.kind = kind
    self.sentBytes = sentBytes
  }

  /// `flops`, and each operand read once and each result written once.
  public init(
    flops: Int, operands: [TensorType], results: [TensorType], kind: Kind = .sweep, sentBytes: Int = 0
  ) {
    self.init(
      flops: flops, bytes: (operands + results).reduce(0) { $0 + $1.byteCount }, kind: kind,
      sentBytes: sentBytes)
  }
}

/// How an operation may be split over a mesh, one label for each dimension.
///
/// Dimensions that share a label are split together: `ik,kj->ij`. A label that no result has leaves partial results
/// to be combined by `reduction`. A label in `whole` must not be split. (After Shardy's sharding rules.)
///
/// A label is cut into equal parts of every dimension that has it. Sizes under one label are equal but for labels in
/// `outermost`.
public struct ShardingRule: Hashable, Sendable {
  /// How the partial results of a split label that no result has are combined.
  public enum Reduction: String, Hashable, Sendable, Codable { case sum, maximum, minimum, product }

  /// One string for each operand, one label for each of its dimensions.
  public var operands: [String]
  /// One string for each result.
  public var results: [String]
  /// Labels along which the operation needs the whole dimension.
  public var whole: Set<Character>
  /// How partial results are combined.
  public var reduction: Reduction
  /// Labels of dimensions that are the outermost of several which a view merges or divides: their sizes differ.
  public var outermost: Set<Character>
  /// Sets of operands in which the operation is linear: where exactly those operands are sums of terms that ranks hold,
  /// and the others are the same on these ranks, so are the results.
  public var linear: [Set<Int>]
  /// Labels in `whole`, each with another label that takes over the axes along which its dimension is cut: an exchange
  /// before the operation and one behind it then keep all ranks at work.
  public var moving: [Character: Character]

  /// A rule from its labels.
  public init(
    operands: [String], results: [String], whole: Set<Character> = [], reduction: Reduction = .sum,
    outermost: Set<Character> = [], linear: [Set<Int>] = [],
    moving: [Character: Character] = [:]
  ) {
    self.operands = operands
    self.results = results
    self.whole = whole
    self.reduction = reduction
    self.outermost = outermost
    self.linear = linear
    self.moving = moving
  }

  /// Distinct labels for `count` dimensions, starting at `a`.
  public static func labels(_ count: Int, from start: Int = 0) -> String {
    String((start..<start + count).map { Character(UnicodeScalar(UInt32(97 + $0))!) })
  }

  /// The rule of an elementwise operation with `operandCount` operands and `resultCount` results of one rank.
  public static func elementwise(
    rank: Int, operandCount: Int, resultCount: Int = 1, linear: [Set<Int>] = []
  ) -> ShardingRule {
    let labels = labels(rank)
    return ShardingRule(
      operands: Array(repeating: labels, count: operandCount),
      results: Array(repeating: labels, count: resultCount), linear: linear)
  }
}
