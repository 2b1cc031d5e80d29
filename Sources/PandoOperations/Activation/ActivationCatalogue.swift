import PandoIR

extension Catalogue {
  static let activation: [any PandoIR.Operation.Type] = [
    ReLU.self, LeakyReLU.self, ELU.self, Softplus.self, GELU.self, GELUGradient.self, SiLU.self,
    SiLUGradient.self, Clip.self, Softmax.self, SoftmaxGradient.self, LogSoftmax.self,
    LogSoftmaxGradient.self,
  ]
}
