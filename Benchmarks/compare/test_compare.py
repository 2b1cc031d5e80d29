"""Tests of the comparison itself, on contenders that only pretend to work: `python3 -m unittest` in this folder."""

import argparse
import sys
import tempfile
import unittest
from pathlib import Path

import compare
import results
import tables
from contender import Contender, Failed
from workloads import WORKLOADS, Workload

STUB = """
import json, sys
print(json.dumps({"first_step_s": 0.25, "parameters": %d, "product_flops": 1000}), flush=True)
for line in sys.stdin:
    print(json.dumps({"step_ms": [%f] * int(line), "resident_bytes": 1 << 20}), flush=True)
"""
OPTIONS = argparse.Namespace(rounds=3, burst=0.01, threads=1, timeout=20, pando="")


def stub(name, step_ms, parameters=7, program=STUB):
    text = program % (parameters, step_ms) if program is STUB else program
    return Contender(name, [sys.executable, "-c", text], [min(compare.os.sched_getaffinity(0))], {})


class Pretended(compare.Comparison):
    """Pando takes 2 ms; peers what `steps` says of their mode."""

    def __init__(self, steps, parameters=7):
        super().__init__(Workload("mlp", "pretended", 1.5, 1.8), OPTIONS)
        self.steps = steps
        self.parameters = parameters

    def _pando(self):
        return stub("pando", 2)

    def _peer(self, peer, mode):
        if mode == "count":
            return stub(f"{peer} {mode}", 1, self.parameters)
        if mode not in self.steps:
            return stub(f"{peer} {mode}", 1, program="raise SystemExit('no such mode')")
        return stub(f"{peer} {mode}", self.steps[mode])


class ComparisonTests(unittest.TestCase):
    def test_the_best_mode_counts(self):
        row = Pretended({"eager": 8, "compile": 5, "jit": 6}).run()
        self.assertEqual((row["peer"], row["ratio"], row["pando_ms"]), ("torch compile", 2.5, 2))
        self.assertEqual([trial["name"] for trial in row["trials"]][:2], ["torch eager", "torch compile"])
        self.assertIn("no such mode", [trial.get("failed") for trial in row["trials"]])

    def test_other_work_is_no_comparison(self):
        self.assertIn("parameters", Pretended({"eager": 8}, parameters=8).run()["skipped"])

    def test_what_fails_says_why(self):
        broken = stub("broken", 1, program="import sys; sys.exit('error: out of luck')")
        with self.assertRaisesRegex(Failed, "out of luck"):
            broken.start(20)
        broken.stop()


class TableTests(unittest.TestCase):
    def kept(self):
        kept = results.Kept(Path(tempfile.mkdtemp()) / "results.json")
        machine = {
            "processor": "X", "sets": [], "processors": 2, "threads": 2, "memory_gib": 1, "torch": "1",
            "jax": "1", "commit": "abc", "date": "today",
        }  # fmt: skip
        for name, ratio in (("mlp", 2.0), ("gpt", 0.5)):
            row = {
                "pando_ms": 1.0, "peer": "torch eager", "peer_ms": ratio, "ratio": ratio, "ratio_min": ratio,
                "ratio_max": ratio, "pando_resident": 1 << 20, "pando_first_s": 0.1,
                "trials": [{"name": "torch eager", "step_ms": ratio, "first_step_s": 1, "resident": 4 << 20}],
            }  # fmt: skip
            kept.add(name, row, machine, keep=True)
        return kept

    def test_the_table_says_what_is_met(self):
        text = tables.markdown(self.kept())
        self.assertIn("| **2.00** (2.00–2.00) | 1.5 | 1.8 | aim |", text)
        self.assertIn("| **0.50** (0.50–0.50) | 1.2 | 1.3 | **no** |", text)
        self.assertIn("geometric mean of training (2 of it) | | | | **1.00**", text)
        self.assertIn("| mlp | 1 | 4 | 0.25 |", text)
        self.assertEqual(text.count("not measured"), len(WORKLOADS) - 2)

    def test_rows_are_kept_for_one_machine(self):
        kept = self.kept()
        again = results.Kept(kept.path)
        self.assertEqual(set(again.rows), {"mlp", "gpt"})
        again.add("gpt", {"skipped": "no"}, {**again.machine, "torch": "2"}, keep=False)
        self.assertEqual(set(again.rows), {"gpt"})
        self.assertEqual(set(results.Kept(kept.path).rows), {"mlp", "gpt"})

    def test_a_page_keeps_its_text(self):
        page = Path(tempfile.mkdtemp()) / "page.md"
        page.write_text(f"before\n{tables.BEGIN}\nold\n{tables.END}\nafter\n")
        for _ in range(2):
            tables.write("new", page)
        self.assertEqual(page.read_text(), f"before\n{tables.BEGIN}\n\nnew\n\n{tables.END}\nafter\n")


if __name__ == "__main__":
    unittest.main()
