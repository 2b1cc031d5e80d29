import Foundation
import Pando
import PandoNN

extension Recipe.Model {
  /// Models of the same kind that are narrower, or have fewer layers in about the same proportion, and this one itself.
  ///
  /// Attention keeps its features of a head as nearly as the width allows; residual networks their depth; dense ones their
  /// number of layers. What a parametrization was tuned on (`base-width`) stays, so that `mup` carries the learning rate
  /// over all of them.
  package var sizesBelow: [Recipe.Model] {
    switch self {
    case .mlp(let mlp): return Self.shares.map { .mlp(mlp.scaled(by: $0)) }
    case .residualMLP(let mlp): return Self.shares.map { .residualMLP(mlp.scaled(by: $0)) }
    case .cnn(let cnn): return Self.shares.map { .cnn(cnn.scaled(by: $0)) }
    case .resnet(let resnet): return Self.shares.map { .resnet(resnet.scaled(by: $0)) }
    case .vit(let vit):
      return Self.blocks(width: vit.width, layers: vit.layers, heads: vit.heads).map { size in
        var smaller = vit
        (smaller.width, smaller.layers, smaller.heads) = size
        return .vit(smaller)
      }
    case .gpt(let gpt):
      return Self.blocks(width: gpt.width, layers: gpt.layers, heads: gpt.heads).map { size in
        var smaller = gpt
        (smaller.width, smaller.layers, smaller.heads) = size
        if let shared = gpt.keyValueHeads {
          let wanted = max(1, shared * smaller.heads / gpt.heads)
          smaller.keyValueHeads = (1...wanted).last { smaller.heads % $0 == 0 }
        }
        if let every = gpt.experts?.every { smaller.experts?.every = min(every, smaller.layers) }
        return .gpt(smaller)
      }
    }
  }

  /// Shares of a width, 3 % apart: from a fiftieth to all of it.
  private static let shares = (0...130).map { pow(1.03, -Double($0)) }

  /// Widths, layers and heads of transformers from small to the size given, whose width over layers is within a factor
  /// of two of its own.
  private static func blocks(
    width: Int, layers: Int, heads: Int
  ) -> [(width: Int, layers: Int, heads: Int)] {
    // Vector units like multiples of 8; wide models need no finer steps than a thirty-second.
    let unit = width >= 64 ? 8 : 2
    let stride = max(unit, width / 32 / unit * unit)
    let features = Double(width) / Double(heads)
    let own = Double(width) / Double(layers)
    var sizes = [(width: width, layers: layers, heads: heads)]
    for narrower in Swift.stride(from: stride, to: width + 1, by: stride) {
      // An even number of features a head, since rotary positions turn pairs.
      let possible = (1...narrower).filter { narrower % $0 == 0 && narrower / $0 % 2 == 0 }
      guard
        let count = possible.min(by: {
          abs(log(Double(narrower / $0) / features)) < abs(log(Double(narrower / $1) / features))
        })
      else { continue }
      for fewer in 1...layers where (0.5...2).contains(Double(narrower) / Double(fewer) / own) {
        sizes.append((narrower, fewer, count))
      }
    }
    return sizes
  }

  /// How far the proportion of width to layers is from another model's, as a logarithm; 0 where there are no layers.
  package func disproportion(to other: Recipe.Model) -> Double {
    switch (self, other) {
    case (.gpt(let a), .gpt(let b)): Self.disproportion((a.width, a.layers), (b.width, b.layers))
    case (.vit(let a), .vit(let b)): Self.disproportion((a.width, a.layers), (b.width, b.layers))
    default: 0
    }
  }

  private static func disproportion(_ a: (Int, Int), _ b: (Int, Int)) -> Double {
    abs(log(Double(a.0) / Double(a.1)) - log(Double(b.0) / Double(b.1)))
  }

  /// Trained elements.
  ///
  /// - Throws: `RecipeError` or `ModuleError` where there is no such model for the data.
  package func parameterCount(for task: TrainingTask) throws -> Int {
    try makeLayer(inputType: task.inputType, classes: task.classes).namedParameters()
      .reduce(0) { $0 + ($1.parameter.isTrainable ? $1.parameter.type.count : 0) }
  }

  /// The sizes in a few words: `width 96, layers 2, heads 3`.
  package var sizeText: String {
    switch self {
    case .mlp(let mlp): "hidden \(mlp.hidden.map(String.init).joined(separator: ", "))"
    case .residualMLP(let mlp): "width \(mlp.width), layers \(mlp.layers)"
    case .cnn(let cnn):
      "channels \(cnn.channels.map(String.init).joined(separator: ", ")), dense \(cnn.dense)"
    case .resnet(let resnet): "depth \(resnet.depth), width \(resnet.width)"
    case .vit(let vit): "width \(vit.width), layers \(vit.layers), heads \(vit.heads)"
    case .gpt(let gpt): "width \(gpt.width), layers \(gpt.layers), heads \(gpt.heads)"
    }
  }
}

/// A share of a number of features: at least 1.
private func part(_ count: Int, _ share: Double) -> Int { max(1, Int((Double(count) * share).rounded())) }

extension Recipe.Model.MLP {
  fileprivate func scaled(by share: Double) -> Self {
    var smaller = self
    smaller.hidden = hidden.map { part($0, share) }
    return smaller
  }
}

extension Recipe.Model.ResidualMLP {
  fileprivate func scaled(by share: Double) -> Self {
    var smaller = self
    smaller.width = part(width, share)
    smaller.hidden = hidden.map { part($0, share) }
    return smaller
  }
}

extension Recipe.Model.CNN {
  fileprivate func scaled(by share: Double) -> Self {
    var smaller = self
    smaller.channels = channels.map { part($0, share) }
    smaller.dense = part(dense, share)
    return smaller
  }
}

extension Recipe.Model.ResNet {
  fileprivate func scaled(by share: Double) -> Self {
    var smaller = self
    smaller.width = part(width, share)
    return smaller
  }
}
