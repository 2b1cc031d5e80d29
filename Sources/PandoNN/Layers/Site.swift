/// Where a layer was made: what its errors point at, because its operations are called from inside this package.
struct Site: Sendable {
  let file: StaticString
  let line: UInt

  init(_ file: StaticString, _ line: UInt) {
    self.file = file
    self.line = line
  }
}
