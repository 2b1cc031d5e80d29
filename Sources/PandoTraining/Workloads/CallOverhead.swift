import Foundation
import Pando

/// What a compiled step costs that has nothing to do.
enum CallOverhead {
  private static let rounds = 15
  private static let calls = 200

  /// Microseconds from the call of a compiled function, which adds two numbers, to its result: the median of several
  /// rounds. Everything that comes with a call is in it: finding the program for the arguments' types, memory for the
  /// result, the run itself, and the tensor that is handed out.
  static func microseconds(on device: Device) throws -> Double {
    let step = compile(on: device) { [$0[0] + $0[1]] }
    let arguments = [Tensor(1), Tensor(2)]
    var times: [Double] = []
    for _ in 0...rounds {
      let start = ContinuousClock.now
      for _ in 0..<calls { _ = try step(arguments) }
      times.append(start.duration(to: .now) / .microseconds(1) / Double(calls))
    }
    // The first compiles.
    return times.dropFirst().sorted()[rounds / 2]
  }
}
