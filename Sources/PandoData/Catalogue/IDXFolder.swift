import Foundation

/// A folder laid out as MNIST is: `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, and `t10k-…` for testing,
/// each plain or with `.gz`.
struct IDXFolder {
  let url: URL

  /// Reads a split's pictures and labels; `nil` for a split that such folders do not have.
  func open(_ split: DataSplit, classCount: Int?) throws -> ArraySource? {
    guard let prefix = [DataSplit.train: "train", .test: "t10k"][split] else { return nil }
    let images = try IDXFile.read(file("\(prefix)-images-idx3-ubyte"))
    let labelFile = try file("\(prefix)-labels-idx1-ubyte")
    let labels = try IDXFile.read(labelFile)
    let count = try classCount ?? Self.classCount(of: labels, place: labelFile.path)
    return try ArraySource.images(images, labels: labels, classCount: count, place: labelFile.path)
  }

  /// One more than the greatest label.
  static func classCount(of labels: HostArray, place: String) throws -> Int {
    let greatest = try labels.doubles(place: place).max() ?? 0
    return Int(min(max(greatest, 0), Double(Int32.max - 1))) + 1
  }

  private func file(_ name: String) throws -> URL {
    let candidates = [name, name + ".gz"].map(url.appendingPathComponent)
    guard let found = candidates.first(where: { FileManager.default.fileExists(atPath: $0.path) }) else {
      throw DataError(
        .notFound, at: url.path, "holds no \(name) (or \(name).gz)",
        mend: "expected a folder laid out as MNIST is")
    }
    return found
  }
}
