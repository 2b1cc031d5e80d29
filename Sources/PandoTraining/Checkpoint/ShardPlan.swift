import PandoIR

/// Divides what several ranks hold alike among those that write it.
package enum ShardPlan {
  /// What one of several writers writes of boxes that all of them hold: about as many bytes as any other, cut between
  /// the boxes' rows.
  package static func slices(of boxes: [TensorSlice], writer: Int, of writers: Int) -> [TensorSlice] {
    let total = boxes.reduce(0) { $0 + $1.boxType.byteCount }
    let share = Double(total) / Double(writers)
    var start = 0
    var slices: [TensorSlice] = []
    for box in boxes {
      let type = box.boxType
      defer { start += type.byteCount }
      let rows = type.rank > 0 ? type.shape[0] : 1
      let rowBytes = rows > 0 ? type.byteCount / rows : 0
      guard rowBytes > 0 else {
        if writer == 0 { slices.append(box) }
        continue
      }
      // A row is written by whoever has its first byte.
      func row(at cut: Int) -> Int {
        guard cut < writers else { return rows }
        let row = (share * Double(cut) - Double(start)) / Double(rowBytes)
        return Int(min(max(0, row.rounded(.up)), Double(rows)))
      }
      let own = row(at: writer)..<row(at: writer + 1)
      guard !own.isEmpty else { continue }
      slices.append(own.count == rows ? box : box.rows(own))
    }
    return slices
  }

  /// The name of a writer's file: `model.safetensors` where there is one, else `model-00002-of-00003.safetensors`.
  package static func fileName(_ stem: String, writer: Int, of writers: Int) -> String {
    func padded(_ number: Int) -> String {
      let digits = String(number)
      return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }
    return writers == 1
      ? "\(stem).safetensors" : "\(stem)-\(padded(writer + 1))-of-\(padded(writers)).safetensors"
  }

  /// Whether a file is a shard of that name's, or all of it.
  package static func isShard(_ file: String, of stem: String) -> Bool {
    file == "\(stem).safetensors" || file.hasPrefix("\(stem)-") && file.hasSuffix(".safetensors")
  }
}
