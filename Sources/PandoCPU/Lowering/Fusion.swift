import CPandoKernels
import PandoEngine
import PandoIR
import PandoTransforms

extension Fusion: CPULowering {
  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    let compiler = try TileCompiler(self)
    let program = try TileProgram(compiler, shape: shape, operandCount: operands.count)
    let candidates = elementwiseOperands.sorted()
    let inPlace = results.map { result in
      candidates.filter { operands[$0].dtype.byteCount == result.dtype.byteCount }
    }
    return Kernel(inPlace: inPlace, always: { program.run($0, threads: threads) })
  }
}

/// A prepared tile program and the table through which it finds its memory.
private final class TileProgram {
  private let program: OpaquePointer
  private let ports: [(slot: Int, byteOffset: Int)]
  private let pointers: UnsafeMutablePointer<UnsafeMutableRawPointer?>

  init(_ compiler: TileCompiler, shape: [Int], operandCount: Int) throws {
    let all = compiler.inputs + compiler.outputs
    var status = PK_OK
    let prepared = shape.kernel.withUnsafeBufferPointer { shape in
      all.map(\.dtype.kernel).withUnsafeBufferPointer { dtypes in
        all.flatMap(\.strides.kernel).withUnsafeBufferPointer { strides in
          compiler.instructions.withUnsafeBufferPointer { instructions in
            var desc = pk_tile_desc()
            desc.rank = Int32(shape.count)
            desc.shape = shape.baseAddress
            desc.input_count = Int32(compiler.inputs.count)
            desc.output_count = Int32(compiler.outputs.count)
            desc.dtypes = dtypes.baseAddress
            desc.strides = strides.baseAddress
            desc.instruction_count = Int32(instructions.count)
            desc.instructions = instructions.baseAddress
            return pk_tile_prepare(&desc, &status)
          }
        }
      }
    }
    guard let prepared else {
      throw EngineError("a fusion of shape \(shape) cannot be prepared: status \(status.rawValue)")
    }
    program = prepared
    ports =
      compiler.inputs.map { ($0.place, $0.byteOffset) }
      + compiler.outputs.map { (operandCount + $0.place, $0.byteOffset) }
    pointers = .allocate(capacity: max(1, ports.count))
    pointers.initialize(repeating: nil, count: max(1, ports.count))
  }

  deinit {
    pk_tile_destroy(program)
    pointers.deallocate()
  }

  func run(_ table: KernelPointers, threads: Int) {
    for (index, port) in ports.enumerated() { pointers[index] = table[port.slot]! + port.byteOffset }
    pk_tile_run(program, pointers, Int32(threads))
  }
}
