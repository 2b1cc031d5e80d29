"""Trains a small GPT over widths and learning rates, in the standard parametrization and in the maximal update one, and
draws the final losses: where the best learning rate lies, and whether it moves with the width.

    python3 Benchmarks/mup/sweep.py --out DIR [--pando PATH] [--svg docs/mup.svg]

Runs that DIR already holds are not done again, so a sweep that was stopped goes on.
"""
import argparse
import json
import math
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
WIDTHS = [64, 128, 256, 512]
RATES = [0.001 * 2**k for k in range(7)]
BASE = 64
COLOURS = ["#9cc6f0", "#5d98d8", "#2f6db3", "#16386b"]


def train(pando, folder, width, rate, parametrization):
    """The mean training loss of the last fifteen steps; infinite where training failed."""
    if not (folder / "summary.json").exists():
        settings = [f"model.width={width}", f"train.optimizer.learning-rate={rate}"]
        if parametrization == "mup":
            settings += ["model.parametrization=mup", f"model.base-width={BASE}"]
        command = [pando, "train", str(HERE / "recipe.yaml"), "--out", str(folder)]
        for setting in settings:
            command += ["--set", setting]
        done = subprocess.run(command, capture_output=True, text=True)
        # Exit code 1 is a run that failed, as one does whose loss is no longer finite; anything else is a mistake.
        if done.returncode not in (0, 1):
            sys.exit(f"error: {' '.join(command)}\n{done.stderr}")
        if done.returncode == 1:
            return math.inf
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    losses = [row["train_loss"] for row in rows if row.get("train_loss") is not None]
    return sum(losses[-15:]) / 15


def sweep(pando, out):
    """Final losses by parametrization, width and learning rate."""
    results = {}
    for parametrization in ["standard", "mup"]:
        for width in WIDTHS:
            for rate in RATES:
                # Of the base width both are the same model.
                kind = "standard" if width == BASE else parametrization
                folder = out / f"{kind}-{width}-{rate:g}"
                loss = train(pando, folder, width, rate, kind)
                results.setdefault(parametrization, {}).setdefault(width, {})[rate] = loss
                print(f"{parametrization} width {width} rate {rate:g}: {loss:.4f}", file=sys.stderr, flush=True)
    return results


def best(losses):
    return min(losses, key=losses.get)


def draw(results):
    """Two panels side by side, a curve for each width, with a dot at its lowest point."""
    width, height, left, top, bottom = 400, 330, 52, 34, 46
    finite = [v for r in results.values() for c in r.values() for v in c.values() if math.isfinite(v)]
    low, high = min(finite), min(max(finite), min(finite) + 1.4)
    low, high = math.floor(low * 10) / 10, math.ceil(high * 10) / 10

    def x(panel, rate):
        span = math.log(RATES[-1] / RATES[0])
        return panel * width + left + math.log(rate / RATES[0]) / span * (width - left - 16)

    def y(loss):
        return top + (high - min(loss, high)) / (high - low) * (height - top - bottom)

    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {2 * width} {height}' "
        "font-family='system-ui, sans-serif' font-size='11'>",
        f"<rect width='{2 * width}' height='{height}' fill='#ffffff'/>",
    ]
    for panel, name in enumerate(["standard", "mup"]):
        title = {"standard": "Standard parametrization", "mup": f"µP, base width {BASE}"}[name]
        parts.append(f"<text x='{panel * width + left}' y='20' font-size='13' fill='#22262b'>{title}</text>")
        tick = low
        while tick <= high + 1e-9:
            parts.append(
                f"<line x1='{panel * width + left}' x2='{(panel + 1) * width - 16}' y1='{y(tick):.1f}' "
                f"y2='{y(tick):.1f}' stroke='#e3e5e4'/>"
                f"<text x='{panel * width + left - 6}' y='{y(tick) + 4:.1f}' text-anchor='end' fill='#667079'>"
                f"{tick:.1f}</text>")
            tick += 0.2
        for rate in RATES:
            parts.append(
                f"<text x='{x(panel, rate):.1f}' y='{height - 28}' text-anchor='middle' fill='#667079'>"
                f"{rate:g}</text>")
        parts.append(
            f"<text x='{panel * width + width / 2 + 18:.0f}' y='{height - 10}' text-anchor='middle' "
            "fill='#667079'>learning rate</text>")
        for colour, size in zip(COLOURS, WIDTHS):
            losses = {rate: loss for rate, loss in results[name][size].items() if loss <= high}
            points = " ".join(f"{x(panel, rate):.1f},{y(loss):.1f}" for rate, loss in losses.items())
            parts.append(f"<polyline fill='none' stroke='{colour}' stroke-width='2' points='{points}'/>")
            rate = best(results[name][size])
            parts.append(
                f"<circle cx='{x(panel, rate):.1f}' cy='{y(results[name][size][rate]):.1f}' r='4.5' "
                f"fill='{colour}' stroke='#ffffff'/>")
            place = WIDTHS.index(size)
            parts.append(
                f"<text x='{panel * width + left + 200 + place * 36}' y='20' fill='{colour}'>{size}</text>")
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder of the runs")
    parser.add_argument("--pando", default=str(HERE.parent.parent / "pando"), help="the command")
    parser.add_argument("--svg", type=pathlib.Path, help="file of the drawing")
    options = parser.parse_args()
    results = sweep(options.pando, options.out)
    if options.svg:
        options.svg.write_text(draw(results))
    print("| Parametrization | " + " | ".join(f"width {width}" for width in WIDTHS) + " |")
    print("|---|" + "---|" * len(WIDTHS))
    for name, curves in results.items():
        cells = [f"{best(losses):g} ({min(losses.values()):.3f})" for losses in curves.values()]
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
