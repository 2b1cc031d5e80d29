import Foundation
import Pando

/// What a rank says of its part of a checkpoint, in a block of fixed size.
struct PartReport: Codable {
  /// The files that it has written.
  var files: [CheckpointManifest.File] = []
  /// Why it could not.
  var failure: String?

  private static let blockBytes = 2048

  /// All ranks' reports; all ranks call it.
  func gathered(over communicator: any Communicator) throws -> [PartReport] {
    var mine = try JSONEncoder().encode(self)
    precondition(mine.count <= Self.blockBytes, "a report of \(mine.count) bytes")
    mine.append(Data(repeating: UInt8(ascii: " "), count: Self.blockBytes - mine.count))
    var all = Data(count: Self.blockBytes * communicator.size)
    try mine.withUnsafeBytes { source in
      try all.withUnsafeMutableBytes {
        try communicator.allGather(source, into: $0, label: "parts of a checkpoint")
      }
    }
    return try (0..<communicator.size).map {
      try JSONDecoder().decode(
        PartReport.self, from: all[$0 * Self.blockBytes..<($0 + 1) * Self.blockBytes])
    }
  }

  /// What came of writing a part.
  init(_ outcome: Result<[CheckpointManifest.File], any Error>) {
    switch outcome {
    case .success(let files): self.files = files
    case .failure(let error): failure = String("\(error)".prefix(300))
    }
  }
}
