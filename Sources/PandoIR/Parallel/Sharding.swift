/// How a tensor is spread over a mesh.
///
/// Each dimension is cut into equal parts along some mesh axes, the first of which is the outermost; ranks that differ
/// along other axes hold copies. Along the axes in `partial` each rank holds a term, and the tensor is their sum (or
/// other reduction).
public struct Sharding: Hashable, Sendable {
  /// For each dimension the mesh axes that it is cut along.
  public var dimensions: [[String]]
  /// Axes along which ranks hold terms.
  public var partial: [String]
  /// How terms become the tensor.
  public var reduction: ShardingRule.Reduction

  /// A sharding from the axes of its dimensions.
  public init(
    _ dimensions: [[String]], partial: [String] = [], reduction: ShardingRule.Reduction = .sum
  ) {
    self.dimensions = dimensions
    self.partial = partial
    self.reduction = partial.isEmpty ? .sum : reduction
  }

  /// A whole copy on every rank.
  public static func replicated(_ rank: Int) -> Sharding { Sharding(Array(repeating: [], count: rank)) }

  /// Whether every rank has a whole copy.
  public var isReplicated: Bool { partial.isEmpty && dimensions.allSatisfy(\.isEmpty) }

  /// Every axis that cuts a dimension.
  public var axes: [String] { dimensions.flatMap { $0 } }

  /// The same cuts of a whole tensor.
  public var reduced: Sharding { Sharding(dimensions) }

  /// The type of one rank's part.
  ///
  /// - Parameter name: what errors call the tensor.
  /// - Throws: `ShardingError` where the mesh lacks an axis, an axis is used twice, the number of dimensions is another
  ///   one, or a dimension does not divide evenly.
  public func localType(
    of type: TensorType, on mesh: Mesh, name: String = "the tensor"
  ) throws(ShardingError) -> TensorType {
    guard dimensions.count == type.rank else {
      throw ShardingError("\(self) is written for \(dimensions.count) dimensions, \(name) is \(type)")
    }
    var seen: Set<String> = []
    for axis in axes + partial {
      guard mesh.size(of: axis) != nil else {
        let near = nearestName(to: axis, among: mesh.axes.map(\.name)).map { "; did you mean '\($0)'?" } ?? ""
        throw ShardingError("\(name) is to be spread over '\(axis)', but the mesh is \(mesh)\(near)")
      }
      guard seen.insert(axis).inserted else {
        throw ShardingError("\(self) of \(name) uses the axis '\(axis)' twice")
      }
    }
    var shape = type.shape
    for (dimension, names) in dimensions.enumerated() {
      let parts = mesh.parts(names)
      guard shape[dimension].isMultiple(of: parts) else {
        throw .uneven(shape[dimension], over: names, parts, "dimension \(dimension) of \(name) (\(type))")
      }
      shape[dimension] /= parts
    }
    return type.with(shape: shape)
  }

  /// The first place of a rank's part along every dimension of a tensor that divides evenly.
  public func starts(of type: TensorType, on mesh: Mesh, rank: Int) -> [Int] {
    dimensions.indices.map { dimension in
      type.shape[dimension] / mesh.parts(dimensions[dimension])
        * mesh.index(of: rank, along: dimensions[dimension])
    }
  }
}

extension Sharding: CustomStringConvertible {
  /// `[data,_,tensor*fsdp]`, and ` sum(data)` behind it where terms are left.
  public var description: String {
    let cuts = dimensions.map { $0.isEmpty ? "_" : $0.joined(separator: "*") }.joined(separator: ",")
    return "[\(cuts)]" + (partial.isEmpty ? "" : " \(reduction.rawValue)(\(partial.joined(separator: ",")))")
  }

  /// Reads what `description` prints.
  ///
  /// - Throws: `ShardingError` where the text is anything else.
  public init(parsing text: String) throws(ShardingError) {
    func fail() -> ShardingError {
      ShardingError("'\(text)' is no sharding; write [data,_,tensor*fsdp], or [_,_] sum(data)")
    }
    func names(_ text: Substring, _ separator: Character) throws(ShardingError) -> [String] {
      let parts = text.split(separator: separator, omittingEmptySubsequences: false)
      guard
        parts.allSatisfy({
          !$0.isEmpty && $0.allSatisfy { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }
        })
      else { throw fail() }
      return parts.map(String.init)
    }
    guard text.hasPrefix("["), let close = text.firstIndex(of: "]") else { throw fail() }
    let inside = text[text.index(after: text.startIndex)..<close]
    var dimensions: [[String]] = []
    if !inside.isEmpty {
      for part in inside.split(separator: ",", omittingEmptySubsequences: false) {
        dimensions.append(part == "_" ? [] : try names(part, "*"))
      }
    }
    let rest = text[text.index(after: close)...]
    guard !rest.isEmpty else {
      self.init(dimensions)
      return
    }
    guard rest.hasPrefix(" "), rest.hasSuffix(")"), let open = rest.firstIndex(of: "("),
      let reduction = ShardingRule.Reduction(rawValue: String(rest[..<open].dropFirst()))
    else { throw fail() }
    let partial = try names(rest[rest.index(after: open)...].dropLast(), ",")
    self.init(dimensions, partial: partial, reduction: reduction)
  }
}

extension Sharding: Codable {
  /// Reads the text form.
  public init(from decoder: any Decoder) throws {
    try self.init(parsing: decoder.singleValueContainer().decode(String.self))
  }

  /// Writes the text form.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
