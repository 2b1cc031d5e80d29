"""Trains recipes/bible-char.yaml, shortened, on two ranks in every form of exchange, and tells bytes and loss of each."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pando" / "traffic" / "results.json"
PAGE = ROOT / "docs" / "distributed-runs.md"
BEGIN = "<!-- The table begins; Benchmarks/traffic/run --write replaces it. -->"
END = "<!-- The table ends. -->"

# Settings of `parallel`, by title.
FORMS = {
    "float32, each step": [],
    "bf16": ["gradients.kind=bf16"],
    "top-k, density 0.1": ["gradients.kind=top-k", "gradients.density=0.1"],
    "top-k, density 0.01": ["gradients.kind=top-k", "gradients.density=0.01"],
    "PowerSGD, rank 4": ["gradients.kind=power-sgd", "gradients.rank=4"],
    "PowerSGD, rank 1": ["gradients.kind=power-sgd", "gradients.rank=1"],
    "mean of weights, H = 10": ["local.kind=average", "local.steps=10"],
    "DiLoCo, H = 1": ["local.kind=diloco", "local.steps=1"],
    "DiLoCo, H = 10": ["local.kind=diloco", "local.steps=10"],
    "DiLoCo, H = 50": ["local.kind=diloco", "local.steps=50"],
    "DiLoCo, H = 100": ["local.kind=diloco", "local.steps=100"],
    "DiLoCo, H = 50, bf16": ["local.kind=diloco", "local.steps=50", "gradients.kind=bf16"],
}


def train(pando, settings, steps):
    """What `summary.json` says of a run."""
    with tempfile.TemporaryDirectory() as folder:
        command = [pando, "train", str(ROOT / "recipes" / "bible-char.yaml"), "--ranks", "2", "--json", "--out", folder]
        short = [f"train.steps={steps}", f"train.evaluate.every={steps}", f"checkpoint.every={steps}"]
        short += ["data.batch=16", f"train.schedule.warmup={max(1, steps // 20)}", "train.threads=1"]
        for setting in short + [f"parallel.{setting}" for setting in settings]:
            command += ["--set", setting]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit((done.stderr.strip().splitlines() or ["error: pando train failed"])[-1])
    return json.loads(done.stdout)


def markdown(kept):
    rows = kept["rows"]
    whole = rows.get("float32, each step")
    lines = ["| ranks exchange | bytes a step | of float32's | bits per character |", "|---|---|---|---|"]
    for title in FORMS:
        if title not in rows:
            continue
        row = rows[title]
        share = f"{row['bytes'] / whole['bytes']:.2%}".replace("%", " %") if whole else "–"
        lines.append(f"| {title} | {row['bytes']:,.0f} | {share} | {row['bits']:.3f} |")
    return "\n".join(lines)


def write(text):
    """Puts the table between its marks."""
    before, rest = PAGE.read_text().split(BEGIN)
    _, after = rest.split(END)
    new = PAGE.with_suffix(".new")
    new.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")
    new.replace(PAGE)


def main():
    parser = argparse.ArgumentParser(prog="Benchmarks/traffic/run", description=__doc__)
    parser.add_argument("form", nargs="*", help=f"only these: {'; '.join(FORMS)}")
    parser.add_argument("--steps", type=int, default=400, help="steps of each run, a multiple of 100 (400)")
    parser.add_argument("--table", action="store_true", help="train nothing, print what was kept")
    parser.add_argument("--write", action="store_true", help="put the table into docs/distributed-runs.md")
    parser.add_argument("--pando", required=True, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    for form in chosen.form:
        if form not in FORMS:
            parser.error(f"no form is called '{form}'; there are: {'; '.join(FORMS)}")
    if chosen.steps < 100 or chosen.steps % 100:
        parser.error("--steps must be a multiple of 100")
    kept = json.loads(CACHE.read_text()) if CACHE.exists() else {"rows": {}}
    if not chosen.table:
        if kept.get("steps") != chosen.steps:
            kept = {"rows": {}, "steps": chosen.steps}
        for title, settings in FORMS.items():
            if chosen.form and title not in chosen.form:
                continue
            summary = train(chosen.pando, settings, chosen.steps)
            row = {"bytes": summary["sent_bytes_per_step"], "bits": summary["eval"]["bits-per-character"]}
            print(f"{title}: {row['bits']:.3f} bits per character, {row['bytes']:,.0f} bytes a step", file=sys.stderr)
            kept["rows"][title] = row
            CACHE.parent.mkdir(parents=True, exist_ok=True)
            new = CACHE.with_suffix(".new")
            new.write_text(json.dumps(kept, indent=1))
            new.replace(CACHE)
    print(markdown(kept))
    if chosen.write:
        write(markdown(kept))


if __name__ == "__main__":
    main()
