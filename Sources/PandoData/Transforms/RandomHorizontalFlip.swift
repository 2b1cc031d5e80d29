import Foundation
import PandoIR

/// Mirrors a picture left to right, or leaves it as it is.
public struct RandomHorizontalFlip: SampleTransform {
  /// The name of the field it maps.
  public let field: String
  private let probability: Float

  /// - Parameter probability: of mirroring, 0…1.
  public init(_ field: String, probability: Float = 0.5) {
    precondition((0...1).contains(probability), "probability \(probability) is outside 0…1")
    self.field = field
    self.probability = probability
  }

  /// The type that the field has afterwards.
  public func outputType(for input: TensorType) throws -> TensorType {
    try ImageLayout.check(input, for: "RandomHorizontalFlip", field: field)
    return input
  }

  /// Maps one sample; see `SampleTransform`.
  public func apply(
    _ input: UnsafeRawPointer, type: TensorType, into output: UnsafeMutableRawPointer,
    random: inout SampleRandom
  ) {
    guard random.uniform() < probability else {
      memcpy(output, input, type.byteCount)
      return
    }
    let image = ImageLayout(type)
    switch image.elementBytes {
    case 1: mirror(UInt8.self, image, input, output)
    case 2: mirror(UInt16.self, image, input, output)
    case 4: mirror(UInt32.self, image, input, output)
    default: mirror(UInt64.self, image, input, output)
    }
  }

  @inline(__always)
  private func mirror<Element>(
    _: Element.Type, _ image: ImageLayout, _ input: UnsafeRawPointer, _ output: UnsafeMutableRawPointer
  ) {
    var source = input.assumingMemoryBound(to: Element.self)
    var target = output.assumingMemoryBound(to: Element.self)
    let width = image.width
    for _ in 0..<(image.channels * image.height) {
      for x in 0..<width { target[x] = source[width &- 1 &- x] }
      source += width
      target += width
    }
  }
}
