import Pando
import PandoNN

extension Recipe.Model {
  /// The network.
  ///
  /// - Parameters:
  ///   - type: the type of one input; for text its length is the context.
  ///   - classes: how many classes, or tokens, there are.
  /// - Throws: `RecipeError` where the sizes do not fit together.
  func makeLayer(inputType type: TensorType, classes: Int) throws -> any Layer {
    switch self {
    case .mlp(let mlp):
      return PandoNN.MLP(
        inputs: type.count, hidden: mlp.hidden, outputs: classes, activation: mlp.activation.function,
        dropout: mlp.dropout, parametrization: mlp.parametrization.rule(baseWidth: mlp.baseWidth))
    case .residualMLP(let mlp):
      return PandoNN.ResidualMLP(
        inputs: type.count, features: mlp.width, layers: mlp.layers, hidden: mlp.hidden, outputs: classes,
        activation: mlp.activation.function, dropout: mlp.dropout)
    case .cnn(let cnn):
      let (channels, height, width) = try imageShape(type)
      let factor = 1 << cnn.channels.count
      guard height >= factor, width >= factor else {
        throw RecipeError(
          keyPath: "model.channels",
          message: "\(cnn.channels.count) poolings by 2 leave nothing of an image of \(height)×\(width)")
      }
      return PandoNN.CNN(
        channels: channels, height: height, width: width, stages: cnn.channels, dense: cnn.dense,
        outputs: classes, batchNorm: cnn.batchNorm, dropout: cnn.dropout)
    case .resnet(let resnet):
      return try PandoNN.ResNet(
        depth: resnet.depth, form: resnet.form == .cifar ? .cifar : .imageNet, channels: imageShape(type).0,
        width: resnet.width, classes: classes)
    case .vit(let vit):
      let (channels, height, width) = try imageShape(type)
      guard height.isMultiple(of: vit.patch), width.isMultiple(of: vit.patch) else {
        throw RecipeError(
          keyPath: "model.patch",
          message: "patches of \(vit.patch) do not tile an image of \(height)×\(width)")
      }
      return PandoNN.ViT(
        channels: channels, height: height, width: width, patch: vit.patch, features: vit.width,
        layers: vit.layers,
        heads: vit.heads, classes: classes, dropout: vit.dropout,
        parametrization: vit.parametrization.rule(baseWidth: vit.baseWidth), baseHeads: vit.baseHeads)
    case .gpt(let gpt):
      return PandoNN.GPT(
        vocabulary: classes, context: type.shape[0], layers: gpt.layers, width: gpt.width, heads: gpt.heads,
        keyValueHeads: gpt.keyValueHeads ?? gpt.heads, dropout: gpt.dropout, rotary: gpt.rotary,
        tied: gpt.tied, parametrization: gpt.parametrization.rule(baseWidth: gpt.baseWidth),
        baseHeads: gpt.baseHeads, experts: gpt.experts?.options, expertInterval: gpt.experts?.every ?? 1)
    }
  }

  private func imageShape(_ type: TensorType) throws -> (Int, Int, Int) {
    guard type.rank == 3 else {
      throw RecipeError(
        keyPath: "model.kind",
        message: "needs images [channels, height, width], but a sample is \(type); use mlp")
    }
    return (type.shape[0], type.shape[1], type.shape[2])
  }
}

extension Recipe.Model.Parametrization {
  /// The parametrization that the recipe names.
  func rule(baseWidth: Int?) -> PandoNN.Parametrization {
    switch (self, baseWidth) {
    case (.mup, let width?): .maximalUpdate(baseWidth: width)
    default: .standard
    }
  }
}

extension Recipe.Model.Experts {
  /// What the layer is told.
  var options: PandoNN.MixtureOfExperts.Options {
    PandoNN.MixtureOfExperts.Options(
      count: count, top: top, capacity: capacity, balance: balance, routerZ: routerZ)
  }
}

extension Recipe.Model.Activation {
  /// The function that the recipe names.
  var function: PandoNN.Activation {
    switch self {
    case .relu: .relu
    case .gelu: .gelu
    case .silu: .silu
    case .tanh: .tanh
    case .sigmoid: .sigmoid
    }
  }
}
