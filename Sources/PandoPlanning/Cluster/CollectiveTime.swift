/// How long exchanges take: α–β, with rings within a node and between nodes (Thakur et al. 2005).
extension ClusterDescription {
  /// The link that a group of processors is held up by.
  ///
  /// - Parameters:
  ///   - size: how many exchange something.
  ///   - stride: how far apart their numbers are: neighbours fill a node first.
  func link(size: Int, stride: Int) -> Link { size * stride <= processorsPerNode ? inside : between }

  /// Seconds in which each of a group has the sum of what all have.
  ///
  /// Between nodes a ring goes through all the members that a node has before it leaves it, so that it shares the links
  /// of as many processors.
  public func allReduceSeconds(bytes: Double, size: Int, stride: Int = 1) -> Double {
    2 * reduceScatterSeconds(bytes: bytes, size: size, stride: stride)
  }

  /// Seconds in which each of a group has its part of the sum, or, the other way round, all of what each has a part of.
  public func reduceScatterSeconds(bytes: Double, size: Int, stride: Int = 1) -> Double {
    guard size > 1 else { return 0 }
    let link = link(size: size, stride: stride)
    let share = Double(size - 1) / Double(size)
    guard link == between, inside != between else {
      return Double(size - 1) * link.latency + share * bytes / (link.bandwidth * link.efficiency)
    }
    let members = max(1, min(size, processorsPerNode / max(1, stride)))
    let outside = between.bandwidth * between.efficiency * Double(members)
    let rate = members > 1 ? min(outside, inside.bandwidth * inside.efficiency) : outside
    let nodes = (size + members - 1) / members
    return Double(nodes - 1) * between.latency + Double(members - 1) * inside.latency + share * bytes / rate
  }

  /// Seconds in which one processor has what another had.
  public func sendSeconds(bytes: Double, stride: Int) -> Double {
    let link = stride < processorsPerNode ? inside : between
    return link.latency + bytes / (link.bandwidth * link.efficiency)
  }
}
