import COneDNN

/// The oneDNN that multiplies and convolves in this process.
public enum ProductLibrary {
  /// Its version: `2.6.3`.
  public static let version = String(cString: pdnn_version())

  /// The version that this program was compiled for.
  public static let compiledVersion = String(cString: pdnn_compiled_version())

  /// The best instruction set that it uses, held to `PANDO_ISA`, as it calls it: `avx512_core_bf16`.
  public static let instructions: String = {
    _ = try? InstructionSet.settle()
    return String(cString: pdnn_isa_name())
  }()

  /// Whether it convolves by Winograd's method here; version 3 does not.
  public static let hasWinograd: Bool = {
    _ = try? InstructionSet.settle()
    return pdnn_has_winograd() != 0
  }()

  /// All of it in one line.
  public static var description: String {
    let winograd = hasWinograd ? "with Winograd's convolutions" : "without Winograd's convolutions"
    let own = InstructionSet.hasWideVectors ? "; ours are there" : "; ours need AVX2"
    return "\(version), compiled for \(compiledVersion), \(instructions), \(winograd)\(own)"
  }
}
