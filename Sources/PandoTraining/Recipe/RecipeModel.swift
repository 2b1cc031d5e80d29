extension Recipe {
  /// The network: its family and its sizes. Sizes of inputs and outputs follow from the data.
  public enum Model: Hashable, Sendable {
    case mlp(MLP)
    case residualMLP(ResidualMLP)
    case cnn(CNN)
    case resnet(ResNet)
    case vit(ViT)
    case gpt(GPT)

    /// Whether it reads text.
    public var readsText: Bool {
      if case .gpt = self { true } else { false }
    }

    /// The function between layers.
    public enum Activation: String, CaseIterable, Hashable, Sendable {
      case relu, gelu, silu, tanh, sigmoid
    }

    /// How initial values, learning rates and multipliers depend on the width.
    public enum Parametrization: String, CaseIterable, Hashable, Sendable {
      case standard, mup
    }

    /// Fully connected layers.
    public struct MLP: Hashable, Sendable {
      /// Outputs of each hidden layer.
      public var hidden = [512, 512]
      /// After each hidden layer.
      public var activation = Activation.relu
      /// Share of hidden outputs dropped in training.
      public var dropout = 0.0
      /// How it depends on the width.
      public var parametrization = Parametrization.standard
      /// The width on which settings were tuned; present where the parametrization is `mup`.
      public var baseWidth: Int?

      /// Two hidden layers of 512.
      public init() {}
    }

    /// Fully connected layers with short cuts (Gorishniy et al. 2021, arXiv:2106.11959).
    public struct ResidualMLP: Hashable, Sendable {
      /// Blocks.
      public var layers = 8
      /// Features from block to block.
      public var width = 256
      /// Features within a block; absent means `width`.
      public var hidden: Int?
      /// Within each block.
      public var activation = Activation.relu
      /// Share of each block's outputs dropped in training.
      public var dropout = 0.0

      /// Eight blocks of width 256.
      public init() {}
    }

    /// Convolutions of 3×3, a pooling by 2 after each, then one dense layer.
    public struct CNN: Hashable, Sendable {
      /// Output channels of each convolution.
      public var channels = [32, 64]
      /// Outputs of the dense layer.
      public var dense = 128
      /// Share of the dense layer's outputs dropped in training.
      public var dropout = 0.0
      /// Whether a batch norm follows each convolution.
      public var batchNorm = false

      /// Two convolutions and a dense layer of 128.
      public init() {}
    }

    /// Residual network (He et al. 2015, arXiv:1512.03385).
    public struct ResNet: Hashable, Sendable {
      /// Layers with weights.
      public var depth = 18
      /// The first layers: for small images or for large ones.
      public var form = Form.cifar
      /// Channels of the first stage.
      public var width = 64

      /// The first layers of a residual network.
      public enum Form: String, CaseIterable, Hashable, Sendable {
        case cifar, imagenet
      }

      /// ResNet-18 for small images.
      public init() {}
    }

    /// Vision transformer (Dosovitskiy et al. 2020, arXiv:2010.11929).
    public struct ViT: Hashable, Sendable {
      /// Side of a square patch in pixels.
      public var patch = 4
      /// Features of each position.
      public var width = 128
      /// Blocks.
      public var layers = 6
      /// Attention heads; they divide the width.
      public var heads = 4
      /// Share of outputs dropped in training.
      public var dropout = 0.0
      /// How it depends on the width.
      public var parametrization = Parametrization.standard
      /// The width on which settings were tuned; present where the parametrization is `mup`.
      public var baseWidth: Int?
      /// The heads of a model of that width; absent means as many.
      public var baseHeads: Int?

      /// Six blocks of width 128 on patches of 4×4.
      public init() {}
    }

    /// Decoder-only transformer (Radford et al. 2019, "Language models are unsupervised multitask learners").
    public struct GPT: Hashable, Sendable {
      /// Blocks.
      public var layers = 4
      /// Features of each position.
      public var width = 128
      /// Attention heads; they divide the width.
      public var heads = 4
      /// Heads of keys and values, each shared by `heads / keyValueHeads` queries; absent means `heads`.
      public var keyValueHeads: Int?
      /// Share of outputs dropped in training.
      public var dropout = 0.0
      /// Rotary positions (Su et al. 2021, arXiv:2104.09864) in place of a learnt table.
      public var rotary = false
      /// Whether the output layer is the embedding transposed.
      public var tied = true
      /// How it depends on the width.
      public var parametrization = Parametrization.standard
      /// The width on which settings were tuned; present where the parametrization is `mup`.
      public var baseWidth: Int?
      /// The heads of a model of that width; absent means as many.
      public var baseHeads: Int?

      /// Several feed-forward layers in place of one; absent means one.
      public var experts: Experts?

      /// Four blocks of width 128.
      public init() {}
    }

    /// Feed-forward layers of which each token goes through a few (Shazeer et al. 2017, arXiv:1701.06538).
    public struct Experts: Hashable, Sendable {
      /// How many there are in a block.
      public var count = 8
      /// How many of them each token goes to.
      public var top = 2
      /// How many times as many tokens an expert takes as an even split would give it.
      public var capacity = 1.25
      /// Every so many blocks have experts.
      public var every = 2
      /// The weight of the loss that is least where all experts are used evenly.
      public var balance = 0.01
      /// The weight of the loss that keeps the router's scores small.
      public var routerZ = 0.001

      /// Eight experts in every second block.
      public init() {}
    }
  }
}
