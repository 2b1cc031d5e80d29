import Foundation
import PandoIR

/// Times the ways to compute a product of a convolution, for a `MethodBook`, which does so one at a time.
final class ConvolutionTrial: @unchecked Sendable {
  /// What kernels read and write meanwhile; it grows as needed and is kept for the next trial.
  private var memory: UnsafeMutableRawPointer?
  private var byteCount = 0

  deinit { free(memory) }

  /// How long the product takes; `nil` where it is not to be had.
  func duration(
    _ product: ConvolutionProduct, _ shape: ConvolutionShape, _ algorithm: ConvolutionAlgorithm, threads: Int
  ) -> Duration? {
    guard let arranged = ArrangedConvolution(product, shape, algorithm, isInference: false) else {
      return nil
    }
    let (layouts, plain) = (arranged.layouts, arranged.plainTypes)
    let operands = zip(layouts.operands, plain.operands).map { $0.type($1) }
    let result = layouts.result.type(plain.result)
    guard let kernel = try? arranged.lower(operands, [result], threads: threads) else { return nil }
    var steps = [(kernel, operands + [result])]
    // Training packs weights, or unpacks their gradient, in every step.
    let unpacks = product == .weightGradient
    if arranged.packing != nil,
      let packing = try? arranged.packingKernel(unpacks: unpacks, threads: threads)
    {
      let (plain, packed) = (shape.w, arranged.w.type(shape.w))
      steps.append((packing, unpacks ? [packed, plain] : [plain, packed]))
    }
    var sum = Duration.zero
    for (kernel, types) in steps {
      guard let duration = time(kernel, types) else { return nil }
      sum += duration
    }
    return sum
  }

  /// The shortest of some runs, which take a few milliseconds together; a long one is not repeated.
  private func time(_ kernel: Kernel, _ types: [TensorType]) -> Duration? {
    let sizes = (types.map(\.byteCount) + [kernel.workspaceBytes]).map { ($0 + 63) / 64 * 64 }
    reserve(sizes.reduce(0, +))
    guard var place = memory else { return nil }
    let pointers = sizes.map { size -> UnsafeMutableRawPointer? in
      defer { place += size }
      return place
    }
    var (best, sum) = (Duration?.none, Duration.zero)
    for _ in 0..<5 where sum < .milliseconds(3) {
      let start = ContinuousClock.now
      guard kernel.run(pointers) == 0 else { return nil }
      let time = start.duration(to: .now)
      best = min(best ?? time, time)
      sum += time
    }
    return best
  }

  /// Makes sure of so many bytes, which are written to where they are new, so that no run waits for the system.
  private func reserve(_ bytes: Int) {
    guard bytes > byteCount else { return }
    free(memory)
    memory = aligned_alloc(64, (bytes + 63) / 64 * 64)
    byteCount = memory == nil ? 0 : bytes
    memory?.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
  }
}
