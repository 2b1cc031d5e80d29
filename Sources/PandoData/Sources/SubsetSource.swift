/// Some samples of another source, in a given order.
public struct SubsetSource: SampleSource {
  private enum Selection {
    case range(Range<Int>)
    case list([Int32])
  }

  private let base: any SampleSource
  private let selection: Selection
  /// How many samples there are.
  public let count: Int
  /// What each sample consists of.
  public var fields: [Field] { base.fields }

  /// Samples `range` of `base`, which must lie inside it.
  public init(_ base: any SampleSource, _ range: Range<Int>) {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= base.count, "\(range) is outside 0..<\(base.count)")
    self.base = base
    selection = .range(range)
    count = range.count
  }

  /// Samples `indices` of `base`, in that order; each must lie inside it.
  public init(_ base: any SampleSource, _ indices: [Int]) {
    precondition(indices.allSatisfy { $0 >= 0 && $0 < base.count }, "an index is outside 0..<\(base.count)")
    precondition(base.count <= Int(Int32.max), "a list of indices cannot reach \(base.count) samples")
    self.base = base
    selection = .list(indices.map(Int32.init))
    count = indices.count
  }

  /// Writes one sample; see `SampleSource`.
  public func copySample(
    _ index: Int, epoch: Int, into buffers: UnsafeBufferPointer<UnsafeMutableRawBufferPointer>
  ) throws {
    precondition(index >= 0 && index < count, "sample out of range")
    switch selection {
    case .range(let range): try base.copySample(range.lowerBound + index, epoch: epoch, into: buffers)
    case .list(let list): try base.copySample(Int(list[index]), epoch: epoch, into: buffers)
    }
  }
}

extension SampleSource {
  /// The fixed split for data that come without one: samples 4, 9, 14, … for testing, the rest for training.
  public func everyFifthHeldOut() -> (training: SubsetSource, test: SubsetSource) {
    let indices = 0..<count
    return (
      SubsetSource(self, indices.filter { $0 % 5 != 4 }), SubsetSource(self, indices.filter { $0 % 5 == 4 })
    )
  }
}
