import ArgumentParser
import PandoIR

/// Finds verbs that do not exist, on any level: `pando tran`, `pando checkpoint chek`.
enum Verbs {
  /// - Throws: `UsageError` with the nearest verb there is, where the command line names another one.
  static func check(_ arguments: [String]) throws {
    var command: any ParsableCommand.Type = PandoCommand.self
    var path = ["pando"]
    for argument in arguments {
      let verbs = command.configuration.subcommands
      // Flags come before a verb only to ask for help or the version; a verb's own arguments are not its name.
      guard !verbs.isEmpty, !argument.hasPrefix("-"), argument != "help" else { return }
      guard let next = verbs.first(where: { name(of: $0) == argument }) else {
        let names = verbs.map(name)
        let near = nearestName(to: argument, among: names).map { "; did you mean '\($0)'?" } ?? "."
        throw UsageError(
          "'\(path.joined(separator: " "))' has no verb '\(argument)'\(near) There are: "
            + names.joined(separator: ", "))
      }
      (command, path) = (next, path + [argument])
    }
  }

  private static func name(of command: any ParsableCommand.Type) -> String {
    command.configuration.commandName ?? String(describing: command).lowercased()
  }
}
