import Foundation
import Pando
import PandoData
import PandoPlanning
import Testing

/// Predicted times worked out by hand, and ceilings that are kept.
@Suite struct CostModelTests {
  private var ceilings: Ceilings {
    func line(_ factor: Double) -> Ceilings.Line {
      Ceilings.Line(start: 1, perOperation: factor, perByte: 10, perCachedByte: 1)
    }
    return Ceilings(
      lines: [.product: line(0.5), .convolution: line(0.25), .attention: line(0.125), .sweep: line(2)],
      shortLines: [.product: line(0.01)], cacheBytes: 1000)
  }

  /// A product of 2×3 and 3×4 has 48 operations, and (6 + 12 + 8) · 4 bytes.
  @Test func aProductByHand() throws {
    let (a, b) = (Tensor.placeholder("a", TensorType([2, 3])), Tensor.placeholder("b", TensorType([3, 4])))
    var device = Device.cpu
    device.ceilings = ceilings
    device.ceilings.cacheBytes = 1 << 20
    let program = try Program([matmul(a, b)], inputs: [a, b], on: device)
    let (operations, bytes) = (48.0, 104.0)
    // One to start, half for each operation, one for each byte: the program fits into the caches.
    let expected: Double = 1 + operations / 2 + bytes
    #expect(program.estimatedSeconds == expected)
  }

  @Test func whatIsTooLargeForTheCachesComesFromMemory() {
    let work = Cost(flops: 3, bytes: 800)
    #expect(ceilings.seconds(of: work, footprint: 1000) == 807)
    #expect(ceilings.seconds(of: work, footprint: 1001) == 8007)
    #expect(ceilings.seconds(of: Cost(flops: 3, bytes: 62), footprint: 1001) == 69)
    // Sixteen bits have a line of their own where one was measured.
    #expect(ceilings.seconds(of: Cost(flops: 100, bytes: 0, kind: .product), isShort: true) == 2)
    #expect(ceilings.seconds(of: Cost(flops: 100, bytes: 0, kind: .attention), isShort: true) == 13.5)
  }

  /// Attention's operations: two products forwards, five backwards, over the pairs that the mask leaves.
  @Test func attentionByHand() throws {
    let q = Tensor.placeholder("q", TensorType([2, 3, 4, 8]))
    let k = Tensor.placeholder("k", TensorType([2, 3, 4, 8]))
    let v = Tensor.placeholder("v", TensorType([2, 3, 4, 8]))
    func flops(causal: Bool) throws -> Int {
      try Program([scaledDotProductAttention(q, k, v, causal: causal)], inputs: [q, k, v]).graph.cost.flops
    }
    // Two products of two operations each, for 6 heads, 8 features and so many pairs.
    let perPair = 2 * 2 * 6 * 8
    #expect(try flops(causal: false) == perPair * 16)
    #expect(try flops(causal: true) == perPair * 10)
  }

  @Test func linesAreFoundAgain() {
    let rows = (1...12).map { [1, Double($0 * $0), Double(13 - $0), 0] }
    let fitted = LineFit.nonNegative(rows: rows, values: rows.map { 2 + 3 * $0[1] + 0.5 * $0[2] })
    for (weight, expected) in zip(fitted, [2, 3, 0.5, 0]) { #expect(abs(weight - expected) < 1e-6) }
    // What would be negative does not count.
    let falling = LineFit.nonNegative(rows: rows, values: rows.map { 100 - $0[1] / 2 })
    #expect(falling.allSatisfy { $0 >= 0 })
  }

  /// Work that takes three times what a line through the rest says, where products are small and many.
  @Test func aLineBendsToWhatWasSeen() {
    func seconds(_ flops: Int) -> Double { (flops == 1 << 20 ? 3e-9 : 1e-9) * Double(flops) }
    let observations = stride(from: 8, through: 32, by: 4).map { power in
      Calibration.Observation(
        cost: Cost(flops: 1 << power, bytes: 64, kind: .product), isShort: false, footprint: 64,
        seconds: seconds(1 << power))
    }
    let fitted = Calibration.fit(observations, cacheBytes: 1 << 20)
    for power in [20, 24, 32] {
      let said = fitted.seconds(of: Cost(flops: 1 << power, bytes: 64, kind: .product), footprint: 64)
      #expect(abs(said / seconds(1 << power) - 1) < 0.1, "2^\(power) operations")
    }
    // Two octaves from everything measured the line is straight again.
    let line = fitted.lines[.product]!
    let between = Cost(flops: 1 << 22, bytes: 64, kind: .product)
    #expect(
      abs(line.seconds(of: between, isCached: true) / line.straightSeconds(of: between, isCached: true) - 1)
        < 0.01)
  }

  @Test func ceilingsAreKeptByThreads() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "pando-\(UUID().uuidString)/c.json")
    defer { try? FileManager.default.removeItem(at: url.deletingLastPathComponent()) }
    let file = CalibrationFile(url)
    #expect(try file.ceilings(threads: 2) == nil)
    try file.save(ceilings, threads: 2)
    try file.save(Ceilings(), threads: 1)
    #expect(try file.ceilings(threads: 2) == ceilings)
    #expect(try file.ceilings(threads: 1) == Ceilings())
    #expect(try file.ceilings(threads: 3) == nil)
    // Another version's figures count as none; what is no calibration is refused.
    let text = try String(contentsOf: url, encoding: .utf8)
    try Data(text.replacing("\"version\" : 2", with: "\"version\" : 9").utf8).write(to: url)
    #expect(try file.ceilings(threads: 2) == nil)
    try Data("{".utf8).write(to: url)
    #expect(throws: DataError.self) { try file.ceilings(threads: 2) }
  }
}
