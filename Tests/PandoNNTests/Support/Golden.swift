import Foundation
import Pando
import PandoData

/// One of the files of `scripts/golden`, whose README says what they hold.
struct Golden {
  private let file: SafetensorsFile
  private let prefix: String

  /// A file, or one case of it.
  init(_ name: String, case: String? = nil) throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    file = try SafetensorsFile(contentsOf: folder.appendingPathComponent("Golden/\(name).safetensors"))
    prefix = `case`.map { "\($0)/" } ?? ""
  }

  func buffer(_ name: String) throws -> HostBuffer {
    let array = try file.array(prefix + name)
    let buffer = HostBuffer(array.type)
    array.withUnsafeBytes { if let start = $0.baseAddress { buffer.write(from: start) } }
    return buffer
  }

  func values(_ name: String) throws -> [Double] { try buffer(name).doubles }

  func has(_ name: String) -> Bool { file.names.contains(prefix + name) }

  /// The names of the tensors of a kind (`param`, `grad`, …), sorted.
  func names(_ kind: String) -> [String] {
    let start = "\(prefix)\(kind)."
    return file.names.filter { $0.hasPrefix(start) }.map { String($0.dropFirst(start.count)) }
  }
}

/// The norm of the difference, relative to the norm of what is right.
func relativeError(_ got: [Double], _ right: [Double]) -> Double {
  guard got.count == right.count else { return .infinity }
  func norm(_ values: some Sequence<Double>) -> Double { values.reduce(0) { $0 + $1 * $1 }.squareRoot() }
  let (difference, size) = (norm(zip(got, right).map { $0 - $1 }), norm(right))
  return difference == 0 ? 0 : difference / max(size, 1e-30)
}

/// The devices that golden numbers are checked on.
let devices = Device.names
