import Foundation
import Pando
import PandoData

/// Which ranks see the first rank's folder: those of other hosts only where they share a file system.
enum SharedFolder {
  /// The ranks that see it, the first one among them; all ranks call it.
  static func ranks(seeing folder: URL, among ranks: Ranks) throws -> [Int] {
    guard let communicator = ranks.communicator else { return [0] }
    var number = ranks.isFirst ? UInt64.random(in: 0 ... .max) : 0
    func mark() -> URL { folder.appending(path: ".step-seen-\(String(number, radix: 36))") }
    if ranks.isFirst { try AtomicFile.write(Data("pando".utf8), to: mark()) }
    try withUnsafeMutableBytes(of: &number) { try communicator.broadcast($0, label: "a file's name") }
    let sees = FileManager.default.fileExists(atPath: mark().path)
    var all = [UInt8](repeating: 0, count: communicator.size)
    try withUnsafeBytes(of: UInt8(sees ? 1 : 0)) { mine in
      try all.withUnsafeMutableBytes {
        try communicator.allGather(mine, into: $0, label: "who sees the run's folder")
      }
    }
    if ranks.isFirst { try FileManager.default.removeItem(at: mark()) }
    return all.indices.filter { all[$0] != 0 }
  }
}
