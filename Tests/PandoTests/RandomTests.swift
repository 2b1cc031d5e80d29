import Pando
import Testing

@Suite struct RandomTests {
  @Test func theSameSeedDrawsTheSame() throws {
    var (a, b, c) = (Random(seed: 7), Random(seed: 7), Random(seed: 8))
    let first = try a.uniform([100]).floats()
    #expect(try b.uniform([100]).floats() == first)
    #expect(try c.uniform([100]).floats() != first)
    #expect(try a.uniform([100]).floats() != first)
    var later = Random(seed: 7, step: 1)
    #expect(try later.uniform([100]).floats() != first)
  }

  @Test func devicesDrawTheSame() throws {
    var random = Random(seed: 3)
    let uniform = random.uniform([1001], in: -2..<5)
    let cpu = try compile(on: .cpu) { _ in [uniform] }([])[0].floats()
    let reference = try compile(on: .reference) { _ in [uniform] }([])[0].floats()
    #expect(zip(cpu, reference).allSatisfy { abs($0 - $1) < 1e-5 })
    #expect(cpu.allSatisfy { $0 >= -2 && $0 < 5 })
  }

  @Test func momentsAreRight() throws {
    var random = Random(seed: 1)
    let normal = random.normal([100_000], mean: 3, deviation: 2)
    #expect(abs(try normal.mean().scalar() - 3) < 0.03)
    #expect(abs(try normal.variance().scalar() - 4) < 0.08)
    let hits = random.bernoulli([100_000], probability: 0.3).cast(.float32)
    #expect(abs(try hits.mean().scalar() - 0.3) < 0.01)
  }

  @Test func aKeyOfAnotherTypeIsRefused() {
    var random = Random(key: Tensor([1, 2]))
    let error = #expect(throws: TypeError.self) { try random.uniform([2]).floats() }
    #expect(error?.description.contains("int64[2]") == true)
  }
}
