import COneDNN
import CPandoKernels
import PandoEngine

/// The vector instructions that this process computes with: the best that the machine has, or those that the
/// environment variable `PANDO_ISA` names (`avx512`, `avx2` or `sse2`), read once, before `main`.
public enum InstructionSet {
  /// What `PANDO_ISA` calls it.
  public static let name = String(cString: pk_isa_name(pk_isa_in_use()))

  /// What is wrong with `PANDO_ISA` and which names would do; `nil` where all is well.
  public static let problem = pk_isa_problem().map { String(cString: $0) }

  /// Holds oneDNN to the same set. Every program is compiled after this.
  /// - Throws: `EngineError` where `PANDO_ISA` names a set that this machine does not have.
  static func settle() throws {
    if let problem { throw EngineError(problem) }
    guard isLibraryHeld else { throw EngineError("PANDO_ISA: oneDNN cannot be held to '\(name)'") }
  }

  private static let isLibraryHeld =
    switch pk_isa_in_use() {
    case PK_ISA_AVX512: true
    case PK_ISA_AVX2: pdnn_limit_isa(PDNN_ISA_AVX2) == 0
    default: pdnn_limit_isa(PDNN_ISA_SSE) == 0
    }

  /// Whether our kernels multiply fast enough that Winograd's method pays: not with vectors of 128 bits.
  static let hasWideVectors = pk_isa_in_use() == PK_ISA_AVX512 || pk_isa_in_use() == PK_ISA_AVX2

  /// Whether oneDNN multiplies bfloat16; where it does not, bfloat16 is multiplied as float32 and rounded once.
  static let multipliesBFloat16: Bool = pdnn_has_bf16() != 0
}
