import CPandoKernels
import PandoEngine
import PandoIR
import PandoOperations

// Parts that lie behind each other in memory are exchanged as they are; others are decomposed, which moves them.

extension ExchangeOperation {
  /// A kernel that does a collective, or begins it where there is a channel.
  fileprivate func kernel(
    _ session: GroupSession, _ communicator: any Communicator, channel: Int?,
    _ collective: @escaping (KernelPointers) -> Collective
  ) -> (KernelPointers) -> Int32 {
    let label = label
    guard let channel else {
      return { pointers in
        session.attempt { try communicator.perform(collective(pointers), label: label) }
      }
    }
    return { pointers in
      session.begin(channel, communicator.start(collective(pointers), label: label))
      return 0
    }
  }

  /// For a group of one rank: the operand is the result.
  fileprivate func copy(_ bytes: Int) -> Kernel {
    Kernel(inPlace: [[0]]) { pointers in
      if pointers[0] != pointers[1] { pointers[1]!.copyMemory(from: pointers[0]!, byteCount: bytes) }
      return 0
    }
  }
}

extension ShardingRule.Reduction {
  fileprivate var kind: ReductionKind {
    switch self {
    case .sum: .sum
    case .product: .product
    case .maximum: .maximum
    case .minimum: .minimum
    }
  }
}

extension AllReduce: CPUGroupLowering {
  package func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool { true }

  package func lower(
    _ operands: [TensorType], _ results: [TensorType], session: GroupSession, threads: Int
  ) throws -> Kernel {
    let (bytes, dtype, kind) = (results[0].byteCount, results[0].dtype, reduction.kind)
    guard let communicator = try communicator(in: session.group) else { return copy(bytes) }
    let exchange = kernel(session, communicator, channel: channel) { pointers in
      .allReduce(
        buffer: UnsafeMutableRawBufferPointer(start: pointers[1], count: bytes), dtype: dtype, kind: kind)
    }
    return Kernel(inPlace: [[0]]) { pointers in
      if pointers[0] != pointers[1] { pointers[1]!.copyMemory(from: pointers[0]!, byteCount: bytes) }
      return exchange(pointers)
    }
  }
}

extension AllGather: CPUGroupLowering {
  package func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool {
    operands[0].isContiguous(dimension)
  }

  package func lower(
    _ operands: [TensorType], _ results: [TensorType], session: GroupSession, threads: Int
  ) throws -> Kernel {
    let (part, whole) = (operands[0].byteCount, results[0].byteCount)
    guard let communicator = try communicator(in: session.group) else { return copy(whole) }
    return Kernel(
      run: kernel(session, communicator, channel: channel) { pointers in
        .allGather(
          source: UnsafeRawBufferPointer(start: pointers[0], count: part),
          destination: UnsafeMutableRawBufferPointer(start: pointers[1], count: whole))
      })
  }
}

extension ReduceScatter: CPUGroupLowering {
  package func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool {
    operands[0].isContiguous(dimension)
  }

  package func lower(
    _ operands: [TensorType], _ results: [TensorType], session: GroupSession, threads: Int
  ) throws -> Kernel {
    let (whole, part) = (operands[0].byteCount, results[0].byteCount)
    let (dtype, kind) = (results[0].dtype, reduction.kind)
    guard let communicator = try communicator(in: session.group) else { return copy(part) }
    return Kernel(
      run: kernel(session, communicator, channel: channel) { pointers in
        .reduceScatter(
          source: UnsafeRawBufferPointer(start: pointers[0], count: whole),
          destination: UnsafeMutableRawBufferPointer(start: pointers[1], count: part), dtype: dtype,
          kind: kind)
      })
  }
}

extension AllToAll: CPUGroupLowering {
  package func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool {
    parts == 1 || (cut == joined && operands[0].isContiguous(cut))
  }

  package func lower(
    _ operands: [TensorType], _ results: [TensorType], session: GroupSession, threads: Int
  ) throws -> Kernel {
    let bytes = operands[0].byteCount
    guard let communicator = try communicator(in: session.group) else { return copy(bytes) }
    return Kernel(
      run: kernel(session, communicator, channel: nil) { pointers in
        .allToAll(
          source: UnsafeRawBufferPointer(start: pointers[0], count: bytes),
          destination: UnsafeMutableRawBufferPointer(start: pointers[1], count: bytes))
      })
  }
}

extension CollectivePermute: CPUGroupLowering {
  package func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool { true }

  package func lower(
    _ operands: [TensorType], _ results: [TensorType], session: GroupSession, threads: Int
  ) throws -> Kernel {
    let (bytes, label, size) = (operands[0].byteCount, label, parts)
    guard let communicator = try communicator(in: session.group), !shift.isMultiple(of: size) else {
      return copy(bytes)
    }
    let step = (shift % size + size) % size
    let (next, previous) = ((communicator.rank + step) % size, (communicator.rank - step + size) % size)
    return Kernel { pointers in
      session.attempt {
        let receive = communicator.startReceive(
          UnsafeMutableRawBufferPointer(start: pointers[1], count: bytes), from: previous, tag: step,
          label: label)
        let send = communicator.startSend(
          UnsafeRawBufferPointer(start: pointers[0], count: bytes), to: next, tag: step, label: label)
        try receive.wait()
        try send.wait()
      }
    }
  }
}

extension CollectiveDone: CPUGroupLowering {
  package func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool { true }

  package func lower(
    _ operands: [TensorType], _ results: [TensorType], session: GroupSession, threads: Int
  ) throws -> Kernel {
    let channel = channel
    return Kernel { _ in session.attempt { try session.end(channel) } }
  }
}

extension AxisIndex: CPUGroupLowering {
  package func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool { true }

  package func lower(
    _ operands: [TensorType], _ results: [TensorType], session: GroupSession, threads: Int
  ) throws -> Kernel {
    let value = Int64(try index(in: session.group) * factor)
    return Kernel(always: { $0[0]!.storeBytes(of: value, as: Int64.self) })
  }
}

extension ShardSlice: CPUGroupLowering {
  package func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool { true }

  package func lower(
    _ operands: [TensorType], _ results: [TensorType], session: GroupSession, threads: Int
  ) throws -> Kernel {
    let strides = operands[0].strides
    let first = try index(in: session.group) * results[0].shape[dimension]
    let copy = StridedCopy(
      results[0].shape, source: strides, from: first * strides[dimension], destination: results[0].strides,
      dtype: operands[0].dtype)
    return Kernel { copy.run(from: $0[0]!, to: $0[1]!, threads: Int32(threads)) }
  }
}

extension RandomBits: CPUGroupLowering {
  /// Of a whole tensor a sweep over memory makes the bits.
  package func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool { part != nil }

  package func lower(
    _ operands: [TensorType], _ results: [TensorType], session: GroupSession, threads: Int
  ) throws -> Kernel {
    let (box, whole) = (shape.kernel, part!.whole.kernel)
    let starts = try starts(in: session.group).kernel
    let (rank, stream) = (Int32(shape.count), UInt32(stream))
    return Kernel { pointers in
      let key = pointers[0]!.assumingMemoryBound(to: UInt64.self)
      return Int32(
        pk_random_box(
          pointers[1]!.assumingMemoryBound(to: Int32.self), box, whole, starts, rank, key[0], key[1], stream,
          Int32(threads)
        ).rawValue)
    }
  }
}
