import Foundation
import PandoIR

/// A tensor in this process's memory, aligned to 64 bytes. It is the CPU engine's device memory too.
public final class HostBuffer: DeviceBuffer, @unchecked Sendable {
  /// Shape and element type.
  public let type: TensorType
  /// The first element.
  public let pointer: UnsafeMutableRawPointer
  /// What is to be freed; nothing where the memory is someone else's.
  private let allocation: UnsafeMutableRawPointer?
  /// The file in which it lies, and where; `nil` for memory.
  public let file: (file: OffloadFile, offset: Int)?

  /// New memory, zeroed.
  public init(_ type: TensorType) {
    self.type = type
    let bytes = max(64, (type.byteCount + 63) / 64 * 64)
    guard let memory = calloc(bytes + 63, 1) else { fatalError("no memory for \(type), \(bytes) bytes") }
    allocation = memory
    file = nil
    pointer = memory.alignedUp(toMultipleOf: 64)
    if bytes >= 1 << 16 { makePages() }
  }

  /// Someone else's memory, aligned to 64 bytes, which must outlive this.
  public init(_ type: TensorType, borrowing pointer: UnsafeMutableRawPointer) {
    self.type = type
    self.pointer = pointer
    allocation = nil
    file = nil
  }

  /// The next stretch of a file, which must have room for it; zeros where the file is new.
  public init(_ type: TensorType, in file: OffloadFile) {
    self.type = type
    let offset = file.take(type.byteCount)
    pointer = file.start + offset
    allocation = nil
    self.file = (file, offset)
  }

  /// Takes what lies in a file out of this process's memory until it is touched again; does nothing to other memory.
  public func release() { file.map { $0.file.release($0.offset, type.byteCount) } }

  /// New memory with a copy of `elements`, whose size must be that of the type's elements.
  public convenience init<Element>(_ type: TensorType, _ elements: [Element]) {
    precondition(
      elements.count * MemoryLayout<Element>.stride == type.byteCount, "\(type) got \(elements.count)")
    self.init(type)
    elements.withUnsafeBytes {
      if $0.count > 0 { pointer.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
    }
  }

  /// Makes the pages exist, as zeros still: large memory comes from the system without.
  ///
  /// One that is read before it is written would first be shown as a page of zeros that all share, and be taken apart
  /// later, which stops every thread for a moment.
  private func makePages() {
    #if os(Linux)
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let start = pointer.alignedUp(toMultipleOf: page)
    let bytes = (pointer + type.byteCount - start) / page * page
    // Linux 5.14 knows it; before, nothing happens.
    if bytes > 0 { madvise(start, bytes, 23 /* MADV_POPULATE_WRITE */) }
    #endif
  }

  deinit { free(allocation) }

  public func read(into destination: UnsafeMutableRawPointer) {
    destination.copyMemory(from: pointer, byteCount: type.byteCount)
  }

  public func write(from source: UnsafeRawPointer) {
    pointer.copyMemory(from: source, byteCount: type.byteCount)
  }

  /// The elements' bytes.
  public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: pointer, count: type.byteCount) }

  /// The elements' bytes, to be written. Like `bytes` they do not keep this alive: `withExtendedLifetime` does.
  public var mutableBytes: UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: pointer, count: type.byteCount)
  }

  /// A copy of the elements, read as `Element`, whose size must be that of the type's elements.
  public func elements<Element>(as _: Element.Type) -> [Element] {
    precondition(
      MemoryLayout<Element>.stride == type.dtype.byteCount, "\(type) does not hold \(Element.self)")
    return Array(UnsafeBufferPointer(start: pointer.assumingMemoryBound(to: Element.self), count: type.count))
  }

  /// A copy of the elements as Double, exact but for 64-bit integers beyond 2^53.
  public var doubles: [Double] {
    let (dtype, size) = (type.dtype, type.dtype.byteCount)
    return (0..<type.count).map { ElementBytes.load(pointer + $0 * size, as: dtype) }
  }

  /// New memory with each of `doubles` rounded to the type.
  public convenience init(_ type: TensorType, doubles: [Double]) {
    precondition(doubles.count == type.count, "\(type) got \(doubles.count) elements")
    self.init(type)
    for (index, value) in doubles.enumerated() {
      ElementBytes.store(value, as: type.dtype, to: pointer + index * type.dtype.byteCount)
    }
  }
}
