"""Measures how a training step scales from one rank to two: Pando, PyTorch's DDP and Horovod, in turns.

Each rank has one thread and one processor, and the same number of samples however many ranks there are. In each round
everyone does a burst of steps; what is divided by what belongs to one round, and a figure is the median over rounds.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent / "compare"))

import page  # noqa: E402
import results  # noqa: E402
from contender import Contender, Failed  # noqa: E402

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pando" / "scaling"
# Samples of one rank.
WORKLOADS = {"gpt": 4, "resnet18": 32}
SETTLE = 0.3


def note(text):
    print(text, file=sys.stderr, flush=True)


class Asked(Contender):
    """A contender that remembers what its last answer held beside times."""

    def _answer(self, timeout):
        self.last = super()._answer(timeout)
        return self.last


class Scaling:
    """One workload."""

    def __init__(self, workload, options):
        self.workload = workload
        self.options = options
        self.batch = WORKLOADS[workload]
        self.cpus = sorted(os.sched_getaffinity(0))[:2]
        self.alive = []

    def run(self):
        """The row of the table."""
        try:
            return self._measure()
        finally:
            for contender in self.alive:
                contender.stop()

    def _measure(self):
        contenders, failed = [], {}
        for name, contender in self._contenders():
            self.alive.append(contender)
            try:
                contender.start(self.options.timeout)
                warm = statistics.median(contender.burst(3)[0])
                note(f"  {name}: {warm:.1f} ms a step")
                contenders.append((name, contender, max(2, round(self.options.burst * 1000 / warm))))
            except Failed as failure:
                note(f"  {name}: {failure}")
                failed[name] = str(failure)
                contender.stop()
        times = {name: [] for name, _, _ in contenders}
        shares = []
        for number in range(self.options.rounds):
            for name, contender, count in contenders if number % 2 == 0 else reversed(contenders):
                time.sleep(SETTLE)
                steps, _ = contender.burst(count)
                times[name].append(statistics.median(steps))
                if name == "pando 2":
                    shares.append(sum(contender.last["exchange_ms"]) / sum(steps))
        return {
            "step_ms": {name: statistics.median(values) for name, values in times.items()},
            "efficiency": {
                peer: self._over_rounds(times, f"{peer} 1", f"{peer} 2")
                for peer in ("pando", "ddp", "horovod")
                if f"{peer} 2" in times and f"{peer} 1" in times
            },
            "against_threads": self._over_rounds(times, "pando 2", "pando threads"),
            "exchange_share": [statistics.median(shares), min(shares), max(shares)],
            "rounds": self.options.rounds,
            "failed": failed,
        }

    @staticmethod
    def _over_rounds(times, above, below):
        """Median, least and greatest quotient of two contenders' steps."""
        quotients = [a / b for a, b in zip(times[above], times[below])]
        return [statistics.median(quotients), min(quotients), max(quotients)]

    def _contenders(self):
        one, two = self.cpus[:1], self.cpus
        yield "pando 1", self._pando(1, 1, one)
        yield "pando threads", self._pando(1, 2, two)
        yield "pando 2", self._pando(2, 1, two)
        for library in ("ddp", "horovod"):
            for ranks in (1, 2):
                command = [sys.executable, str(HERE / "ddp_peer.py"), library, self.workload]
                command += [str(self.batch), str(ranks), ",".join(map(str, self.cpus))]
                environment = {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", "GLOO_SOCKET_IFNAME": "lo"}
                yield f"{library} {ranks}", Asked(f"{library} {ranks}", command, two, environment)

    def _pando(self, ranks, threads, cpus):
        command = [self.options.pando, "bench", self.workload, "--on-request"]
        command += ["--threads", str(threads), "--batch", str(self.batch * max(ranks, threads))]
        environment = {"OMP_NUM_THREADS": str(threads)}
        if ranks > 1:
            start = ["mpirun", "-n", str(ranks), "--use-hwthread-cpus", "--map-by", "slot:PE=1", "--bind-to", "hwthread"]
            command = start + command
            # A container's only user is often root.
            environment |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
        return Asked("pando", command, cpus, environment)


def exchanges(pando):
    """Pando's all-reduce beside Open MPI's, by size."""
    said = subprocess.run([pando, "ranks", "--ranks", "2", "--json"], capture_output=True, text=True, timeout=120)
    if said.returncode != 0:
        raise Failed((said.stderr.strip().splitlines() or ["pando ranks failed"])[-1])
    return json.loads(said.stdout)["allReduce"]


def options():
    parser = argparse.ArgumentParser(prog="Benchmarks/scaling/run", description=__doc__.split("\n")[0])
    parser.add_argument("what", nargs="*", help=f"only these: {', '.join([*WORKLOADS, 'all-reduce'])}")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of bursts (7)")
    parser.add_argument("--burst", type=float, default=1.0, help="seconds of a burst (1)")
    parser.add_argument("--timeout", type=float, default=120, help="seconds to the first step, at most (120)")
    parser.add_argument("--table", action="store_true", help="measure nothing, print what was kept")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/distributed-runs.md")
    parser.add_argument("--pando", required=True, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    known = [*WORKLOADS, "all-reduce"]
    for name in chosen.what:
        if name not in known:
            parser.error(f"nothing is called '{name}'; there are: {', '.join(known)}")
    if chosen.rounds < 1 or chosen.burst <= 0:
        parser.error("--rounds and --burst must be positive")
    if len(os.sched_getaffinity(0)) < 2:
        parser.error("two ranks need two processors")
    chosen.what = chosen.what or known
    return chosen


def main():
    chosen = options()
    kept = results.Kept(CACHE / "results.json")
    if not chosen.table:
        machine = results.describe(1, sys.executable, ROOT)
        for name in chosen.what:
            note(name)
            row = {"sizes": exchanges(chosen.pando)} if name == "all-reduce" else Scaling(name, chosen).run()
            kept.add(name, row, machine, keep=True)
    text = page.markdown(kept)
    print(text)
    if chosen.write:
        page.write(text, ROOT / "docs" / "distributed-runs.md")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except Failed as failure:
        sys.exit(f"error: {failure}")
