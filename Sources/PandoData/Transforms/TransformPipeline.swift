import PandoIR

/// Transforms in sequence, checked against the fields of the samples that they will get.
public struct TransformPipeline: Sendable {
  struct Stage: Sendable {
    let transform: any SampleTransform
    let input: TensorType
    /// Its place among all transforms, which separates its random numbers from the others'.
    let number: Int
  }

  /// The samples' fields as they enter.
  public let inputFields: [Field]
  /// The samples' fields as they leave, in the same order.
  public let outputFields: [Field]
  /// The transforms of each field, in the order of `inputFields`.
  let stages: [[Stage]]
  /// The largest field between two transforms, in bytes: what a scratch buffer must hold.
  let scratchByteCount: Int

  /// - Throws: `DataError` where a transform names a field that does not exist, or cannot take its type.
  public init(_ transforms: [any SampleTransform], fields: [Field]) throws {
    var stages = [[Stage]](repeating: [], count: fields.count)
    var types = fields.map(\.type)
    var scratch = 0
    for (number, transform) in transforms.enumerated() {
      guard let index = fields.firstIndex(where: { $0.name == transform.field }) else {
        let names = fields.map(\.name)
        let near = nearestName(to: transform.field, among: names).map { "; did you mean '\($0)'?" } ?? ""
        throw DataError(
          .notFound, at: "transform \(type(of: transform))",
          "there is no field '\(transform.field)' among \(names)\(near)")
      }
      stages[index].append(Stage(transform: transform, input: types[index], number: number))
      scratch = max(scratch, types[index].byteCount)
      types[index] = try transform.outputType(for: types[index])
    }
    inputFields = fields
    outputFields = zip(fields, types).map { Field($0.name, $1) }
    self.stages = stages
    scratchByteCount = scratch
  }
}
