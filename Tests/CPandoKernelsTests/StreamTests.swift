import CPandoKernels
import Testing

/// Convolutions by streamed weights agree with the sums that they stand for, in Double.
@Suite struct StreamTests {
  /// One convolution: its sizes but for those of the result, which follow.
  struct Case: Sendable, CustomStringConvertible {
    var n = 1
    var inputs = 16
    var outputs = 32
    var size = [4, 4]
    var kernel = [3, 3]
    var stride = [1, 1]
    var dilation = [1, 1]
    var low = [1, 1]
    var high = [1, 1]

    var outSize: [Int] {
      (0..<2).map { (size[$0] + low[$0] + high[$0] - (kernel[$0] - 1) * dilation[$0] - 1) / stride[$0] + 1 }
    }

    var sizes: pk_stream {
      func pair(_ numbers: [Int]) -> (Int64, Int64) { (Int64(numbers[0]), Int64(numbers[1])) }
      return pk_stream(
        n: Int64(n), inputs: Int64(inputs), outputs: Int64(outputs), size: pair(size),
        out_size: pair(outSize),
        kernel: pair(kernel), stride: pair(stride), dilation: pair(dilation), low: pair(low))
    }

    var description: String {
      "\(n)×\(inputs)→\(outputs) \(size) k\(kernel) s\(stride) d\(dilation) p\(low)\(high)"
    }
  }

  static let cases = [
    Case(), Case(inputs: 48, size: [2, 2]), Case(outputs: 16, size: [1, 1]), Case(size: [7, 7]),
    Case(n: 3, size: [5, 3]), Case(size: [8, 8], stride: [2, 2]), Case(size: [9, 15], stride: [2, 3]),
    Case(size: [8, 7], kernel: [1, 1], stride: [2, 2], low: [0, 0], high: [0, 0]),
    Case(n: 2, size: [6, 7], kernel: [1, 1], low: [0, 0], high: [0, 0]),
    Case(size: [9, 8], dilation: [2, 3], low: [2, 3], high: [2, 3]),
    Case(size: [9, 11], stride: [3, 2], dilation: [2, 3], low: [0, 1], high: [3, 2]),
    Case(size: [5, 17], kernel: [2, 5], low: [0, 4], high: [1, 0]),
  ]

  /// Channels in blocks of 16.
  private func blocked(_ x: [Float], _ n: Int, _ channels: Int, _ places: Int) -> [Float] {
    var y = x
    for i in 0..<n {
      for c in 0..<channels {
        for p in 0..<places {
          y[((i * (channels / 16) + c / 16) * places + p) * 16 + c % 16] = x[(i * channels + c) * places + p]
        }
      }
    }
    return y
  }

  @Test(arguments: cases, [1, 2]) func agreesWithTheSums(_ test: Case, threads: Int32) {
    var random = TestRandom(state: 3)
    let (out, taps) = (test.outSize, test.kernel[0] * test.kernel[1])
    let (places, results) = (test.size[0] * test.size[1], out[0] * out[1])
    let x = random.floats(test.n * test.inputs * places), w = random.floats(test.outputs * test.inputs * taps)
    let bias = random.floats(test.outputs), residual = random.floats(test.n * test.outputs * results)
    var expected: [Double] = []
    for i in 0..<test.n {
      for o in 0..<test.outputs {
        for a in 0..<out[0] {
          for b in 0..<out[1] {
            var sum = 0.0
            for c in 0..<test.inputs {
              for u in 0..<test.kernel[0] {
                for v in 0..<test.kernel[1] {
                  let row = a * test.stride[0] + u * test.dilation[0] - test.low[0]
                  let column = b * test.stride[1] + v * test.dilation[1] - test.low[1]
                  guard (0..<test.size[0]).contains(row), (0..<test.size[1]).contains(column) else {
                    continue
                  }
                  sum +=
                    Double(x[((i * test.inputs + c) * test.size[0] + row) * test.size[1] + column])
                    * Double(w[((o * test.inputs + c) * test.kernel[0] + u) * test.kernel[1] + v])
                }
              }
            }
            expected.append(sum)
          }
        }
      }
    }
    var sizes = test.sizes
    var packed = [Float](repeating: .nan, count: w.count), unpacked = packed
    #expect(pk_stream_pack(&packed, w, &sizes, threads) == PK_OK)
    #expect(pk_stream_unpack(&unpacked, packed, &sizes, threads) == PK_OK)
    #expect(unpacked == w)

    var workspace = [Float](repeating: .nan, count: pk_stream_workspace(&sizes) / 4)
    let xBlocks = blocked(x, test.n, test.inputs, places)
    var y = [Float](repeating: .nan, count: residual.count)
    #expect(pk_stream_convolution(&y, xBlocks, packed, nil, nil, 0, &sizes, &workspace, threads) == PK_OK)
    let wanted = blocked(expected.map(Float.init), test.n, test.outputs, results).map(Double.init)
    #expect(largestError(y, wanted) < 1e-5 * Double(test.inputs))

    // With all that may follow, over the tensor that is added.
    var over = blocked(residual, test.n, test.outputs, results)
    let added = over
    let status = over.withUnsafeMutableBufferPointer { over in
      pk_stream_convolution(
        over.baseAddress, xBlocks, packed, bias, over.baseAddress, 1, &sizes, &workspace, threads)
    }
    #expect(status == PK_OK)
    let full = wanted.indices.map { at in
      let channel = at / (16 * results) % (test.outputs / 16) * 16 + at % 16
      return max(0, wanted[at] + Double(bias[channel]) + Double(added[at]))
    }
    #expect(largestError(over, full) < 1e-5 * Double(test.inputs))
  }

  @Test func refusesSizesThatCannotBe() {
    let bad: [(Case, pk_status)] = [
      (Case(n: 0), PK_INVALID), (Case(inputs: 24), PK_INVALID), (Case(outputs: 8), PK_INVALID),
      (Case(low: [-1, 1]), PK_INVALID),
      (Case(n: 1 << 31, inputs: 1 << 31), PK_LIMIT), (Case(inputs: 1 << 31, outputs: 1 << 31), PK_LIMIT),
      (Case(size: [1 << 31, 1 << 31], low: [1 << 31, 1]), PK_LIMIT),
    ]
    for (test, status) in bad {
      var sizes = test.sizes
      #expect(pk_stream_workspace(&sizes) == 0)
      #expect(pk_stream_convolution(nil, nil, nil, nil, nil, 0, &sizes, nil, 1) == status, "\(test)")
    }
    var none = Case().sizes
    none.stride.0 = 0
    #expect(pk_stream_convolution(nil, nil, nil, nil, nil, 0, &none, nil, 1) == PK_INVALID)
  }
}
