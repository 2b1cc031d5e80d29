/// Makes columns orthonormal.
package enum Orthogonal {
  /// Replaces the columns of a row-major matrix by orthonormal ones that span the same space, one after the other
  /// (modified Gram-Schmidt, in Double). A column that depends on those before it becomes zero.
  package static func columns(_ matrix: UnsafeMutablePointer<Float>, rows: Int, columns: Int) {
    for column in 0..<columns {
      let before = norm(matrix, rows, columns, column)
      for other in 0..<column {
        var product = 0.0
        for row in 0..<rows {
          product += Double(matrix[row * columns + column]) * Double(matrix[row * columns + other])
        }
        for row in 0..<rows {
          let share = product * Double(matrix[row * columns + other])
          matrix[row * columns + column] = Float(Double(matrix[row * columns + column]) - share)
        }
      }
      let after = norm(matrix, rows, columns, column)
      // What is left of a dependent column is rounding.
      let scale = after > 1e-6 * before ? 1 / after : after.isNaN ? .nan : 0
      for row in 0..<rows {
        matrix[row * columns + column] = Float(Double(matrix[row * columns + column]) * scale)
      }
    }
  }

  private static func norm(
    _ matrix: UnsafeMutablePointer<Float>, _ rows: Int, _ columns: Int, _ column: Int
  ) -> Double {
    var sum = 0.0
    for row in 0..<rows {
      let element = Double(matrix[row * columns + column])
      sum += element * element
    }
    return sum.squareRoot()
  }
}
