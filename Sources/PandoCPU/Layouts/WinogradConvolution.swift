import CPandoKernels
import PandoIR

/// A convolution of 3×3 by Winograd's method in our own kernels, of tensors in blocks of 16 channels. Weights are plain,
/// or, where they stay the same, transformed once for many runs.
struct WinogradConvolution {
  /// Channels in a block of x and y.
  static let block = 16

  private let sizes: pk_winograd

  /// `nil` for anything but kernels of 3×3, in steps of 1, of float32 channels in whole blocks.
  init?(_ shape: ConvolutionShape) {
    let (x, w, y, window) = (shape.x, shape.w, shape.y, shape.window)
    guard x.dtype == .float32, w.dtype == .float32, window.spatial == 2, window.groups == 1,
      w.shape.dropFirst(2) == [3, 3], window.strides == [1, 1], window.dilation == [1, 1],
      w.shape[0].isMultiple(of: Self.block), w.shape[1].isMultiple(of: Self.block)
    else { return nil }
    sizes = pk_winograd(
      n: Int64(x.shape[0]), in_channels: Int64(x.shape[1]), out_channels: Int64(y.shape[1]),
      height: Int64(x.shape[2]), width: Int64(x.shape[3]), out_height: Int64(y.shape[2]),
      out_width: Int64(y.shape[3]), top: Int64(window.low[0]), left: Int64(window.low[1]),
      x_block: Int64(Self.block), y_block: Int64(Self.block))
    // The kernels know best what they take.
    guard packing.byteCount > 0 else { return nil }
  }

  /// The arrangement of transformed weights.
  var packing: ArrangedConvolution.Packing {
    ArrangedConvolution.Packing(
      key: "winograd \(sizes.out_channels) \(sizes.in_channels)",
      byteCount: withUnsafePointer(to: sizes) { pk_winograd_packed_bytes($0) })
  }

  /// A kernel that transforms weights.
  func packingKernel(threads: Int) -> Kernel {
    let (sizes, threads) = (sizes, Int32(threads))
    return Kernel { pointers in
      withUnsafePointer(to: sizes) {
        Int32(pk_winograd_pack(pointers[1].floats, pointers[0].floats, $0, threads).rawValue)
      }
    }
  }

  /// One of the three products; operands are those of `ArrangedConvolution`. Only the forward one takes transformed
  /// weights.
  func kernel(
    _ product: ConvolutionProduct, _ epilogue: ArrangedConvolution.Epilogue, isPacked: Bool, threads: Int
  ) -> Kernel {
    switch product {
    case .forward: forward(epilogue, isPacked: isPacked, threads: threads)
    case .inputGradient:
      gradient(pk_winograd_input_gradient, pk_winograd_input_gradient_workspace, threads: threads)
    case .weightGradient:
      gradient(pk_winograd_weight_gradient, pk_winograd_weight_gradient_workspace, threads: threads)
    }
  }

  private func gradient(
    _ run:
      @escaping @convention(c) (
        UnsafeMutablePointer<Float>?, UnsafePointer<Float>?, UnsafePointer<Float>?,
        UnsafePointer<pk_winograd>?,
        UnsafeMutableRawPointer?, Int32
      ) -> pk_status,
    _ workspace: @convention(c) (UnsafePointer<pk_winograd>?, Int32) -> Int, threads: Int
  ) -> Kernel {
    let (sizes, threads) = (sizes, Int32(threads))
    return Kernel(workspaceBytes: withUnsafePointer(to: sizes) { workspace($0, threads) }) { pointers in
      withUnsafePointer(to: sizes) {
        Int32(
          run(pointers[2].floats, pointers[0].floats, pointers[1].floats, $0, pointers[3], threads).rawValue)
      }
    }
  }

  private func forward(_ epilogue: ArrangedConvolution.Epilogue, isPacked: Bool, threads: Int) -> Kernel {
    let (sizes, rectifies, threads) = (sizes, Int32(epilogue.rectifies ? 1 : 0), Int32(threads))
    let isPacked = Int32(isPacked ? 1 : 0)
    let bias = epilogue.hasBias ? 2 : nil
    let residual = epilogue.accumulates ? 2 + (epilogue.hasBias ? 1 : 0) : nil
    let result = 2 + (epilogue.hasBias ? 1 : 0) + (epilogue.accumulates ? 1 : 0)
    let bytes = withUnsafePointer(to: sizes) { pk_winograd_forward_workspace($0, isPacked, threads) }
    return Kernel(workspaceBytes: bytes, inPlace: [residual.map { [$0] } ?? []]) { pointers -> Int32 in
      var after = pk_winograd_epilogue()
      if let bias, let numbers = pointers[bias].floats { after.bias = UnsafePointer<Float>(numbers) }
      if let residual, let numbers = pointers[residual].floats {
        after.residual = UnsafePointer<Float>(numbers)
      }
      after.rectifies = rectifies
      return withUnsafePointer(to: sizes) {
        Int32(
          pk_winograd_forward(
            pointers[result].floats, pointers[0].floats, pointers[1].floats, isPacked, $0, &after,
            pointers[result + 1], threads
          ).rawValue)
      }
    }
  }
}
