/// The candidate that a mistyped name most likely meant, or `nil` where none is near.
///
/// Near means few single-letter slips (insert, delete, replace, swap of neighbours), or that one name begins
/// with the other: `batch-size` finds `batch`.
package func nearestName(to name: String, among candidates: [String]) -> String? {
  let wanted = folded(name)
  guard !wanted.isEmpty, wanted.count <= 64 else { return nil }
  let allowance = wanted.count <= 3 ? 1 : max(2, wanted.count / 3)
  let ranked = candidates.map { candidate in
    let letters = folded(candidate)
    let excess = abs(letters.count - wanted.count)
    return (name: candidate, slips: slips(from: wanted, to: letters), excess: excess)
  }
  let best = ranked.min { ($0.slips, $0.excess) < ($1.slips, $1.excess) }
  if let best, best.slips <= allowance { return best.name }
  return candidates.first { candidate in
    let letters = folded(candidate)
    return min(letters.count, wanted.count) >= 3
      && (letters.starts(with: wanted) || wanted.starts(with: letters))
  }
}

/// Names as they are compared: lower case, with one kind of separator.
private func folded(_ name: String) -> [Character] {
  name.lowercased().map { $0 == "_" || $0 == " " ? "-" : $0 }
}

/// The optimal string alignment distance.
private func slips(from source: [Character], to target: [Character]) -> Int {
  var beforeLast = [Int](repeating: 0, count: target.count + 1)
  var last = Array(0...target.count)
  for (i, letter) in source.enumerated() {
    var row = [i + 1]
    for (j, other) in target.enumerated() {
      var cost = min(last[j] + (letter == other ? 0 : 1), last[j + 1] + 1, row[j] + 1)
      if i > 0, j > 0, letter == target[j - 1], source[i - 1] == other {
        cost = min(cost, beforeLast[j - 1] + 1)
      }
      row.append(cost)
    }
    (beforeLast, last) = (last, row)
  }
  return last[target.count]
}
