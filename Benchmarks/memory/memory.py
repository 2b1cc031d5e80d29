"""Measures what computing activations again saves and costs: Pando's policies and budgets beside PyTorch's ways.

The network is that of `gpt.yaml`. Everyone runs alone, for the sake of memory: it starts, does a first step, then those
that are measured, and ends; with `--rounds` all do so in turns again. Each result is kept at once, so that a run that was
cut goes on where it was; `--fresh` begins anew. `--deep` plans `deep.yaml` in many depths instead.
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
sys.path.insert(0, str(HERE.parent / "compare"))

from contender import Contender, Failed  # noqa: E402

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pando" / "memory" / "results.json"
TORCH = ["eager", "checkpoint", "compile", "budget=0.5", "budget=0"]
# Of what a run takes that computes nothing again.
BUDGETS = {"budget 75 %": 0.75, "budget 50 %": 0.5, "budget 35 %": 0.35}
DEPTHS = [62, 125, 250, 500, 1000]
SETTLE = 1.0


def note(text):
    print(text, file=sys.stderr, flush=True)


def plan(options, recipe, *settings):
    """What `pando plan` says of a recipe."""
    command = [options.pando, "plan", str(HERE / recipe), "--json"]
    for setting in settings:
        command += ["--set", setting]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr.strip() or f"{' '.join(command)} ended with {done.returncode}")
    return json.loads(done.stdout)


class Memory:
    def __init__(self, options):
        self.options = options
        self.cpus = sorted(os.sched_getaffinity(0))[: options.threads]
        self.batch = f"data.batch={options.batch}"

    def contenders(self):
        """Name → command, Pando's and PyTorch's in turns."""
        whole = plan(self.options, "gpt.yaml", self.batch, "train.recompute=none")
        own = {"none": ["train.recompute=none"]}
        for name, share in BUDGETS.items():
            own[name] = [f"train.memory={round(whole['peak_memory_bytes'] * share)}B", "train.recompute=auto"]
        own["blocks"] = ["train.recompute=blocks"]
        pando = []
        for name, settings in own.items():
            command = [self.options.pando, "bench", str(HERE / "gpt.yaml"), "--on-request"]
            for setting in [self.batch, *settings]:
                command += ["--set", setting]
            pando.append((f"Pando {name}", command + ["--threads", str(self.options.threads)]))
        peer = [sys.executable, str(HERE / "torch_peer.py")]
        sizes = [str(self.options.batch), str(whole["parameters"]), str(self.options.threads)]
        torch = [(f"PyTorch {mode}", peer + [mode] + sizes) for mode in TORCH]
        turns = [entry for pair in zip(pando, torch) for entry in pair]
        return turns + pando[len(torch) :] + torch[len(pando) :]

    def measure(self, name, command):
        contender = Contender(name, command, self.cpus, {"OMP_NUM_THREADS": str(self.options.threads)})
        try:
            greeting = contender.start(self.options.timeout)
            steps, resident = contender.burst(self.options.steps, self.options.timeout)
        finally:
            contender.stop()
        time.sleep(SETTLE)
        row = {"step_ms": statistics.median(steps), "resident": resident}
        if "planned_memory_bytes" in greeting:
            row["planned"] = greeting["planned_memory_bytes"]
        return row

    def run(self):
        results = load() if not self.options.fresh else {}
        key = f"batch {self.options.batch}"
        kept = results.setdefault(key, {})
        for number in range(self.options.rounds):
            for name, command in self.contenders():
                rows = kept.setdefault(name, [])
                wanted = not self.options.only or any(part in name for part in self.options.only)
                if len(rows) > number or not wanted:
                    continue
                note(f"{name} …")
                try:
                    row = self.measure(name, command)
                except Failed as failure:
                    note(f"  {failure}")
                    row = {"failed": str(failure)}
                else:
                    note(f"  {row['step_ms'] / 1000:.2f} s a step, {row['resident'] / 2**20:,.0f} MiB")
                rows.append(row)
                save(results)
        return kept


def load():
    try:
        return json.loads(CACHE.read_text())
    except FileNotFoundError:
        return {}


def save(results):
    CACHE.parent.mkdir(parents=True, exist_ok=True)
    fresh = CACHE.with_suffix(".new")
    fresh.write_text(json.dumps(results, indent=1))
    fresh.replace(CACHE)


def table(kept):
    """The extra time is over what the same program takes that computes nothing again: eager for eager, compiled for
    compiled."""
    lines = ["| | Step | Extra time | Peak resident memory | Of it planned |", "|---|---|---|---|---|"]
    medians = {}
    for name, rows in kept.items():
        good = [row for row in rows if "step_ms" in row]
        if good:
            medians[name] = {
                part: statistics.median(row[part] for row in good) for part in good[0]
            }
    base = {"Pando": "Pando none", "PyTorch checkpoint": "PyTorch eager", "PyTorch budget": "PyTorch compile"}
    for name, row in medians.items():
        against = next((base[start] for start in base if name.startswith(start)), None)
        extra = "–"
        if against in medians and against != name:
            extra = f"{(row['step_ms'] / medians[against]['step_ms'] - 1) * 100:+.0f} %"
        planned = f"{row['planned'] / 2**20:,.0f} MiB" if "planned" in row else "–"
        lines.append(
            f"| {name} | {row['step_ms'] / 1000:.2f} s | {extra} | {row['resident'] / 2**20:,.0f} MiB | {planned} |"
        )
    return "\n".join(lines)


def deep(options):
    """The arena of a step by depth, as planned, without the gradients in it, which all ways have."""
    lines = ["| Layers | `none` | `blocks` | `sqrt` | `sqrt` / √layers |", "|---|---|---|---|---|"]
    for depth in DEPTHS:
        arenas = []
        for way in ["none", "blocks", "sqrt"]:
            note(f"{depth} layers, {way} …")
            said = plan(options, "deep.yaml", f"model.layers={depth}", f"train.recompute={way}")
            arena = next(part["bytes"] for part in said["memory"] if part["name"] == "step")
            arenas.append(arena - 4 * said["parameters"])
        sizes = [f"{size / 2**20:,.1f} MiB" for size in arenas]
        lines.append(f"| {depth:,} | {' | '.join(sizes)} | {arenas[2] / 2**20 / depth**0.5:.2f} MiB |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(prog="run", description=__doc__)
    parser.add_argument("--pando", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--batch", type=int, default=8, help="contexts in a step (8)")
    parser.add_argument("--steps", type=int, default=2, help="steps to measure behind the first (2)")
    parser.add_argument("--rounds", type=int, default=1, help="how often everyone has its turn (1)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--timeout", type=float, default=900, help="seconds for an answer (900)")
    parser.add_argument("--only", nargs="*", help="those whose names hold one of these words")
    parser.add_argument("--fresh", action="store_true", help="forget what was measured before")
    parser.add_argument("--table", action="store_true", help="print the table of what was measured before")
    parser.add_argument("--deep", action="store_true", help="plan deep.yaml in many depths, and print a table")
    options = parser.parse_args()
    if options.deep:
        print(deep(options))
    elif options.table:
        print(table(load().get(f"batch {options.batch}", {})))
    else:
        print(table(Memory(options).run()))


if __name__ == "__main__":
    main()
