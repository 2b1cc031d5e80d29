import Foundation
import PandoEngine
import PandoIR
import PandoTestSupport
import Testing

/// Memory in a file: it holds what was written, leaves the process when it is told to, and its file is never seen.
@Suite struct OffloadFileTests {
  private func onDisk(_ body: (URL) throws -> Void) throws {
    let folder = try FileMappings.diskFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder)
  }

  @Test(arguments: [true, false]) func whatIsReleasedIsKept(isCached: Bool) throws {
    try onDisk { folder in
      let file = try OffloadFile(in: folder, byteCount: 3 << 20, isCached: isCached)
      let type = TensorType([1 << 18])
      let buffers = (0..<3).map { _ in HostBuffer(type, in: file) }
      #expect(buffers.allSatisfy { $0.doubles.allSatisfy { $0 == 0 } })
      for (number, buffer) in buffers.enumerated() {
        let numbers = (0..<type.count).map { Float(number * type.count + $0) }
        numbers.withUnsafeBytes { buffer.write(from: $0.baseAddress!) }
      }
      #expect(try FileMappings.residentBytes(in: folder) == 3 << 20)
      buffers[1].release()
      #expect(try FileMappings.residentBytes(in: folder) == 2 << 20)
      buffers[0].release()
      buffers[2].release()
      file.finishWriting()
      #expect(try FileMappings.residentBytes(in: folder) == 0)
      file.fetch(1 << 20, 1 << 20, writes: true)
      #expect(try FileMappings.residentBytes(in: folder) == 1 << 20)
      for (number, buffer) in buffers.enumerated() {
        #expect(buffer.doubles == (0..<type.count).map { Double(number * type.count + $0) })
      }
    }
  }

  @Test func theFileHasNoNameAndItsBlocks() throws {
    try onDisk { folder in
      let before = try freeBytes(folder)
      let file = try OffloadFile(in: folder, byteCount: 64 << 20)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
      // Other programs use the disk too, but hardly free as much as this takes.
      #expect(try before - freeBytes(folder) > 32 << 20)
      withExtendedLifetime(file) {}
    }
  }

  private func freeBytes(_ folder: URL) throws -> Int {
    let values = try FileManager.default.attributesOfFileSystem(forPath: folder.path)
    return (values[.systemFreeSize] as? Int) ?? 0
  }

  @Test func aDiskWithoutRoomIsRefusedBeforehand() throws {
    try onDisk { folder in
      let error = try #require(throws: OffloadError.self) {
        _ = try OffloadFile(in: folder, byteCount: 1 << 50)
      }
      #expect(error.message.contains("has room for"))
    }
  }

  @Test(.enabled(if: FileManager.default.isWritableFile(atPath: "/dev/shm"))) func memoryIsNoDisk() throws {
    let error = try #require(throws: OffloadError.self) {
      _ = try OffloadFile(in: URL(fileURLWithPath: "/dev/shm"), byteCount: 1 << 20)
    }
    #expect(error.message.contains("tmpfs"))
  }

  @Test func aFileInPlaceOfAFolderIsRefused() throws {
    try onDisk { folder in
      let file = folder.appending(path: "file")
      try Data("x".utf8).write(to: file)
      #expect(throws: OffloadError.self) { _ = try OffloadFile(in: file, byteCount: 1 << 20) }
    }
  }
}
