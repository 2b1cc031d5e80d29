import PandoIR

/// Finds a place for every value: inputs and outputs in the caller's buffers, the rest in one arena, where values that
/// are not alive at the same time share bytes.
///
/// The arena is packed largest first, each stretch into the smallest gap that holds it (best fit, after Pisarchyk and
/// Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020).
public struct PlanMemory {
  /// What the engine says of a node.
  public struct Needs: Sendable {
    /// Bytes of workspace.
    public let workspaceBytes: Int
    /// For each result, the operands over which it may be written, best first.
    public let inPlace: [[Int]]

    /// Needs of a node; by default no workspace, and nothing in place.
    public init(workspaceBytes: Int = 0, inPlace: [[Int]] = []) {
      self.workspaceBytes = workspaceBytes
      self.inPlace = inPlace
    }
  }

  let graph: Graph
  let needs: [Needs]
  let donations: [Int: Int]
  let preparedCount: Int
  /// For each value, the value whose bytes it shares.
  private(set) var owner: [Int]
  /// For each owner, the node that makes it and the last that uses it or a value that shares its bytes.
  private var first: [Int]
  private var last: [Int]
  private(set) var home: [MemoryPlan.Storage?]
  private(set) var byteCounts: [Int]

  private init(_ graph: Graph, _ needs: [Needs], _ donations: [Int: Int], _ preparedCount: Int) {
    self.preparedCount = preparedCount
    self.graph = graph
    self.needs = needs
    self.donations = donations
    owner = Array(0..<graph.valueCount)
    first = [Int](repeating: -1, count: graph.valueCount)
    last = [Int](repeating: -1, count: graph.valueCount)
    home = [MemoryPlan.Storage?](repeating: nil, count: graph.valueCount)
    byteCounts = [Int](repeating: 0, count: graph.valueCount)
    for node in graph.nodes { for result in node.results { byteCounts[result.id] = result.type.byteCount } }
  }

  /// The plan for a graph whose nodes run in the order in which they stand.
  ///
  /// - Parameters:
  ///   - needs: what the engine says of each node.
  ///   - donations: for each donated input the output that takes its memory over.
  ///   - preparedCount: how many nodes at the beginning run once for many runs of the others: what those read stays.
  ///   - files: what lies in files, or may.
  public static func plan(
    _ graph: Graph, needs: [Needs], donations: [Int: Int] = [:], preparedCount: Int = 0,
    files: Files = Files()
  ) -> MemoryPlan {
    var planner = PlanMemory(graph, needs, donations, preparedCount)
    planner.findLifetimes()
    planner.settleInputsAndOutputs()
    planner.reuseInPlace()
    let plan = planner.pack(files)
    guard files.values else { return plan }
    // What is on its way takes memory too; where that is no less than was saved, nothing goes to a file.
    var others = files
    others.values = false
    let plain = planner.pack(others)
    return plain.residentBytes <= plan.residentBytes ? plain : plan
  }

  private mutating func findLifetimes() {
    for (index, node) in graph.nodes.enumerated() {
      for result in node.results {
        first[result.id] = index
        last[result.id] = index
      }
      if node.operation.traits.contains(.alias) { owner[node.results[0].id] = owner[node.operands[0].id] }
      for operand in node.operands { last[owner[operand.id]] = max(last[owner[operand.id]], index) }
      for result in node.results { last[owner[result.id]] = max(last[owner[result.id]], index) }
    }
    for output in graph.outputs { last[owner[output.id]] = graph.nodes.count }
    for value in owner.indices where owner[value] == value {
      if first[value] >= 0, first[value] < preparedCount, last[value] >= preparedCount {
        last[value] = graph.nodes.count
      }
    }
  }

  /// An output is made in its own buffer where its value is not an input, not another output already, and, for one
  /// that takes over a donated input, where nothing reads the old contents afterwards.
  private mutating func settleInputsAndOutputs() {
    for (place, input) in graph.inputs.enumerated() { home[input.value.id] = .argument(place) }
    let donors = Dictionary(donations.map { ($0.value, $0.key) }, uniquingKeysWith: { first, _ in first })
    for (place, output) in graph.outputs.enumerated() {
      let value = owner[output.id]
      guard home[value] == nil else { continue }
      guard let donor = donors[place] else {
        home[value] = .result(place)
        continue
      }
      let old = graph.inputs[donor].value.id
      // Read by a node before the value is made, or by the very node where that works in place.
      let writer = first[value]
      let isSafe =
        last[old] < writer
        || (last[old] == writer && mayOverwrite(writer, result: value, operand: old))
      if isSafe { home[value] = .argument(donor) }
    }
  }

