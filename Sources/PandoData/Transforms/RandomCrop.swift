import Foundation
import PandoIR

/// Cuts a window out of a picture that is first surrounded by zeros; where, is random.
public struct RandomCrop: SampleTransform {
  /// The name of the field it maps.
  public let field: String
  private let size: (height: Int, width: Int)?
  private let padding: Int

  /// - Parameters:
  ///   - size: of the window; `nil` keeps the picture's.
  ///   - padding: rows and columns of zeros on every side, of which the window may take some.
  public init(_ field: String, size: (height: Int, width: Int)? = nil, padding: Int) {
    precondition(padding >= 0, "padding is negative")
    self.field = field
    self.size = size
    self.padding = padding
  }

  /// The type that the field has afterwards.
  public func outputType(for input: TensorType) throws -> TensorType {
    try ImageLayout.check(input, for: "RandomCrop", field: field)
    let image = ImageLayout(input)
    let (height, width) = size ?? (image.height, image.width)
    guard height > 0, width > 0, height <= image.height + 2 * padding, width <= image.width + 2 * padding
    else {
      throw DataError(
        .invalid, at: "transform RandomCrop of field '\(field)'",
        "cannot cut \(height)x\(width) out of \(image.height)x\(image.width) with padding \(padding)")
    }
    return resized(input, height: height, width: width)
  }

  /// Maps one sample; see `SampleTransform`.
  public func apply(
    _ input: UnsafeRawPointer, type: TensorType, into output: UnsafeMutableRawPointer,
    random: inout SampleRandom
  ) {
    let image = ImageLayout(type)
    let (height, width) = size ?? (image.height, image.width)
    let top = random.integer(below: image.height + 2 * padding - height + 1) - padding
    let left = random.integer(below: image.width + 2 * padding - width + 1) - padding
    copyWindow(of: image, input, top: top, left: left, height: height, width: width, to: output)
  }
}

/// Surrounds a picture with zeros.
public struct PadImage: SampleTransform {
  /// The name of the field it maps.
  public let field: String
  private let padding: Int

  /// - Parameter padding: rows and columns of zeros on every side.
  public init(_ field: String, padding: Int) {
    precondition(padding >= 0, "padding is negative")
    self.field = field
    self.padding = padding
  }

  /// The type that the field has afterwards.
  public func outputType(for input: TensorType) throws -> TensorType {
    try ImageLayout.check(input, for: "PadImage", field: field)
    let image = ImageLayout(input)
    return resized(input, height: image.height + 2 * padding, width: image.width + 2 * padding)
  }

  /// Maps one sample; see `SampleTransform`.
  public func apply(
    _ input: UnsafeRawPointer, type: TensorType, into output: UnsafeMutableRawPointer,
    random _: inout SampleRandom
  ) {
    let image = ImageLayout(type)
    copyWindow(
      of: image, input, top: -padding, left: -padding, height: image.height + 2 * padding,
      width: image.width + 2 * padding, to: output)
  }
}

/// Copies the window whose upper left corner is at (`top`, `left`) of a picture; what lies outside it is zero.
private func copyWindow(
  of image: ImageLayout, _ input: UnsafeRawPointer, top: Int, left: Int, height: Int, width: Int,
  to output: UnsafeMutableRawPointer
) {
  let bytes = image.elementBytes
  let columns = max(left, 0)..<max(min(left + width, image.width), max(left, 0))
  let (before, inside) = ((columns.lowerBound - left) * bytes, columns.count * bytes)
  let rowBytes = width * bytes
  var target = output
  for channel in 0..<image.channels {
    for row in top..<(top + height) {
      defer { target += rowBytes }
      guard row >= 0, row < image.height, inside > 0 else {
        memset(target, 0, rowBytes)
        continue
      }
      let source = input + ((channel * image.height + row) * image.width + columns.lowerBound) * bytes
      if before > 0 { memset(target, 0, before) }
      memcpy(target + before, source, inside)
      let after = rowBytes - before - inside
      if after > 0 { memset(target + before + inside, 0, after) }
    }
  }
}
