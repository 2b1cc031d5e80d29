import Foundation
import Pando

/// Measures what a machine can do.
public enum Calibration {
  /// One operation's work and how long it took.
  package struct Observation {
    let cost: Cost
    let isShort: Bool
    /// Bytes of the program that it was a part of.
    let footprint: Int
    let seconds: Double

    package init(cost: Cost, isShort: Bool, footprint: Int, seconds: Double) {
      (self.cost, self.isShort, self.footprint, self.seconds) = (cost, isShort, footprint, seconds)
    }
  }

  /// Times small programs on `device` and draws a line through the times of each kind of work.
  ///
  /// - Parameters:
  ///   - meet: called before each program: ranks that measure at once wait for each other here.
  ///   - progress: is told what is measured, and how many of how many programs are done.
  public static func measure(
    on device: Device, meet: () throws -> Void = {}, progress: (String, Int, Int) -> Void = { _, _, _ in }
  ) throws -> Ceilings {
    let samples = try CalibrationSample.all(short: false) + CalibrationSample.all(short: true)
    // Twice, some seconds apart: what else the machine does slows one more than the other, and the quicker counts.
    var passes: [[Observation]] = []
    for pass in 0..<2 {
      var observations: [Observation] = []
      for (place, sample) in samples.enumerated() {
        progress(sample.name, pass * samples.count + place, 2 * samples.count)
        observations += try observe(sample, on: device, meet)
      }
      passes.append(observations)
    }
    return fit(zip(passes[0], passes[1]).map { $0.seconds < $1.seconds ? $0 : $1 }, cacheBytes: cacheBytes)
  }

  private static func observe(
    _ sample: CalibrationSample, on device: Device, _ meet: () throws -> Void
  ) throws -> [Observation] {
    let program = try Program(sample.outputs, inputs: sample.inputs, on: device)
    let buffers = sample.inputs.map { input -> HostBuffer in
      let buffer = HostBuffer(input.type)
      guard input.type.dtype.isFloatingPoint else { return buffer }
      let size = input.type.dtype.byteCount
      for index in 0..<input.type.count {
        ElementBytes.store(
          Double((index &* 7919) % 251) / 251 + 0.1, as: input.type.dtype, to: buffer.pointer + index * size)
      }
      return buffer
    }
    program.bind(buffers, into: sample.outputs.map { HostBuffer($0.type) })
    let graph = program.compiledGraph
    var times = [[Double]](repeating: [], count: graph.nodes.count)
    try program.run()
    try meet()
    let began = ContinuousClock.now
    var runs = 0
    while runs < 5 || (runs < 40 && began.duration(to: .now) < .milliseconds(100)) {
      // What an operation takes in a program is the time from its start to the next one's.
      try program.run(timing: { times[$0.node].append($0.start.duration(to: $0.end) / .seconds(1)) })
      runs += 1
    }
    return graph.nodes.enumerated().compactMap { index, node in
      guard !times[index].isEmpty else { return nil }
      times[index].sort()
      let cost = node.operation.cost(node.operands.map(\.type), node.results.map(\.type))
      return Observation(
        cost: cost, isShort: Ceilings.isShort(node), footprint: program.memory.plannedPeakBytes,
        seconds: times[index][times[index].count / 2])
    }
  }

  /// A line for each kind of work through what was observed.
  package static func fit(_ observations: [Observation], cacheBytes: Int) -> Ceilings {
    var ceilings = Ceilings(lines: [:], shortLines: [:], cacheBytes: cacheBytes)
    func line(_ kind: Cost.Kind, isShort: Bool) -> Ceilings.Line? {
      let chosen = observations.filter {
        $0.cost.kind == kind && ($0.isShort == isShort || kind == .sweep) && $0.seconds > 0
      }
      guard chosen.count >= 4 else { return nil }
      let isCached = chosen.map { ceilings.isCached(bytes: $0.cost.bytes, footprint: $0.footprint) }
      let fitted = LineFit.nonNegative(
        rows: zip(chosen, isCached).map { observation, isCached in
          let bytes = Double(observation.cost.bytes)
          return [1, Double(observation.cost.flops), isCached ? 0 : bytes, isCached ? bytes : 0]
        }, values: chosen.map(\.seconds))
      // Where nothing was large, or nothing small, one figure stands for both.
      let memory = isCached.contains(false) ? fitted[2] : fitted[3]
      let cache = isCached.contains(true) ? fitted[3] : fitted[2]
      var line = Ceilings.Line(
        start: fitted[0], perOperation: fitted[1], perByte: memory, perCachedByte: cache)
      line.bends = zip(chosen, isCached).compactMap { observation, isCached in
        let straight = line.straightSeconds(of: observation.cost, isCached: isCached)
        guard straight > 0 else { return nil }
        return CeilingBend(
          flops: observation.cost.flops, bytes: observation.cost.bytes, isCached: isCached,
          factor: observation.seconds / straight)
      }
      return line
    }
    for kind in Cost.Kind.allCases {
      ceilings.lines[kind] = line(kind, isShort: false) ?? Ceilings().lines[kind]
      if kind != .sweep { ceilings.shortLines[kind] = line(kind, isShort: true) }
    }
    return ceilings
  }

  /// Bytes that the largest cache holds, as the system says; 8 MiB where it does not.
  static var cacheBytes: Int {
    let folder = "/sys/devices/system/cpu/cpu0/cache"
    let sizes = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).compactMap { name in
      (try? String(contentsOfFile: "\(folder)/\(name)/size", encoding: .utf8)).flatMap { text -> Int? in
        let digits = text.prefix { $0.isNumber }
        let unit = text.dropFirst(digits.count).first
        return Int(digits).map { $0 << (unit == "M" ? 20 : unit == "K" ? 10 : 0) }
      }
    }
    return max(1 << 20, sizes.max() ?? 8 << 20)
  }
}
