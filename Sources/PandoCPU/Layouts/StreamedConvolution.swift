import CPandoKernels
import PandoIR

/// A forward convolution whose result has few places, by our own kernel: its time is that of reading its weights, which
/// stay the same from run to run and lie in the order in which they are read.
///
/// x, y and a tensor to add lie in blocks of 16 channels.
struct StreamedConvolution {
  static let block = Int(PK_STREAM_BLOCK)

  private let sizes: pk_stream
  private let weightBytes: Int

  /// `nil` where the kernel does no such convolution.
  init?(_ shape: ConvolutionShape) {
    let (window, x, w, y) = (shape.window, shape.x, shape.w, shape.y)
    guard window.spatial == 2, window.groups == 1, x.dtype == .float32,
      [x.shape[1], w.shape[0]].allSatisfy({ $0.isMultiple(of: Self.block) })
    else { return nil }
    func pair(_ numbers: some Collection<Int>) -> (Int64, Int64) {
      (Int64(numbers.first!), Int64(numbers.dropFirst().first!))
    }
    sizes = pk_stream(
      n: Int64(x.shape[0]), inputs: Int64(x.shape[1]), outputs: Int64(w.shape[0]),
      size: pair(x.shape.dropFirst(2)), out_size: pair(y.shape.dropFirst(2)),
      kernel: pair(w.shape.dropFirst(2)), stride: pair(window.strides), dilation: pair(window.dilation),
      low: pair(window.low))
    weightBytes = w.byteCount
  }

  /// Whether it is the fastest way: sums of a tile of places have to fit into registers, of which AVX-512 has enough, and
  /// with few places transformed weights, which are larger, cannot win.
  static func suits(_ shape: ConvolutionShape) -> Bool {
    let places = shape.y.shape[0] * shape.y.shape.dropFirst(2).reduce(1, *)
    return InstructionSet.name == "avx512" && places <= 64 && StreamedConvolution(shape) != nil
  }

  /// The weights' arrangement.
  var packing: ArrangedConvolution.Packing {
    ArrangedConvolution.Packing(
      key: "streamed \(sizes.outputs) \(sizes.inputs) \(sizes.kernel)", byteCount: weightBytes)
  }

  /// A kernel whose operands are x, the packed weights, and a bias and a tensor to add where the epilogue says so.
  func kernel(_ epilogue: ArrangedConvolution.Epilogue, threads: Int) -> Kernel {
    let (sizes, rectifies, threads) = (sizes, Int32(epilogue.rectifies ? 1 : 0), Int32(threads))
    let bias = epilogue.hasBias ? 2 : nil
    let residual = epilogue.accumulates ? 2 + (epilogue.hasBias ? 1 : 0) : nil
    let result = 2 + (epilogue.hasBias ? 1 : 0) + (epilogue.accumulates ? 1 : 0)
    let bytes = withUnsafePointer(to: sizes) { pk_stream_workspace($0) }
    return Kernel(workspaceBytes: bytes, inPlace: [residual.map { [$0] } ?? []]) { pointers in
      withUnsafePointer(to: sizes) { sizes in
        Int32(
          pk_stream_convolution(
            pointers[result].floats, pointers[0].floats, pointers[1].floats,
            bias.flatMap { pointers[$0].floats }, residual.flatMap { pointers[$0].floats }, rectifies, sizes,
            pointers[result + 1], threads
          ).rawValue)
      }
    }
  }

  /// A kernel that packs weights, or unpacks them.
  func packingKernel(unpacks: Bool, threads: Int) -> Kernel {
    let (sizes, threads) = (sizes, Int32(threads))
    return Kernel { pointers in
      withUnsafePointer(to: sizes) { sizes in
        let (from, to) = (pointers[0].floats, pointers[1].floats)
        let status =
          unpacks ? pk_stream_unpack(to, from, sizes, threads) : pk_stream_pack(to, from, sizes, threads)
        return Int32(status.rawValue)
      }
    }
  }
}
