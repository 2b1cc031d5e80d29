import PandoData
import PandoTraining

/// Square images of one channel and of three classes, from a formula.
func imageTask(count: Int, side: Int = 8) throws -> TrainingTask {
  let pixels = (0..<count * side * side).map { Float(($0 * 2_654_435_761) % 1000) / 1000 }
  return try TrainingTask(
    .classification(classes: 3, names: nil),
    ArraySource([
      ("input", HostArray(pixels, shape: [count, 1, side, side])),
      ("target", HostArray((0..<count).map { Int32($0 % 3) }, shape: [count])),
    ]))
}
