import CPandoKernels
import Testing

/// Convolutions by Winograd's method against sums of products in Double.
@Suite struct WinogradTests {
  static let shapes: [pk_winograd] = [
    sizes(n: 1, channels: (16, 16), input: (1, 1), output: (1, 1)),
    sizes(n: 2, channels: (16, 32), input: (7, 10), output: (7, 10)),
    sizes(n: 1, channels: (48, 80), input: (5, 9), output: (3, 11), low: (0, 2)),
    sizes(n: 3, channels: (32, 16), input: (6, 3), output: (8, 1), low: (2, 0)),
    // Filters that wait for tiles, and panels of different widths.
    sizes(n: 1, channels: (144, 144), input: (4, 4), output: (4, 4)),
    // Tiles in several parts.
    sizes(n: 60, channels: (16, 16), input: (5, 5), output: (5, 5)),
  ]

  static func sizes(
    n: Int64, channels: (Int64, Int64), input: (Int64, Int64), output: (Int64, Int64),
    low: (Int64, Int64) = (1, 1)
  ) -> pk_winograd {
    pk_winograd(
      n: n, in_channels: channels.0, out_channels: channels.1, height: input.0, width: input.1,
      out_height: output.0, out_width: output.1, top: low.0, left: low.1, x_block: 16, y_block: channels.1)
  }

  /// The largest error as a part of the largest number: a transform mixes the numbers of a tile.
  private func error(_ made: [Float], _ expected: [Double]) -> Double {
    let largest = expected.reduce(0) { max($0, abs($1)) }
    return zip(made, expected).reduce(0) { most, pair in
      let distance = abs(Double(pair.0) - pair.1)
      return distance.isNaN ? .infinity : max(most, distance)
    } / largest
  }

  /// Runs a kernel with as much workspace as it asks for.
  private func made(
    _ count: Int, _ bytes: Int, _ run: (UnsafeMutablePointer<Float>, UnsafeMutableRawPointer) -> pk_status
  ) -> [Float] {
    let workspace = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
    defer { workspace.deallocate() }
    var result = [Float](repeating: .nan, count: count)
    let status = result.withUnsafeMutableBufferPointer { run($0.baseAddress!, workspace) }
    #expect(status == PK_OK)
    return result
  }

  @Test(arguments: shapes.indices) func productsAreRight(_ index: Int) {
    var s = Self.shapes[index]
    let example = Example(s)
    for threads: Int32 in [1, 3] {
      var after = pk_winograd_epilogue()
      let y = made(example.dy.count, pk_winograd_forward_workspace(&s, 0, threads)) {
        pk_winograd_forward($0, example.x, example.w, 0, &s, &after, $1, threads)
      }
      let packed = made(pk_winograd_packed_bytes(&s) / 4, 0) { packed, _ in
        pk_winograd_pack(packed, example.w, &s, threads)
      }
      let again = made(example.dy.count, pk_winograd_forward_workspace(&s, 1, threads)) {
        pk_winograd_forward($0, example.x, packed, 1, &s, &after, $1, threads)
      }
      #expect(again == y)
      let dx = made(example.x.count, pk_winograd_input_gradient_workspace(&s, threads)) {
        pk_winograd_input_gradient($0, example.dy, example.w, &s, $1, threads)
      }
      let dw = made(example.w.count, pk_winograd_weight_gradient_workspace(&s, threads)) {
        pk_winograd_weight_gradient($0, example.x, example.dy, &s, $1, threads)
      }
      let expected = example.products()
      #expect(error(y, expected.y) < 5e-6)
      #expect(error(dx, expected.dx) < 5e-6)
      #expect(error(dw, expected.dw) < 5e-6)
    }
  }

