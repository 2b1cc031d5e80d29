import PandoIR
import PandoOperations

extension Samples {
  /// Products that sum over shared labels.
  static let contraction: [OperationSample] =
    [
      OperationSample(Contraction("ik,kj->ij"), .uniform([3, 4]), .uniform([4, 5])),
      OperationSample(Contraction("ki,kj->ij"), .uniform([4, 3]), .uniform([4, 5])),
      OperationSample(Contraction("ik,jk->ij"), .uniform([3, 4]), .uniform([5, 4])),
      OperationSample(Contraction("ik,jk->ji"), .uniform([3, 4]), .uniform([5, 4])),
      OperationSample(Contraction("bik,bkj->bij"), .uniform([2, 3, 4]), .uniform([2, 4, 5])),
      OperationSample(Contraction("bik,kj->bij"), .uniform([2, 3, 4]), .uniform([4, 5])),
      OperationSample(Contraction("bij,bik->jk"), .uniform([2, 3, 4]), .uniform([2, 3, 5])),
      OperationSample(Contraction("bhtd,bhsd->bhts"), .uniform([2, 2, 3, 4]), .uniform([2, 2, 5, 4])),
      OperationSample(Contraction("bthd,bshd->bhts"), .uniform([2, 3, 2, 4]), .uniform([2, 5, 2, 4])),
      OperationSample(Contraction("i,i->"), .uniform([7]), .uniform([7])),
      OperationSample(Contraction("i,j->ij"), .uniform([3]), .uniform([4])),
      OperationSample(Contraction("ij,ij->ij"), .uniform([3, 4]), .uniform([3, 4])),
      OperationSample(Contraction("ij,ij->i"), .uniform([3, 4]), .uniform([3, 4])),
      OperationSample(Contraction("ij,j->i"), .uniform([3, 4]), .uniform([4])),
      OperationSample(Contraction("ik,kj->ij"), .uniform([3, 0]), .uniform([0, 5])),
      OperationSample(
        Contraction("ik,kj->ij"), .uniform([3, 4], -9...9, .int32), .uniform([4, 5], -9...9, .int32)),
      OperationSample(
        Contraction("ik,kj->ij"), .uniform([3, 4], -2...2, .bfloat16), .uniform([4, 5], -2...2, .bfloat16)),
      OperationSample(
        Contraction("ik,kj->ij"), .uniform([3, 4], -2...2, .float64), .uniform([4, 5], -2...2, .float64)),
      OperationSample(
        Contraction("ik,kj->ij"), .uniform([65, 130]), .uniform([130, 33]), checksGradient: false),
    ] + vectors + unrounded

  /// One operand has one row or one column; the matrix lies along either dimension.
  private static let vectors: [OperationSample] = [
    ("bi,oi->bo", [1, 47], [37, 47]), ("bi,io->bo", [1, 47], [47, 165]), ("oi,bi->ob", [37, 15], [1, 15]),
    ("oi,i->o", [5, 33], [33]), ("i,io->o", [64], [64, 17]), ("bti,oi->bto", [1, 1, 16], [4, 16]),
    ("i,aib->ab", [5], [3, 5, 7]), ("i,aoi->oa", [5], [3, 4, 5]), ("bi,oi->bo", [1, 600], [1030, 600]),
    ("bi,io->bo", [1, 600], [600, 1030]), ("bi,oi->bo", [1, 1], [9, 1]),
  ].map { labels, x, y in
    OperationSample(
      Contraction(labels), .uniform(x), .uniform(y), checksGradient: x.reduce(1, *) < 100)
  }

  /// Sums of 16-bit products, handed out in float32.
  private static let unrounded: [OperationSample] = [DType.bfloat16, .float16].flatMap { dtype in
    [
      ("ik,kj->ij", [3, 4], [4, 5]), ("ki,kj->ij", [130, 17], [130, 33]),
      ("bik,jk->bij", [2, 15, 65], [33, 65]),
      ("bti,btj->ij", [3, 17, 15], [3, 17, 31]), ("i,j->ij", [3], [4]), ("i,i->", [17], [17]),
      ("ij,j->i", [16, 33], [33]), ("ik,kj->ij", [3, 0], [0, 5]), ("ij,ij->ij", [3, 17], [3, 17]),
    ].map { labels, x, y in
      let sides = Contraction(labels)
      return OperationSample(
        Contraction(lhs: sides.lhs, rhs: sides.rhs, result: sides.result, dtype: .float32),
        .uniform(x, -2...2, dtype), .uniform(y, -2...2, dtype), checksGradient: false)
    }
  }
}
