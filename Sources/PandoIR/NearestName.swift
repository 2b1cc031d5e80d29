/// The name among `names` that a reader most likely meant by `name`, for "did you mean …?" in error messages.
///
/// Nearness is the optimal string alignment distance (insert, delete, replace, swap neighbours), letter case
/// ignored; a name that contains what was written, or is contained in it, counts as near. Of equally near names the
/// one closest in length is taken, then the first in alphabetical order. `nil` where nothing is near enough to be worth suggesting.
public func nearestName(to name: String, among names: some Sequence<String>) -> String? {
  let wanted = Array(name.lowercased().unicodeScalars)
  var best: (name: String, key: (distance: Int, excess: Int))?
  for candidate in names.sorted() {
    let letters = Array(candidate.lowercased().unicodeScalars)
    // The distance is at least the difference in length, so anything this long is not a slip of the pen.
    guard wanted.count <= 4 * letters.count + 8 else { continue }
    var distance = alignmentDistance(wanted, letters)
    if min(wanted.count, letters.count) >= 3, isPart(wanted, of: letters) || isPart(letters, of: wanted) {
      distance = min(distance, 2)
    }
    let tolerance = max(1, (max(wanted.count, letters.count) + 2) / 3)
    let key = (distance: distance, excess: abs(letters.count - wanted.count))
    if distance <= tolerance, best.map({ key < $0.key }) ?? true { best = (candidate, key) }
  }
  return best?.name
}

/// Fewest single-letter edits and swaps of neighbours, each letter touched at most once, that turn `a` into `b`.
private func alignmentDistance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
  if a.isEmpty || b.isEmpty { return max(a.count, b.count) }
  var beforePrevious: [Int] = []
  var previous = Array(0...b.count)
  for i in 1...a.count {
    var row = [i] + [Int](repeating: 0, count: b.count)
    for j in 1...b.count {
      let replace = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
      row[j] = min(replace, previous[j] + 1, row[j - 1] + 1)
      if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
        row[j] = min(row[j], beforePrevious[j - 2] + 1)
      }
    }
    (beforePrevious, previous) = (previous, row)
  }
  return previous[b.count]
}

private func isPart(_ part: [Unicode.Scalar], of whole: [Unicode.Scalar]) -> Bool {
  guard part.count <= whole.count else { return false }
  return (0...(whole.count - part.count)).contains { whole[$0..<($0 + part.count)].elementsEqual(part) }
}
