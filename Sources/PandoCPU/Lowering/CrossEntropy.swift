import CPandoKernels
import PandoEngine
import PandoIR
import PandoOperations

/// Labels as the kernel takes them, in 32 bits: one number for all that are ignored, another for all that are no class.
private struct KernelLabels {
  static let ignored: Int32 = -2
  static let noClass: Int32 = -1

  let type: TensorType
  let classes: Int
  let ignoredLabel: Int?

  var byteCount: Int { max(4, type.count * 4) }

  func write(_ source: UnsafeMutableRawPointer, to target: UnsafeMutableRawPointer) -> UnsafePointer<Int32> {
    let labels = target.bindMemory(to: Int32.self, capacity: type.count)
    for index in 0..<type.count {
      let label =
        type.dtype == .int64
        ? Int(source.load(fromByteOffset: index * 8, as: Int64.self))
        : Int(source.load(fromByteOffset: index * 4, as: Int32.self))
      if label == ignoredLabel {
        labels[index] = Self.ignored
      } else {
        labels[index] = (0..<classes).contains(label) ? Int32(label) : Self.noClass
      }
    }
    return UnsafePointer(labels)
  }
}

extension CrossEntropy: CPULowering {
  package func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool {
    RowSizes.fits(operands[0])
  }

  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    let sizes = RowSizes(operands[0], last: 1)
    let labels = KernelLabels(type: operands[1], classes: operands[0].shape.last!, ignoredLabel: ignoredLabel)
    let smoothing = labelSmoothing
    return Kernel(workspaceBytes: labels.byteCount) {
      Int32(
        pk_cross_entropy(
          $0[2].floats, $0[3].floats, $0[0],
          labels.write($0[1]!, to: $0[4]!), sizes.rows, sizes.count, smoothing, KernelLabels.ignored,
          sizes.dtype,
          Int32(threads)
        ).rawValue)
    }
  }
}

extension CrossEntropyGradient: CPULowering {
  package func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool {
    RowSizes.fits(operands[0])
  }

  /// Operands: logits, labels, logarithms of the sums, cotangents of the losses; result: the cotangent of the logits.
  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    let sizes = RowSizes(operands[0], last: 1)
    let labels = KernelLabels(type: operands[1], classes: operands[0].shape.last!, ignoredLabel: ignoredLabel)
    let smoothing = labelSmoothing
    return Kernel(workspaceBytes: labels.byteCount, inPlace: [[0]]) {
      Int32(
        pk_cross_entropy_backward(
          $0[4], $0[3].floats, $0[0], $0[2].floats,
          labels.write($0[1]!, to: $0[5]!), sizes.rows, sizes.count, smoothing, KernelLabels.ignored,
          sizes.dtype,
          Int32(threads)
        ).rawValue)
    }
  }
}
