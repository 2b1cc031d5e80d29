"""Measures Pando against PyTorch and JAX: the same work, in turns, on the same processors.

For each workload every mode of every peer is tried for a short while. Then Pando and the modes near the best do bursts
of steps in turns, so that whatever else the machine does meets all of them alike. A ratio belongs to one round: the
best peer's median step over Pando's.
"""

import argparse
import os
import statistics
import sys
import time
from pathlib import Path

import results
import tables
from contender import Contender, Failed
from workloads import WORKLOADS

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pando" / "compare"
# A peer that is slower than the best by more than this in the trial is not measured further.
NEAR = 1.15
# Counters differ in what they take a masked half for, and in what a backward pass computes again.
SAME_WORK = 0.02
# Time for threads to fall asleep before someone else is measured.
SETTLE = 0.3


def note(text):
    print(text, file=sys.stderr, flush=True)


class Comparison:
    """One workload."""

    def __init__(self, workload, options):
        self.workload = workload
        self.options = options
        self.cpus = sorted(os.sched_getaffinity(0))[: options.threads]
        self.alive = []

    def run(self):
        """The row of the table; `skipped` says why there is none."""
        work = self.workload
        try:
            return self._measure()
        except Failed as failure:
            return {"skipped": str(failure).removeprefix("error: ")}
        finally:
            for contender in self.alive:
                contender.stop()

    def _measure(self):
        pando = self._pando()
        greeting = self._start(pando)
        self._check_work(greeting)
        trials, tried = [], []
        for peer, mode in self.workload.modes:
            contender = self._peer(peer, mode)
            try:
                first = self._start(contender)["first_step_s"]
                step, resident = self._trial(contender)
            except Failed as failure:
                note(f"  {contender.name}: {failure}")
                trials.append({"name": contender.name, "failed": str(failure)})
                contender.stop()
                continue
            note(f"  {contender.name}: {step:.3f} ms a step, the first after {first:.1f} s")
            trials.append({"name": contender.name, "step_ms": step, "first_step_s": first, "resident": resident})
            tried.append((step, contender))
        if not tried:
            raise Failed("no peer can do it")
        best = min(step for step, _ in tried)
        for step, contender in tried:
            if step > best * NEAR:
                contender.stop()
        near = [contender for step, contender in tried if step <= best * NEAR]
        own, _ = self._trial(pando)
        note(f"  pando: {own:.3f} ms a step, the first after {greeting['first_step_s']:.2f} s")
        rounds = self._rounds([pando] + near)
        medians = {name: statistics.median(times) for name, times in rounds["step_ms"].items()}
        peer = min(near, key=lambda contender: medians[contender.name])
        ratios = [p / q for p, q in zip(rounds["step_ms"][peer.name], rounds["step_ms"]["pando"])]
        return {
            "pando_ms": medians["pando"],
            "peer": peer.name,
            "peer_ms": medians[peer.name],
            "ratio": statistics.median(ratios),
            "ratio_min": min(ratios),
            "ratio_max": max(ratios),
            "rounds": self.options.rounds,
            "pando_resident": rounds["resident"]["pando"],
            "pando_first_s": greeting["first_step_s"],
            "idle": rounds["idle"],
            "trials": trials,
        }

    def _start(self, contender):
        self.alive.append(contender)
        return contender.start(self.options.timeout)

    def _trial(self, contender):
        """Median step of about a second, after a few to warm up; and the highest resident memory."""
        warm = statistics.median(contender.burst(3)[0])
        steps, resident = contender.burst(self._count(warm, 1))
        return statistics.median(steps), resident

    def _count(self, step_ms, seconds):
        return max(3, min(100_000, round(seconds * 1000 / max(step_ms, 1e-3))))

    def _rounds(self, contenders):
        """For each contender the median step of each round, the memory, and how busy the others were meanwhile."""
        counts = {c.name: self._count(statistics.median(c.burst(3)[0]), self.options.burst) for c in contenders}
        times = {c.name: [] for c in contenders}
        resident, idle = {}, 0.0
        for number in range(self.options.rounds):
            # Whoever follows whom must make no difference: the order turns around from round to round.
            for contender in contenders if number % 2 == 0 else reversed(contenders):
                time.sleep(SETTLE)
                others = [c for c in contenders if c is not contender]
                before, begin = sum(c.cpu_seconds() for c in others), time.perf_counter()
                steps, resident[contender.name] = contender.burst(counts[contender.name])
                used = sum(c.cpu_seconds() for c in others) - before
                # Processor time is counted in ticks of 10 ms, and one may fall to each process.
                idle = max(idle, (used - 0.01 * len(others)) / (time.perf_counter() - begin))
                times[contender.name].append(statistics.median(steps))
        if idle > 0.02:
            raise Failed(f"processes that should sleep took {idle:.0%} of a processor")
        return {"step_ms": times, "resident": resident, "idle": max(0.0, idle)}

    def _check_work(self, own):
        """Fails where a peer's network has other parameters, or a step other products."""
        for peer in sorted({peer for peer, _ in self.workload.modes}):
            counter = self._peer(peer, "count")
            theirs = self._start(counter)
            counter.stop()
            if theirs["parameters"] != own["parameters"]:
                raise Failed(f"{peer} has {theirs['parameters']} parameters, Pando {own['parameters']}")
            share = own["product_flops"] / theirs["product_flops"]
            if abs(share - 1) > SAME_WORK:
                raise Failed(
                    f"{peer} does {theirs['product_flops']:.4g} operations in products, Pando {own['product_flops']:.4g}"
                )

    def _pando(self):
        command = [self.options.pando, "bench", self.workload.name, "--on-request"]
        command += ["--precision", self.workload.precision, "--threads", str(self.options.threads)]
        return Contender("pando", command, self.cpus, {"OMP_NUM_THREADS": str(self.options.threads)})

    def _peer(self, peer, mode):
        threads = str(self.options.threads)
        script = HERE / "peers" / f"{peer}_peer.py"
        command = [sys.executable, str(script), self.workload.name, self.workload.precision, mode, threads]
        environment = {
            "OMP_NUM_THREADS": threads,
            "PYTHONDONTWRITEBYTECODE": "1",
            "JAX_PLATFORMS": "cpu",
            # Kept, so that a compiler's second start, not its first, is what its first step is judged by.
            "TORCHINDUCTOR_CACHE_DIR": str(CACHE / "inductor"),
        }
        return Contender(f"{peer} {mode}", command, self.cpus, environment)


