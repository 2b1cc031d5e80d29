import Foundation
import Pando

/// Each gradient that is a matrix goes out as a product of two thin matrices, found by one step of power iteration that
/// begins where the last one ended; what that misses stays on the rank and is added to its next gradient (PowerSGD,
/// Vogels et al. 2019, arXiv:1905.13727). Gradients that are no matrices, or so small that nothing would be gained, are
/// added up as they are.
final class PowerExchange: GradientExchange {
  private let vector: GradientVector
  private let communicator: any Communicator
  private let matrices: [Matrix]
  /// What has not been sent, a tensor for each matrix.
  private let rests: [HostBuffer]
  /// The left factors, and behind them all that is sent as it is.
  private let left: HostBuffer
  private let leftLayout: FlatLayout
  /// The right factors: this rank's, and their sum.
  private let right: HostBuffer
  private let rightSum: HostBuffer
  private let rightSums: [HostBuffer]
  /// The tensors that are sent as they are, in the vector and in `left`.
  private let plain: [(here: HostBuffer, there: HostBuffer)]
  /// `nil` where no gradient is large enough a matrix.
  private let work: Work?

  /// What is computed between the exchanges.
  private struct Work {
    /// Adds the gradients to what was not sent, and multiplies by the right factors of the step before.
    let left: Program
    /// This rank's right factors.
    let right: Program
    /// The gradients that came of it, and what they miss of this rank's own.
    let product: Program
  }

  /// A gradient as a matrix.
  private struct Matrix {
    /// Which of the gradients.
    let place: Int
    let rows, columns, rank: Int

    init?(_ place: Int, _ type: TensorType, rank: Int) {
      guard type.rank >= 2, let rows = type.shape.first, rows > 0 else { return nil }
      (self.place, self.rows, columns) = (place, rows, type.count / rows)
      self.rank = min(rank, rows, columns)
      guard self.rank * (rows + columns) < rows * columns else { return nil }
    }

    var type: TensorType { TensorType([rows, columns]) }
    var leftType: TensorType { TensorType([rows, rank]) }
    var rightType: TensorType { TensorType([columns, rank]) }
  }

  init(_ vector: GradientVector, _ communicator: any Communicator, rank: Int, on device: Device) throws {
    self.vector = vector
    self.communicator = communicator
    let types = vector.layout.types
    let matrices = vector.names.indices.compactMap { Matrix($0, types[$0], rank: rank) }
    self.matrices = matrices
    rests = matrices.map { HostBuffer($0.type) }
    let isMatrix = Set(matrices.map(\.place))
    let others = types.indices.filter { !isMatrix.contains($0) }
    leftLayout = FlatLayout(matrices.map(\.leftType) + others.map { types[$0] })
    left = HostBuffer(TensorType([leftLayout.count]))
    let rightLayout = FlatLayout(matrices.map(\.rightType))
    right = HostBuffer(TensorType([max(1, rightLayout.count)]))
    rightSum = HostBuffer(TensorType([max(1, rightLayout.count)]))
    let (lefts, rights) = (leftLayout.views(of: left), rightLayout.views(of: right))
    rightSums = rightLayout.views(of: rightSum)
    let views = vector.views
    plain = others.enumerated().map { (views[$0.element], lefts[matrices.count + $0.offset]) }
    let gradients = matrices.map { HostBuffer($0.type, borrowing: views[$0.place].pointer) }

    guard !matrices.isEmpty else {
      work = nil
      return
    }
    func placeholders(_ name: String, _ type: (Matrix) -> TensorType) -> [Tensor] {
      matrices.map { Tensor.placeholder("\(name)-\($0.place)", type($0)) }
    }
    let g = placeholders("gradient", \.type)
    let m = placeholders("matrix", \.type)
    let p = placeholders("left", \.leftType)
    let q = placeholders("right", \.rightType)
    let sum = placeholders("right-sum", \.rightType)
    let donated = Dictionary(uniqueKeysWithValues: matrices.indices.map { ($0, $0) })

    let whole = zip(m, g).map { $0 + $1 }
    let leftProgram = try Program(
      whole + zip(whole, q).map { matmul($0, $1) }, inputs: m + g + q, donations: donated, on: device)
    leftProgram.bind(rests + gradients + rightSums, into: rests + lefts.prefix(matrices.count))

    let rightProgram = try Program(
      zip(m, p).map { matmul($0.transpose(0, 1), $1) }, inputs: m + p, on: device)
    rightProgram.bind(rests + lefts.prefix(matrices.count), into: rights)

    let missed = matrices.indices.map { m[$0] - matmul(p[$0], q[$0].transpose(0, 1)) }
    let productProgram = try Program(
      missed + zip(p, sum).map { matmul($0, $1.transpose(0, 1)) }, inputs: m + p + q + sum,
      donations: donated,
      on: device)
    productProgram.bind(
      rests + lefts.prefix(matrices.count) + rights + rightSums, into: rests + gradients)
    work = Work(left: leftProgram, right: rightProgram, product: productProgram)
    drawDirections()
  }

  var exchanges: [StepExchange] {
    [left, rightSum].map { .samples(.allReduce, bytes: $0.type.byteCount, communicator) }
      + vector.tailExchanges(communicator)
  }
  var byteCount: Int {
    (rests + [left, right, rightSum]).reduce(0) { $0 + $1.type.byteCount }
  }

  var programs: [Program] { work.map { [$0.left, $0.right, $0.product] } ?? [] }

  var carried: [CarriedTensor] {
    zip(matrices, rests).map {
      CarriedTensor(name: "unsent.\(vector.names[$0.place])", buffer: $1, spread: .sum)
    }
      + zip(matrices, rightSums).map {
        CarriedTensor(name: "direction.\(vector.names[$0.place])", buffer: $1, spread: .same)
      }
  }

  func sum() throws {
    try work?.left.run()
    for (here, there) in plain { there.write(from: here.pointer) }
    try communicator.allReduce(left.mutableBytes, of: .float32, label: "left factors of the gradients")
    for (here, there) in plain { here.write(from: there.pointer) }
    guard let work else { return }
    for (matrix, view) in zip(matrices, leftLayout.views(of: left)) {
      Orthogonal.columns(
        view.pointer.assumingMemoryBound(to: Float.self), rows: matrix.rows, columns: matrix.rank)
    }
    try work.right.run()
    rightSum.write(from: right.pointer)
    try communicator.allReduce(rightSum.mutableBytes, of: .float32, label: "right factors of the gradients")
    try work.product.run()
  }

  /// Directions to begin with, the same on every rank.
  private func drawDirections() {
    for (matrix, view) in zip(matrices, rightSums) {
      let elements = view.pointer.assumingMemoryBound(to: Float.self)
      for element in 0..<view.type.count {
        let bits = Philox.block(
          UInt64(element), stream: UInt32(matrix.place), step: 0, seed: 0x506F_7765_7253)
        elements[element] = Float(Int32(bitPattern: bits[0])) * 0x1p-31
      }
    }
  }
}
