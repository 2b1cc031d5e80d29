import Foundation
import PandoData

/// A file of figures that TensorBoard reads; each call's figures are in the file as soon as it returns.
public final class EventFile {
  /// How the names of such files begin.
  package static let prefix = "events.out.tfevents."

  /// Where it is.
  public let url: URL
  private let descriptor: Int32
  private let clock: () -> Double

  /// Starts a new file in `folder`, named for the time, this host and this process.
  ///
  /// - Parameters:
  ///   - lastStep: the step from which a run goes on: TensorBoard drops what older files say of later steps.
  ///   - clock: seconds since 1970.
  /// - Throws: `DataError` where the file cannot be written.
  public init(
    in folder: URL, resumingAfter lastStep: Int? = nil,
    clock: @escaping () -> Double = { Date().timeIntervalSince1970 }
  ) throws {
    self.clock = clock
    let time = String(Int(clock()))
    let padded = String(repeating: "0", count: max(0, 10 - time.count)) + time
    let host = Self.hostName
    var opened: Int32 = -1
    var candidate = folder
    for attempt in 0..<1000 where opened < 0 {
      let name = "\(Self.prefix)\(padded).\(host).\(getpid()).\(attempt)"
      candidate = folder.appending(path: name)
      opened = open(candidate.path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o644)
      if opened < 0, errno != EEXIST { break }
    }
    guard opened >= 0 else { throw DataError.system("create the file", at: candidate.path) }
    (url, descriptor) = (candidate, opened)
    try write(EventMessage(wallTime: clock(), step: 0, content: .fileVersion))
    if let lastStep { try write(EventMessage(wallTime: clock(), step: lastStep + 1, content: .restart)) }
  }

  deinit { close(descriptor) }

  /// Adds figures of one step, each under its name (`loss/train`).
  public func write(_ scalars: [(tag: String, value: Double)], step: Int) throws {
    let values = scalars.map { (tag: $0.tag, value: Float($0.value)) }
    try write(EventMessage(wallTime: clock(), step: step, content: .scalars(values)))
  }

  /// This machine's name, without what a file's name should not hold. Foundation's would ask the network for
  /// it.
  private static var hostName: String {
    var bytes = [CChar](repeating: 0, count: 256)
    guard gethostname(&bytes, bytes.count - 1) == 0 else { return "host" }
    let name = bytes.prefix { $0 != 0 }.map { Character(UnicodeScalar(UInt8(bitPattern: $0))) }
      .filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
    return name.isEmpty ? "host" : String(name)
  }

  private func write(_ message: EventMessage) throws {
    try message.record.withUnsafeBytes { try FileSink(descriptor: descriptor, place: url.path).write($0) }
  }
}
