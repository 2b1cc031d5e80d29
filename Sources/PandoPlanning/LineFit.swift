/// Straight lines through measurements.
package enum LineFit {
  /// The non-negative weights whose sums over the columns come closest to `values`, each squared error counted by one
  /// over the value: so that neither the largest decide alone nor, as with relative errors, low sums are preferred, and
  /// the sum of all comes out right.
  ///
  /// With as few columns as there are here, every choice of columns that count is tried, and the best solution without
  /// a negative weight taken.
  /// - Parameters:
  ///   - rows: the columns of each measurement, all of one length.
  ///   - values: what was measured; all above 0.
  package static func nonNegative(rows: [[Double]], values: [Double]) -> [Double] {
    let count = rows.first?.count ?? 0
    // Columns brought to one size, for the sake of the arithmetic.
    let scales = (0..<count).map { column in
      rows.reduce(0) { max($0, abs($1[column])) }
    }
    let scaled = zip(rows, values).map { row, value in
      zip(row, scales).map { $1 > 0 ? $0 / $1 / value.squareRoot() : 0 }
    }
    var best = (error: Double.infinity, weights: [Double](repeating: 0, count: count))
    for choice in 1..<(1 << count) {
      let columns = (0..<count).filter { choice >> $0 & 1 == 1 && scales[$0] > 0 }
      guard columns.count == choice.nonzeroBitCount,
        let solved = solve(scaled, values.map { $0.squareRoot() }, columns),
        solved.allSatisfy({ $0 >= 0 })
      else { continue }
      let error = zip(scaled, values).reduce(0) { total, pair in
        let off = zip(columns, solved).reduce(-pair.1.squareRoot()) { $0 + pair.0[$1.0] * $1.1 }
        return total + off * off
      }
      guard error < best.error else { continue }
      var weights = [Double](repeating: 0, count: count)
      for (column, weight) in zip(columns, solved) { weights[column] = weight / scales[column] }
      best = (error, weights)
    }
    return best.weights
  }

  /// Least squares by the normal equations; `nil` where they have no one solution.
  private static func solve(_ rows: [[Double]], _ wanted: [Double], _ columns: [Int]) -> [Double]? {
    let count = columns.count
    var matrix = columns.map { a in
      columns.map { b in rows.reduce(0) { $0 + $1[a] * $1[b] } } + [
        zip(rows, wanted).reduce(0) { $0 + $1.0[a] * $1.1 }
      ]
    }
    for pivot in 0..<count {
      guard let row = (pivot..<count).max(by: { abs(matrix[$0][pivot]) < abs(matrix[$1][pivot]) }),
        abs(matrix[row][pivot]) > 1e-12
      else { return nil }
      matrix.swapAt(pivot, row)
      for other in 0..<count where other != pivot {
        let factor = matrix[other][pivot] / matrix[pivot][pivot]
        for column in pivot...count { matrix[other][column] -= factor * matrix[pivot][column] }
      }
    }
    return (0..<count).map { matrix[$0][count] / matrix[$0][$0] }
  }
}
