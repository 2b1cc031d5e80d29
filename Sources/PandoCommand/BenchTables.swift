import Foundation
import PandoTraining

/// What `pando bench` prints for people.
enum BenchTables {
  private static let mib = 1024.0 * 1024

  /// A line of the table of workloads, with the heading above the first.
  static func show(_ result: WorkloadBenchmark.Result, isFirst: Bool) {
    if isFirst {
      print(
        "workload    precision  threads   step ms   (min)  predicted   GFLOP/s  of limit   planned MiB  peak MiB  resident MiB  first step s  empty step us   J/step"
      )
    }
    // Without a calibration the figure would say more of the machine for which the round figures were taken.
    let predicted =
      result.isCalibrated
      ? String(format: "%10.3f", result.predictedMs) : String(repeating: " ", count: 9) + "–"
    let share = result.gflops / result.matmulLimitGflops * 100
    print(
      String(
        format: "%@ %@ %7d %9.3f %7.3f %@ %9.1f %8.0f%% %13.1f %9.1f %13.1f %13.2f %14.2f %8.3g",
        result.name.padding(toLength: 11, withPad: " ", startingAt: 0),
        result.precision.padding(toLength: 9, withPad: " ", startingAt: 0), result.threads, result.stepMs,
        result.stepMsMin, predicted, result.gflops, share, Double(result.plannedMemoryBytes) / mib,
        Double(result.peakMemoryBytes) / mib, Double(result.residentBytes) / mib, result.firstStepS,
        result.emptyStepUs,
        result.joulesPerStep))
  }

  /// What stands below the table: how its last column came about.
  static func showEnergy(_ results: [WorkloadBenchmark.Result]) {
    guard let result = results.last else { return }
    let (total, error) = results.reduce((0.0, 0.0)) {
      ($0.0 + $1.joulesPerStep, $0.1 + $1.joulesPerStepError)
    }
    let grams = results.reduce(0) { $0 + $1.co2GramsPerStep }
    print(
      String(
        format: "energy is %@, ± %.0f %%; at %.0f g CO₂/kWh a thousand joules are %.2f g",
        result.energyMethod.text,
        total > 0 ? error / total * 100 : 0, total > 0 ? grams / total * 3.6e6 : 0,
        total > 0 ? grams / total * 1e3 : 0))
  }

  /// Where a workload's time goes.
  static func show(_ plan: PlanExplanation) {
    let speeds = plan.limits.gflops.sorted { $0.key < $1.key }
      .map { String(format: "%.0f GFLOP/s %@", $0.value, $0.key) }
    let total = plan.kernels.reduce(0) { $0 + $1.ms }
    print(
      String(
        format: "%@: %@, batch %d, %d threads; a step takes %.3f ms, its %d kernels %.3f ms (medians of %d)",
        plan.name, plan.precision, plan.batch, plan.threads, plan.stepMs, plan.kernels.count, total,
        plan.steps
      ))
    print(
      "limits: \(speeds.joined(separator: ", ")), "
        + String(format: "%.1f GB/s from memory\n", plan.limits.gigabytesPerSecond))
    let heading = "       ms predicted  share  count   GFLOP/s     GB/s  of limit  "
    print(heading + "kernel")
    for group in plan.alike { print(line(group, total)) }
    print("\n" + heading + "kind")
    for group in plan.kinds { print(line(group, total)) }
    print()
  }

  private static func line(_ group: PlanExplanation.Group, _ total: Double) -> String {
    String(
      format: "%9.3f %9.3f %5.1f%% %6d %9.1f %8.1f %8.0f%%  %@", group.ms, group.predictedMs,
      group.ms / total * 100, group.count,
      Double(group.flops) / group.ms / 1e6, Double(group.bytes) / group.ms / 1e6,
      group.limitMs / group.ms * 100, shortened(group.name))
  }

  /// A fusion can have dozens of operands; its first ones tell which it is.
  private static func shortened(_ text: String) -> String {
    text.count <= 160 ? text : text.prefix(157) + "…"
  }
}
