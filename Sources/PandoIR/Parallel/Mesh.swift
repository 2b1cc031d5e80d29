/// Ranks arranged in a box: each has a place along every named axis.
///
/// Ranks are numbered row-major, so neighbours along the last axis have neighbouring numbers: put the axis that
/// exchanges most there, where ranks share a machine. *Axis* is said of meshes, *dimension* of tensors.
public struct Mesh: Hashable, Sendable, Codable {
  /// One direction of a mesh.
  public struct Axis: Hashable, Sendable, Codable {
    /// The name by which shardings refer to it: `data`.
    public let name: String
    /// How many ranks lie along it.
    public let size: Int

    /// An axis; a mesh checks what it is given.
    public init(name: String, size: Int) {
      self.name = name
      self.size = size
    }
  }

  /// The axes, outermost first.
  public let axes: [Axis]

  /// A mesh of named axes, outermost first: `try Mesh(["data": 2, "tensor": 4])`.
  ///
  /// - Throws: `ShardingError` where a name is empty, used twice or has other characters than letters, digits, `-` and
  ///   `_`, or where a size is not positive or their product cannot be counted.
  public init(_ axes: KeyValuePairs<String, Int>) throws(ShardingError) {
    try self.init(axes: axes.map { Axis(name: $0.key, size: $0.value) })
  }

  /// A mesh of axes, outermost first; see `init(_:)` for errors.
  public init(axes: [Axis]) throws(ShardingError) {
    var count = 1
    for (index, axis) in axes.enumerated() {
      guard !axis.name.isEmpty, axis.name != "_",
        axis.name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") })
      else {
        throw ShardingError(
          "a mesh axis is called '\(axis.name)'; names are made of letters, digits, '-' and '_'")
      }
      guard !axes[..<index].contains(where: { $0.name == axis.name }) else {
        throw ShardingError("two mesh axes are called '\(axis.name)'")
      }
      guard axis.size > 0 else {
        throw ShardingError("the mesh axis '\(axis.name)' has size \(axis.size); it must be at least 1")
      }
      let (product, overflow) = count.multipliedReportingOverflow(by: axis.size)
      guard !overflow else { throw ShardingError("a mesh of \(axes.map(\.size)) has too many ranks") }
      count = product
    }
    self.axes = axes
  }

  private enum CodingKeys: String, CodingKey { case axes }

  /// Reads axes, and checks them as `init(axes:)` does.
  public init(from decoder: any Decoder) throws {
    try self.init(axes: decoder.container(keyedBy: CodingKeys.self).decode([Axis].self, forKey: .axes))
  }

  /// How many ranks there are.
  public var count: Int { axes.reduce(1) { $0 * $1.size } }

  /// The size of an axis; `nil` for one that the mesh lacks.
  public func size(of name: String) -> Int? { axes.first { $0.name == name }?.size }

  /// How many ranks lie in a group along `names`, each of which the mesh has.
  public func parts(_ names: [String]) -> Int { names.reduce(1) { $0 * size(of: $1)! } }

  /// The place of a rank along every axis.
  public func coordinates(of rank: Int) -> [Int] {
    precondition((0..<count).contains(rank), "rank \(rank) is not in \(self)")
    var rest = rank
    var places = [Int](repeating: 0, count: axes.count)
    for index in axes.indices.reversed() {
      places[index] = rest % axes[index].size
      rest /= axes[index].size
    }
    return places
  }

  /// The rank at a place along every axis.
  public func rank(at coordinates: [Int]) -> Int {
    precondition(
      coordinates.count == axes.count
        && zip(coordinates, axes).allSatisfy { (0..<$1.size).contains($0) },
      "\(coordinates) is no place in \(self)")
    return zip(coordinates, axes).reduce(0) { $0 * $1.1.size + $1.0 }
  }

  /// The place of a rank among the ranks of its group along `names`, the first of which is the outermost.
  public func index(of rank: Int, along names: [String]) -> Int {
    let places = coordinates(of: rank)
    return names.reduce(0) { index, name in
      let axis = axes.firstIndex { $0.name == name }!
      return index * axes[axis].size + places[axis]
    }
  }

  /// The ranks that differ from `rank` along `names` only, in the order of `index(of:along:)`.
  public func group(of rank: Int, along names: [String]) -> [Int] {
    let own = coordinates(of: rank)
    let places = names.map { name in axes.firstIndex { $0.name == name }! }
    return (0..<parts(names)).map { index in
      var (coordinates, rest) = (own, index)
      for axis in places.reversed() {
        coordinates[axis] = rest % axes[axis].size
        rest /= axes[axis].size
      }
      return self.rank(at: coordinates)
    }
  }

  /// Every group along `names`, by its lowest rank.
  public func groups(along names: [String]) -> [[Int]] {
    var seen: Set<Int> = []
    var groups: [[Int]] = []
    for rank in 0..<count where !seen.contains(rank) {
      let group = group(of: rank, along: names)
      seen.formUnion(group)
      groups.append(group)
    }
    return groups
  }
}

extension Mesh: CustomStringConvertible {
  /// `data=2 tensor=4`; `one rank` where there are no axes.
  public var description: String {
    axes.isEmpty ? "one rank" : axes.map { "\($0.name)=\($0.size)" }.joined(separator: " ")
  }

  /// Reads what `description` prints.
  ///
  /// - Throws: `ShardingError` where the text is anything else.
  public init(parsing text: String) throws(ShardingError) {
    var axes: [Axis] = []
    for word in text == "one rank" ? [] : text.split(separator: " ") {
      let parts = word.split(separator: "=", omittingEmptySubsequences: false)
      guard parts.count == 2, let size = Int(parts[1]) else {
        throw ShardingError("'\(word)' is no mesh axis; write name=size")
      }
      axes.append(Axis(name: String(parts[0]), size: size))
    }
    try self.init(axes: axes)
  }
}
