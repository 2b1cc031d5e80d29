import Pando

/// Rounds each rank's gradients to bfloat16, adds them up in float32 and rounds the sum once more.
final class RoundedExchange: GradientExchange {
  private let vector: GradientVector
  private let communicator: any Communicator
  private let half: HostBuffer
  private let narrow: Program
  private let widen: Program

  init(_ vector: GradientVector, _ communicator: any Communicator, on device: Device) throws {
    self.vector = vector
    self.communicator = communicator
    let whole = vector.gradients
    half = HostBuffer(whole.type.with(dtype: .bfloat16))
    let (x, y) = (Tensor.placeholder("gradients", whole.type), Tensor.placeholder("rounded", half.type))
    narrow = try Program([x.cast(.bfloat16)], inputs: [x], on: device)
    widen = try Program([y.cast(.float32)], inputs: [y], on: device)
    narrow.bind([whole], into: [half])
    widen.bind([half], into: [whole])
  }

  var byteCount: Int { half.type.byteCount }
  var programs: [Program] { [narrow, widen] }
  var exchanges: [StepExchange] {
    [.samples(.allReduce, bytes: half.type.byteCount, communicator)] + vector.tailExchanges(communicator)
  }

  func sum() throws {
    try narrow.run()
    try communicator.allReduce(half.mutableBytes, of: .bfloat16, label: "gradients in bfloat16")
    try widen.run()
    try vector.sumTail(communicator)
  }
}
