/// The candidate that a misspelt `name` most likely meant; `nil` where none is near.
///
/// Near is an edit distance (Levenshtein, letters compared without case) of at most a third of the longer name, and
/// at least 1. Of equally near candidates the first in alphabetical order is taken.
public func nearestName(to name: String, among candidates: [String]) -> String? {
  let target = Array(name.lowercased())
  var best: (distance: Int, name: String)?
  for candidate in candidates.sorted() {
    let letters = Array(candidate.lowercased())
    let distance = editDistance(target, letters)
    guard distance <= max(1, max(target.count, letters.count) / 3) else { continue }
    if best == nil || distance < best!.distance { best = (distance, candidate) }
  }
  return best?.name
}

/// How many insertions, deletions and replacements turn one into the other.
private func editDistance(_ a: [Character], _ b: [Character]) -> Int {
  var previous = Array(0...b.count)
  for (i, x) in a.enumerated() {
    var current = [i + 1]
    for (j, y) in b.enumerated() {
      current.append(min(previous[j] + (x == y ? 0 : 1), previous[j + 1] + 1, current[j] + 1))
    }
    previous = current
  }
  return previous[b.count]
}
