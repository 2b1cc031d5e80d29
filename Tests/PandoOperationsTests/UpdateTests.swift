import PandoEngine
import PandoIR
import PandoOperations
import PandoTestSupport
import Testing

/// Three steps of PyTorch 2.15's optimizers in float32 on one parameter, learning rate 0.1.
@Suite struct UpdateTests {
  private let gradients: [[Double]] = [[0.5, -1, 2], [1, 0.25, -0.5], [-1, -1, 0.125]]

  @Test func plainDescentIsTorchs() throws {
    let state = try run(SGDUpdate(), state: 1)
    #expect(agree(state[0], [0.949999988, -1.82499993, 0.337500036], 1e-7))
  }

  @Test func momentumIsTorchs() throws {
    let state = try run(SGDUpdate(momentum: 0.9, weightDecay: 0.1), state: 2)
    #expect(agree(state[0], [0.721773982, -1.56879807, 0.0197694898], 2e-7))
    #expect(agree(state[1], [0.548260033, -2.09401989, 1.37780499], 2e-7))
  }

  @Test func nesterovIsTorchs() throws {
    let state = try run(SGDUpdate(momentum: 0.9, nesterov: true), state: 2)
    #expect(agree(state[0], [0.747049987, -1.53384995, -0.076049991], 2e-7))
  }

  @Test func decoupledDecayIsTorchsAdamW() throws {
    let state = try run(AdamUpdate(beta1: 0.8, beta2: 0.95, epsilon: 1e-3, weightDecay: 0.1), state: 3)
    #expect(agree(state[0], [0.770323455, -1.72968721, 0.309874535], 2e-7))
    #expect(agree(state[1], [0.0240000039, -0.288000017, 0.201000005], 2e-7))
    #expect(agree(state[2], [0.108781248, 0.0980937481, 0.193156257], 2e-7))
  }

  @Test func decayThroughTheGradientIsTorchsAdam() throws {
    let state = try run(AdamUpdate(weightDecay: 0.1, decoupled: false), state: 3)
    #expect(agree(state[0], [0.779899895, -1.75715363, 0.308235824], 2e-7))
    #expect(agree(state[2], [0.00239213184, 0.00284181559, 0.00443111733], 1e-8))
  }

  /// The first step of Adam is the learning rate in the gradient's direction, whatever the gradient's size: it is so
  /// only where 1 - 0.999 keeps its digits.
  @Test func biasCorrectionKeepsItsDigits() throws {
    let type = TensorType([2])
    let zero = ReferenceTensor(type, reals: [0, 0])
    let results = try ReferenceEngine.evaluate(
      AdamUpdate(epsilon: 0),
      [
        zero, ReferenceTensor(type, reals: [1e-3, -7]), zero, zero,
        ReferenceTensor(.scalar(.float32), reals: [0.5]), ReferenceTensor(.scalar(.float32), reals: [1]),
      ])
    #expect(agree(results[0].doubles, [-0.5, 0.5], 2e-7))
  }

  @Test func errorsSayWhatToDo() {
    let (p, rate) = (TensorType([2, 3]), TensorType.scalar(.float32))
    #expect(message(SGDUpdate(), p, TensorType([3]), rate).contains("shape of the parameter float32[2,3]"))
    #expect(message(SGDUpdate(), p, p, p).contains("learning rate must be a floating-point scalar"))
    #expect(message(SGDUpdate(momentum: 0.9), p, p, rate).contains("the velocity and the learning rate"))
    #expect(message(SGDUpdate(nesterov: true), p, p, rate).contains("needs a momentum"))
    #expect(message(AdamUpdate(beta1: 1), p, p, p, p, rate, rate).contains("below 1.0, got 1.0"))
    #expect(message(AdamUpdate(weightDecay: -1), p, p, p, p, rate, rate).contains("weight decay"))
  }

  /// The parameter and the optimizer's state after three steps.
  private func run(_ operation: any PandoIR.Operation, state count: Int) throws -> [[Double]] {
    let type = TensorType([3])
    var state = [ReferenceTensor(type, reals: [1, -2, 0.5])]
    state += (0..<count - 1).map { _ in ReferenceTensor(type, reals: [0, 0, 0]) }
    for (step, gradient) in gradients.enumerated() {
      var operands = state
      operands.insert(ReferenceTensor(type, reals: gradient), at: 1)
      operands.append(ReferenceTensor(.scalar(.float32), reals: [0.1]))
      if operation is AdamUpdate {
        operands.append(ReferenceTensor(.scalar(.float32), reals: [Double(step + 1)]))
      }
      state = try ReferenceEngine.evaluate(operation, operands)
    }
    return state.map(\.doubles)
  }
}
