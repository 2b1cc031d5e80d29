/// Values that only a recipe has.

extension Codec where Value == String {
  /// A name that can be a folder's: letters, digits, `-`, `_` and `.`, not starting with a dot.
  package static let folderName = Codec(
    .text,
    decode: { (node, path) throws(RecipeError) in
      let name = try Codec<String>.text.decode(node, path)
      let isPlain = name.unicodeScalars.allSatisfy {
        $0.properties.isAlphabetic || ("0"..."9").contains($0) || $0 == "-" || $0 == "_" || $0 == "."
      }
      guard isPlain, !name.hasPrefix("."), name.utf8.count <= 200 else {
        throw RecipeError(
          path, at: node.origin,
          "expected letters, digits, '-', '_' and '.', not starting with a dot, got \(node.given)")
      }
      return name
    }, encode: { .text($0) })
}

extension Codec where Value == Recipe.Validation {
  /// A share above 0 and below 1, or a split's name.
  package static let validation = Codec(
    .either([.number(.between(0, 1)), .text]),
    decode: { (node, path) throws(RecipeError) in
      if node.number != nil {
        return .fraction(try Codec<Double>.number(.between(0, 1)).decode(node, path))
      }
      return .split(try Codec<String>.text.decode(node, path))
    },
    encode: {
      switch $0 {
      case .fraction(let share): .number(share)
      case .split(let name): .text(name)
      }
    })
}

extension Codec where Value == Recipe.Normalization {
  private struct Statistics: Sendable {
    var mean: [Double] = []
    var deviation: [Double] = []
  }

  private static let statistics = Section<Statistics>(
    blank: Statistics(),
    [
      .required("mean", \.mean, .list(.number(.finite)), "The mean of each channel."),
      .required("std", \.deviation, .list(.number(.above(0))), "The standard deviation of each channel."),
    ])

  /// `true`, `false`, or `{mean: […], std: […]}`.
  package static let normalization = Codec(
    .either([.boolean, .section(statistics.shape)]),
    decode: { (node, path) throws(RecipeError) in
      guard case .map = node.content else {
        guard case .scalar("true", isQuoted: false) = node.content else {
          guard case .scalar("false", isQuoted: false) = node.content else {
            throw RecipeError(
              path, at: node.origin, "expected true, false or {mean: […], std: […]}, got \(node.given)")
          }
          return .off
        }
        return .measured
      }
      let values = try statistics.decode(node, at: path)
      guard values.mean.count == values.deviation.count else {
        throw RecipeError(
          path, at: node.origin,
          "expected as many std as mean, got \(values.mean.count) mean, \(values.deviation.count) std")
      }
      return .fixed(mean: values.mean, deviation: values.deviation)
    },
    encode: {
      switch $0 {
      case .off: .boolean(false)
      case .measured: .boolean(true)
      case .fixed(let mean, let deviation): statistics.encode(Statistics(mean: mean, deviation: deviation))
      }
    })
}

extension Codec where Value == [Recipe.Axis] {
  /// A map from an axis' name to its size, in the mesh's order.
  package static let axes = Codec(
    .dictionary(of: .integer(1...(1 << 20))),
    decode: { (node, path) throws(RecipeError) in
      guard case .map(let entries) = node.content else {
        throw ValueShape.dictionary(of: .integer(1...(1 << 20))).mismatch(node, at: path)
      }
      var axes: [Recipe.Axis] = []
      for entry in entries {
        guard entry.key.first?.isLetter == true, entry.key.utf8.count <= 64 else {
          throw RecipeError(
            join(path, entry.key), at: entry.keyOrigin,
            "expected an axis' name such as 'data', got '\(entry.key)'")
        }
        let size = try Codec<Int>.integer(1...(1 << 20)).decode(entry.value, join(path, entry.key))
        axes.append(Recipe.Axis(name: entry.key, size: size))
      }
      return axes
    },
    encode: { .map($0.map { PlainValue.Member($0.name, .integer($0.size)) }) })
}

extension Codec where Value == [Recipe.NamedAxis] {
  /// A map from the name of parameters' dimensions to a mesh axis.
  package static let namedAxes = Codec(
    .dictionary(of: .text),
    decode: { (node, path) throws(RecipeError) in
      guard case .map(let entries) = node.content else {
        throw ValueShape.dictionary(of: .text).mismatch(node, at: path)
      }
      var names: [Recipe.NamedAxis] = []
      for entry in entries {
        let axis = try Codec<String>.text.decode(entry.value, join(path, entry.key))
        names.append(Recipe.NamedAxis(name: entry.key, axis: axis))
      }
      return names
    },
    encode: { .map($0.map { PlainValue.Member($0.name, .text($0.axis)) }) })
}

extension Codec where Value == Recipe.Parallel {
  /// `auto`, or the keys of a strategy.
  package static let parallel = Codec(
    .either([.choice(["auto"]), .section(Recipe.Parallel.section.shape)]),
    decode: { (node, path) throws(RecipeError) in
      if case .scalar(let word, _) = node.content, !node.isNothing {
        guard word == "auto" else {
          throw RecipeError(
            path, at: node.origin, "expected auto, or keys such as {axes: {data: 2}}, got \(node.given)")
        }
        var parallel = Recipe.Parallel()
        parallel.isAutomatic = true
        return parallel
      }
      return try Recipe.Parallel.section.decode(node, at: path)
    },
    encode: { $0.isAutomatic ? .text("auto") : Recipe.Parallel.section.encode($0) })
}