  @Test func biasResidualAndRectifierFollow() {
    var s = Self.shapes[2]
    let example = Example(s)
    var random = TestRandom(state: 5)
    let bias = random.floats(Int(s.out_channels)), residual = random.floats(example.dy.count)
    let y = bias.withUnsafeBufferPointer { bias in
      residual.withUnsafeBufferPointer { residual in
        var after = pk_winograd_epilogue(
          bias: bias.baseAddress, residual: residual.baseAddress, rectifies: 1)
        return made(residual.count, pk_winograd_forward_workspace(&s, 0, 2)) {
          pk_winograd_forward($0, example.x, example.w, 0, &s, &after, $1, 2)
        }
      }
    }
    // One block holds all channels of y.
    let expected = example.products().y.enumerated().map { place, sum in
      max(0, sum + Double(bias[place % bias.count]) + Double(residual[place]))
    }
    #expect(error(y, expected) < 5e-6)
  }

  @Test func whatDoesNotFitIsRefused() {
    let good = Self.shapes[1]
    func status(_ change: (inout pk_winograd) -> Void) -> pk_status {
      var (s, after, number, workspace) = (good, pk_winograd_epilogue(), Float(0), Float(0))
      change(&s)
      #expect(pk_winograd_weight_gradient_workspace(&s, 1) == 0)
      return pk_winograd_forward(&number, [0], [0], 0, &s, &after, &workspace, 1)
    }
    #expect(status { $0.in_channels = 24 } == PK_UNSUPPORTED)
    #expect(status { $0.x_block = 8 } == PK_UNSUPPORTED)
    #expect(status { $0.y_block = 48 } == PK_INVALID)
    #expect(status { $0.out_height = 4 } == PK_INVALID)
    #expect(status { $0.top = 3 } == PK_INVALID)
    #expect(status { $0.n = 0 } == PK_INVALID)
    #expect(status { $0.n = 1 << 31 } == PK_INVALID)
    #expect(
      status { s in
        (s.n, s.height, s.out_height, s.width, s.out_width) = (1 << 30, 1 << 30, 1 << 30, 1 << 30, 1 << 30)
      } == PK_INVALID)
  }
}

/// Random operands of a convolution, and what comes out.
private struct Example {
  let s: pk_winograd
  let x: [Float]
  let w: [Float]
  let dy: [Float]

  init(_ s: pk_winograd) {
    self.s = s
    var random = TestRandom(state: UInt64(s.n + s.in_channels + s.height))
    let filters = s.in_channels * s.out_channels * 9
    x = random.floats(Int(s.n * s.in_channels * s.height * s.width), -1...1)
    w = random.floats(Int(filters), -0.1...0.1)
    dy = random.floats(Int(s.n * s.out_channels * s.out_height * s.out_width), -1...1)
  }

  /// Where an element of an image in blocks lies.
  private func place(
    _ n: Int64, _ channel: Int64, _ row: Int64, _ column: Int64, _ size: (Int64, Int64), of channels: Int64,
    by block: Int64
  ) -> Int {
    let plane = (n * (channels / block) + channel / block) * size.0 + row
    return Int((plane * size.1 + column) * block + channel % block)
  }

  func products() -> (y: [Double], dx: [Double], dw: [Double]) {
    var y = [Double](repeating: 0, count: dy.count)
    var dx = [Double](repeating: 0, count: x.count)
    var dw = [Double](repeating: 0, count: w.count)
    for n in 0..<s.n {
      for k in 0..<s.out_channels {
        for i in 0..<s.out_height * s.out_width {
          let (row, column) = (i / s.out_width, i % s.out_width)
          let at = place(n, k, row, column, (s.out_height, s.out_width), of: s.out_channels, by: s.y_block)
          for tap in 0..<Int64(9) {
            let (r, c) = (row + tap / 3 - s.top, column + tap % 3 - s.left)
            guard r >= 0, c >= 0, r < s.height, c < s.width else { continue }
            for channel in 0..<s.in_channels {
              let from = place(n, channel, r, c, (s.height, s.width), of: s.in_channels, by: s.x_block)
              let filter = Int((k * s.in_channels + channel) * 9 + tap)
              y[at] += Double(x[from]) * Double(w[filter])
              dx[from] += Double(dy[at]) * Double(w[filter])
              dw[filter] += Double(x[from]) * Double(dy[at])
            }
          }
        }
      }
    }
    return (y, dx, dw)
  }
}