  /// Whether `node` may write its result `result` over the value `operand`, wherever else it reads it.
  private func mayOverwrite(_ node: Int, result: Int, operand: Int) -> Bool {
    guard let place = graph.nodes[node].results.firstIndex(where: { $0.id == result }),
      place < needs[node].inPlace.count
    else { return false }
    let uses = graph.nodes[node].operands.indices.filter {
      owner[graph.nodes[node].operands[$0].id] == operand
    }
    return !uses.isEmpty && uses.allSatisfy { needs[node].inPlace[place].contains($0) }
  }

  /// A result takes the bytes of an operand that ends at the node, where the engine may write over it.
  private mutating func reuseInPlace() {
    for (index, node) in graph.nodes.enumerated() {
      var taken: Set<Int> = []
      for (place, result) in node.results.enumerated() where place < needs[index].inPlace.count {
        guard owner[result.id] == result.id, home[result.id] == nil else { continue }
        for operandPlace in needs[index].inPlace[place] {
          let value = owner[node.operands[operandPlace].id]
          guard home[value] == nil, last[value] == index, !taken.contains(value), first[value] < index,
            value != result.id, byteCounts[value] == result.type.byteCount,
            mayOverwrite(index, result: result.id, operand: value)
          else { continue }
          taken.insert(value)
          merge(result.id, into: value)
          break
        }
      }
    }
  }

  private mutating func merge(_ value: Int, into target: Int) {
    last[target] = max(last[target], last[value])
    for id in owner.indices where owner[id] == value { owner[id] = target }
  }

  private func pack(_ files: Files) -> MemoryPlan {
    var intervals: [MemoryPlan.Interval] = []
    for node in graph.nodes {
      for result in node.results where owner[result.id] == result.id && home[result.id] == nil {
        intervals.append(
          MemoryPlan.Interval(
            offset: 0, byteCount: MemoryPlan.aligned(max(1, result.type.byteCount)), first: first[result.id],
            last: last[result.id], value: result.id))
      }
    }
    for (index, need) in needs.enumerated() where need.workspaceBytes > 0 {
      intervals.append(
        MemoryPlan.Interval(
          offset: 0, byteCount: MemoryPlan.aligned(need.workspaceBytes), first: index, last: index, value: nil
        ))
    }
    let isStreamed = files.values || !files.inputs.isEmpty
    let touches = isStreamed ? touches() : []
    let idle = Set(idleValues(intervals, touches, files))
    var offsets: [(value: Int, offset: Int)] = []
    var fileBytes = 0
    for interval in intervals {
      guard let value = interval.value, idle.contains(value) else { continue }
      // No two share bytes of the file, or one that has ended could be forgotten when the other has begun.
      offsets.append((value, fileBytes))
      fileBytes += files.aligned(interval.byteCount)
    }
    intervals.removeAll { $0.value.map { idle.contains($0) } ?? false }
    let arenaBytes = Packing.pack(&intervals)

    var storage = home
    for (value, offset) in offsets { storage[value] = .file(offset: offset) }
    var workspaces = [Int?](repeating: nil, count: graph.nodes.count)
    for interval in intervals {
      if let value = interval.value {
        storage[value] = .arena(offset: interval.offset)
      } else {
        workspaces[interval.first] = interval.offset
      }
    }
    for id in storage.indices where owner[id] != id { storage[id] = storage[owner[id]] }
    let donors = Dictionary(donations.map { ($0.value, $0.key) }, uniquingKeysWith: { first, _ in first })
    var copies: [MemoryPlan.Copy] = []
    for (place, output) in graph.outputs.enumerated() {
      let destination = donors[place].map { MemoryPlan.Storage.argument($0) } ?? .result(place)
      if storage[output.id] != destination { copies.append(MemoryPlan.Copy(value: output.id, output: place)) }
    }
    // What lives in an input's buffer is copied out before another copy writes there.
    copies.sort { a, b in
      func isArgument(_ copy: MemoryPlan.Copy) -> Bool {
        if case .argument? = storage[copy.value] { true } else { false }
      }
      return isArgument(a) && !isArgument(b)
    }
    return MemoryPlan(
      storage: storage, workspaces: workspaces, copies: copies, arenaBytes: arenaBytes, intervals: intervals,
      fileBytes: fileBytes,
      stream: isStreamed ? stream(files, offsets, touches, storage, copies) : nil)
  }
}
