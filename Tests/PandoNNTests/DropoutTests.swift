import Pando
import PandoNN
import Testing

private let ones = Tensor.ones([40, 50])

private func dropped(_ probability: Double, _ context: Context) throws -> [Float] {
  try Dropout(probability)(ones, context).floats(on: .reference)
}

@Test func dropoutDoesNothingInEvaluation() throws {
  #expect(try dropped(0.5, .evaluation()).allSatisfy { $0 == 1 })
}

@Test func dropoutKeepsTheMean() throws {
  let values = try dropped(0.25, .training(key: key(7, 3)))
  #expect(values.allSatisfy { $0 == 0 || abs($0 - 4 / 3) < 1e-5 })
  let share = Double(values.count { $0 == 0 }) / Double(values.count)
  #expect(abs(share - 0.25) < 0.04)
}

@Test func sameKeyDropsTheSameElements() throws {
  let first = try dropped(0.5, .training(key: key(7, 3)))
  #expect(try dropped(0.5, .training(key: key(7, 3))) == first)
  #expect(try dropped(0.5, .training(key: key(7, 4))) != first)
  #expect(try dropped(0.5, .training(key: key(8, 3))) != first)
}

@Test func layersOfOneModelDropDifferentElements() throws {
  let context = Context.training(key: key(7, 3))
  #expect(try dropped(0.5, context) != dropped(0.5, context))
}

@Test func gradientPassesWhereElementsStay() throws {
  let x = Tensor.ones([30, 4]) * 2
  let y = Dropout(0.5)(x, .training(key: key(1, 0)))
  let slope = try gradient(of: y.sum(), at: x)
  let buffers = try Tensor.buffers([y, slope], on: .reference).map(\.doubles)
  #expect(zip(buffers[0], buffers[1]).allSatisfy { $0 == 2 * $1 })
  #expect(buffers[1].contains(0) && buffers[1].contains(2))
}
