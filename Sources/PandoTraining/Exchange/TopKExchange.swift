import Pando

/// Each rank sends the largest elements of its gradient and of what it has not sent before, with their places; the rest
/// it keeps for later steps, so that over time all of the gradient is sent (Stich et al. 2018, arXiv:1809.07599).
final class TopKExchange: GradientExchange {
  private let vector: GradientVector
  private let communicator: any Communicator
  /// How many elements a rank sends.
  private let count: Int
  /// What has not been sent.
  private let rest: HostBuffer
  /// Places, then values.
  private let outgoing: HostBuffer
  private let incoming: HostBuffer
  private var largest = LargestElements()

  init(_ vector: GradientVector, _ communicator: any Communicator, density: Double) {
    self.vector = vector
    self.communicator = communicator
    count = max(1, Int((density * Double(vector.elementCount)).rounded(.up)))
    rest = HostBuffer(TensorType([vector.gradientCount]))
    outgoing = HostBuffer(TensorType([2, count], .int32))
    incoming = HostBuffer(TensorType([communicator.size, 2, count], .int32))
  }

  var byteCount: Int { rest.type.byteCount + outgoing.type.byteCount + incoming.type.byteCount }

  var exchanges: [StepExchange] {
    [.samples(.allGather, bytes: incoming.type.byteCount, communicator)] + vector.tailExchanges(communicator)
  }

  var carried: [CarriedTensor] {
    zip(vector.names, vector.views(of: rest)).map {
      CarriedTensor(name: "unsent.\($0)", buffer: $1, spread: .sum)
    }
  }

  func sum() throws {
    let total = vector.gradientCount
    let gradient = vector.buffer.pointer.assumingMemoryBound(to: Float.self)
    let rest = rest.pointer.assumingMemoryBound(to: Float.self)
    for element in 0..<total { rest[element] += gradient[element] }
    let places = outgoing.pointer.assumingMemoryBound(to: Int32.self)
    largest.find(UnsafeBufferPointer(start: rest, count: total), count: count, into: places)
    for number in 0..<count {
      let place = Int(places[number])
      places[count + number] = Int32(bitPattern: rest[place].bitPattern)
      rest[place] = 0
    }
    try communicator.allGather(outgoing.bytes, into: incoming.mutableBytes, label: "largest gradients")
    gradient.update(repeating: 0, count: total)
    // In the order of ranks, so that every rank rounds alike.
    for rank in 0..<communicator.size {
      let places = incoming.pointer.assumingMemoryBound(to: Int32.self) + rank * 2 * count
      for number in 0..<count {
        gradient[Int(places[number])] += Float(bitPattern: UInt32(bitPattern: places[count + number]))
      }
    }
    try vector.sumTail(communicator)
  }
}
