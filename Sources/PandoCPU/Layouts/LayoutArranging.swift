import PandoIR

/// An operation that can work on tensors in other layouts than the plain one: it conforms in a file of its own.
package protocol LayoutArranging: PandoIR.Operation {
  /// How it does, given where its operands come from; `nil` where plain tensors suit it best.
  func arrangement(_ node: Node, _ surroundings: Surroundings) -> Arrangement?
}

/// What an operation may know when it chooses layouts.
package struct Surroundings {
  /// For each operand, the layout in which it is made.
  let homes: [TensorLayout]
  /// For each operand, whether it only depends on what stays the same from run to run.
  let isFrozen: [Bool]
  /// The program's options.
  let settings: ConvolutionSettings

  /// The block of the first of the given operands that is made in blocks.
  func block(of places: some Sequence<Int>) -> Int? { places.lazy.compactMap { homes[$0].block }.first }
}

/// A form of an operation for operands and results in given layouts.
package struct Arrangement {
  /// For each operand, how it is to lie.
  let operands: [TensorLayout]
  /// For each result, how it comes to lie.
  let results: [TensorLayout]
  /// Emits the form.
  let emit: ([Value], inout GraphBuilder) throws(TypeError) -> [Value]

  init(
    operands: [TensorLayout], results: [TensorLayout],
    emit: @escaping ([Value], inout GraphBuilder) throws(TypeError) -> [Value]
  ) {
    self.operands = operands
    self.results = results
    self.emit = emit
  }

  /// One operation.
  init(_ operation: any PandoIR.Operation, operands: [TensorLayout], results: [TensorLayout]) {
    self.init(operands: operands, results: results) { (values, builder) throws(TypeError) in
      try builder.emit(operation, operands: values)
    }
  }
}

/// An operation whose result can be made in any blocked layout as cheaply as in the plain one.
package protocol LayoutFree: PandoIR.Operation {
  /// Emits it so that its result, of the plain type `result`, lies in blocks of `block` channels; `nil` where that is not
  /// cheap.
  func emit(
    block: Int, _ operands: [Value], result: TensorType, in builder: inout GraphBuilder
  ) throws(TypeError) -> Value?
}
