import ArgumentParser
import Foundation
import Pando
import PandoTraining

/// `pando generate`
struct GenerateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate", abstract: "Writes text with a trained language model.")

  @Argument(
    help: ArgumentHelp("The run's folder: runs/bible-char.", valueName: "run"), completion: .directory)
  var path: String
  @Option(help: "What the text begins with.") var prompt = ""
  @Option(help: "Tokens to write.") var tokens = 300
  @Option(help: "Divides the logits: lower is safer, 0 always takes the likeliest.") var temperature = 0.8
  @Option(help: "The same seed writes the same text.") var seed: UInt64 = 1
  @Option(help: "cpu or reference.") var device = "cpu"
  @Flag(help: "Print JSON.") var json = false

  /// The answer for scripts.
  struct Answer: Encodable {
    let prompt: String
    let text: String
    let temperature: Double
    let seed: UInt64
  }

  func run() throws {
    guard tokens > 0 else { throw UsageError("--tokens must be at least 1, got \(tokens)") }
    guard temperature >= 0, temperature.isFinite else {
      throw UsageError("--temperature must be 0 or more, got \(temperature)")
    }
    let device: Device
    do { device = try Device(named: self.device) } catch { throw UsageError("--device: \(error)") }
    let folder = RunFolder(URL(fileURLWithPath: path, isDirectory: true))
    guard FileManager.default.fileExists(atPath: folder.recipe.path) else {
      throw UsageError("\(path) is not a run's folder: it has no recipe.yaml; train one first")
    }
    let generator = try TextGenerator.load(run: folder, device: device)
    if !json { write(prompt) }
    let text = try generator.generate(from: prompt, count: tokens, temperature: temperature, seed: seed) {
      piece in
      if !json { write(piece) }
    }
    if json {
      try JSONOutput.print(Answer(prompt: prompt, text: text, temperature: temperature, seed: seed))
    } else {
      write("\n")
    }
  }

  private func write(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }
}
