/// How many places a window has along one dimension; `nil` where it does not fit even once, or where a number is none of
/// a window.
///
/// The window has `size` elements, `dilation` apart, and moves by `stride` over `count` elements with `low` padding before
/// and `high` behind them. Elements behind the last whole window are left over.
func windowPlaces(
  count: Int, size: Int, stride: Int, low: Int, high: Int, dilation: Int = 1
) -> Int? {
  // Attributes may come from a file: sizes beyond these would overflow below.
  let limit = 0..<(1 << 60)
  guard size > 0, stride > 0, dilation > 0, limit.contains(count), limit.contains(low), limit.contains(high)
  else {
    return nil
  }
  let (reach, overflow) = (size - 1).multipliedReportingOverflow(by: dilation)
  guard !overflow, count + low + high > reach else { return nil }
  return (count + low + high - reach - 1) / stride + 1
}