def options():
    names = [work.key for work in WORKLOADS]
    parser = argparse.ArgumentParser(prog="Benchmarks/compare/run", description=__doc__.split("\n")[0])
    parser.add_argument("workload", nargs="*", help=f"only these: {', '.join(names)} ('gpt bf16' in quotes)")
    parser.add_argument("--rounds", type=int, default=9, help="rounds of bursts (9; fewer than 7 are not kept)")
    parser.add_argument("--burst", type=float, default=1.0, help="seconds of a burst (1)")
    parser.add_argument("--threads", type=int, default=2, help="threads of each (2)")
    parser.add_argument("--timeout", type=float, default=600, help="seconds to the first step, at most (600)")
    parser.add_argument("--table", action="store_true", help="measure nothing, print what was kept")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    parser.add_argument("--pando", required=True, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    for name in chosen.workload:
        if name not in names:
            parser.error(f"no workload is called '{name}'; there are: {', '.join(names)}")
    if chosen.rounds < 1 or chosen.threads < 1 or chosen.burst <= 0:
        parser.error("--rounds, --threads and --burst must be positive")
    if chosen.threads > len(os.sched_getaffinity(0)):
        parser.error(f"--threads {chosen.threads}: there are {len(os.sched_getaffinity(0))} processors")
    return chosen


def main():
    chosen = options()
    kept = results.Kept(CACHE / "results.json")
    if not chosen.table:
        machine = results.describe(chosen.threads, sys.executable, ROOT)
        for work in WORKLOADS:
            if chosen.workload and work.key not in chosen.workload:
                continue
            note(f"{work.key}: {work.title}")
            row = Comparison(work, chosen).run()
            note(f"  skipped: {row['skipped']}" if "skipped" in row else f"  {row['ratio']:.2f} times {row['peer']}")
            kept.add(work.key, row, machine, keep=chosen.rounds >= 7)
    text = tables.markdown(kept)
    print(text)
    if chosen.write:
        tables.write(text, ROOT / "docs" / "performance.md")
    return 0 if all("skipped" not in row for row in kept.rows.values()) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
