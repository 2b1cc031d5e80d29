import Pando

/// A parameter and its path from the model.
public struct NamedParameter: Sendable {
  /// The property path: `blocks.0.attention.qkv.weight`.
  public let name: String
  /// The parameter.
  public let parameter: Parameter
}

/// A model that cannot be built.
public struct ModuleError: Error, Sendable, CustomStringConvertible {
  /// What is wrong and what to do.
  public let description: String
  /// An error with its description.
  public init(_ description: String) { self.description = description }
}

extension Module {
  /// Every parameter with its path, in the order of the properties; one that several layers hold stands once, under its
  /// first name. Parameters learn their names, so that errors can say them.
  ///
  /// - Throws: `ModuleError` where a property hides parameters from this walk: a dictionary, a tuple or a plain struct
  ///   that holds modules.
  public func namedParameters() throws -> [NamedParameter] {
    var walk = ParameterWalk()
    try walk.visit(self, path: "")
    for entry in walk.found { entry.parameter.tensor.rename(entry.name) }
    return walk.found
  }
}

private struct ParameterWalk {
  var found: [NamedParameter] = []
  private var seen: Set<ObjectIdentifier> = []

  mutating func visit(_ value: Any, path: String) throws {
    if let parameter = value as? Parameter {
      if seen.insert(ObjectIdentifier(parameter)).inserted {
        found.append(NamedParameter(name: path, parameter: parameter))
      }
      return
    }
    if let sequence = value as? any ModuleSequence {
      for (index, member) in sequence.members.enumerated() { try visit(member, path: join(path, "\(index)")) }
      return
    }
    let mirror = Mirror(reflecting: value)
    switch mirror.displayStyle {
    case .optional:
      if let child = mirror.children.first { try visit(child.value, path: path) }
    case .collection:
      for (index, child) in mirror.children.enumerated() {
        try visit(child.value, path: join(path, "\(index)"))
      }
    case .dictionary, .tuple, .set:
      for child in mirror.children where Self.holdsParameters(child.value) {
        throw ModuleError(
          "\(path) is a \(mirror.displayStyle!) that holds parameters; make it an array or a module")
      }
    default:
      for child in mirror.children {
        guard let label = child.label else { continue }
        if value is any Module || !Self.holdsParameters(child.value) {
          try visit(child.value, path: join(path, label))
        } else {
          throw ModuleError(
            "\(type(of: value)) at \(path) holds parameters but is not a Module; conform it to Module")
        }
      }
    }
  }

  private func join(_ path: String, _ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

  private static func holdsParameters(_ value: Any) -> Bool {
    if value is Parameter || value is any Module { return true }
    return Mirror(reflecting: value).children.contains { holdsParameters($0.value) }
  }
}
