import PandoIR
import PandoOperations

/// Sets elements to zero at random, each with probability `probability`, and divides the others by the probability of
/// staying, so that the mean does not change (Srivastava et al. 2014, "Dropout").
///
/// - Parameters:
///   - key: `int64[2]`, the seed and the step: the same key and stream give the same mask.
///   - stream: a number that nothing else with this key uses.
public func dropout(
  _ x: Tensor, _ probability: Double, key: Tensor, stream: Int, file: StaticString = #fileID,
  line: UInt = #line
) -> Tensor { .emit(Dropout(probability: probability, stream: stream), [x, key], file: file, line: line) }
