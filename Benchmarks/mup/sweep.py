"""Trains a small GPT over widths and learning rates, in the standard parametrization and in the maximal update one, and
draws the final losses: where the best learning rate lies, and whether it moves with the width.

    python3 Benchmarks/mup/sweep.py --out DIR [--pando PATH] [--svg docs/mup.svg]
        [--widths 64,128,256,512] [--rates 0.001,0.002,...] [--steps 120]

Runs that DIR already holds are not done again, so a sweep that was stopped goes on; of other steps, it needs another DIR.
Nothing beside Python is needed.
"""
import argparse
import json
import math
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
COLOURS = ["#9cc6f0", "#5d98d8", "#2f6db3", "#16386b", "#0c1f3f"]


def train(options, folder, width, rate, parametrization):
    """The mean training loss of the last tenth of the steps; infinite where training failed."""
    if not (folder / "summary.json").exists():
        steps = options.steps
        settings = [
            f"model.width={width}", f"train.optimizer.learning-rate={rate:g}", f"train.steps={steps}",
            f"train.schedule.warmup={max(1, steps // 10)}", f"train.evaluate.every={steps}",
            # Only the losses are wanted.
            f"checkpoint.every={steps}", "checkpoint.keep=1",
        ]
        if parametrization == "mup":
            settings += ["model.parametrization=mup", f"model.base-width={options.widths[0]}"]
        command = [options.pando, "train", str(HERE / "recipe.yaml"), "--out", str(folder)]
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
    last = losses[-max(1, len(losses) // 10):]
    return sum(last) / len(last) if last else math.inf


def sweep(options):
    """Final losses by parametrization, width and learning rate."""
    results = {}
    for parametrization in ["standard", "mup"]:
        for width in options.widths:
            for rate in options.rates:
                # Of the base width both are the same model.
                kind = "standard" if width == options.widths[0] else parametrization
                folder = options.out / f"{kind}-{width}-{rate:g}"
                loss = train(options, folder, width, rate, kind)
                results.setdefault(parametrization, {}).setdefault(width, {})[rate] = loss
                print(f"{parametrization} width {width} rate {rate:g}: {loss:.4f}", file=sys.stderr, flush=True)
    return results


def best(losses):
    return min(losses, key=losses.get)


def draw(results, widths, rates):
    """Two panels side by side, a curve for each width, with a dot at its lowest point."""
    width, height, left, top, bottom = 400, 330, 52, 34, 46
    finite = [v for r in results.values() for c in r.values() for v in c.values() if math.isfinite(v)]
    low, high = min(finite), min(max(finite), min(finite) + 1.4)
    low, high = math.floor(low * 10) / 10, math.ceil(high * 10) / 10

    def x(panel, rate):
        span = math.log(rates[-1] / rates[0])
        return panel * width + left + math.log(rate / rates[0]) / span * (width - left - 16)

    def y(loss):
        return top + (high - min(loss, high)) / (high - low) * (height - top - bottom)

    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {2 * width} {height}' "
        "font-family='system-ui, sans-serif' font-size='11'>",
        f"<rect width='{2 * width}' height='{height}' fill='#ffffff'/>",
    ]
    for panel, name in enumerate(["standard", "mup"]):
        title = {"standard": "Standard parametrization", "mup": f"µP, base width {widths[0]}"}[name]
        parts.append(f"<text x='{panel * width + left}' y='20' font-size='13' fill='#22262b'>{title}</text>")
        if panel == 0:
            parts.append(
                f"<text transform='rotate(-90)' x='{-(top + height - bottom) / 2:.0f}' y='14' text-anchor='middle' "
                "fill='#667079'>training loss at the end (nats)</text>")
        tick = low
        while tick <= high + 1e-9:
            parts.append(
                f"<line x1='{panel * width + left}' x2='{(panel + 1) * width - 16}' y1='{y(tick):.1f}' "
                f"y2='{y(tick):.1f}' stroke='#e3e5e4'/>"
                f"<text x='{panel * width + left - 6}' y='{y(tick) + 4:.1f}' text-anchor='end' fill='#667079'>"
                f"{tick:.1f}</text>")
            tick += 0.2
        for rate in rates:
            parts.append(
                f"<text x='{x(panel, rate):.1f}' y='{height - 28}' text-anchor='middle' fill='#667079'>"
                f"{rate:g}</text>")
        parts.append(
            f"<text x='{panel * width + width / 2 + 18:.0f}' y='{height - 10}' text-anchor='middle' "
            "fill='#667079'>learning rate</text>")
        for colour, size in zip(COLOURS, widths):
            losses = {rate: loss for rate, loss in results[name][size].items() if loss <= high}
            points = " ".join(f"{x(panel, rate):.1f},{y(loss):.1f}" for rate, loss in losses.items())
            parts.append(f"<polyline fill='none' stroke='{colour}' stroke-width='2' points='{points}'/>")
            rate = best(results[name][size])
            parts.append(
                f"<circle cx='{x(panel, rate):.1f}' cy='{y(results[name][size][rate]):.1f}' r='4.5' "
                f"fill='{colour}' stroke='#ffffff'/>")
            place = widths.index(size)
            parts.append(
                f"<text x='{panel * width + left + 200 + place * 36}' y='20' fill='{colour}'>{size}</text>")
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def numbers(kind):
    """Reads a list such as 64,128."""
    def read(text):
        values = sorted(kind(part) for part in text.split(","))
        if len(values) < 2 or values[0] <= 0:
            raise argparse.ArgumentTypeError(f"expected two or more numbers above 0, got {text}")
        return values
    return read


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder of the runs")
    parser.add_argument("--pando", default=str(HERE.parent.parent / "pando"), help="the command")
    parser.add_argument("--svg", type=pathlib.Path, help="file of the drawing")
    parser.add_argument("--widths", type=numbers(int), default=[64, 128, 256, 512], help="the first is the base width")
    parser.add_argument("--rates", type=numbers(float), default=[0.001 * 2**k for k in range(6)], help="learning rates")
    parser.add_argument("--steps", type=int, default=120, help="steps of each run")
    options = parser.parse_args()
    if len(options.widths) > len(COLOURS):
        parser.error(f"--widths: at most {len(COLOURS)}")
    options.out.mkdir(parents=True, exist_ok=True)
    results = sweep(options)
    if options.svg:
        options.svg.write_text(draw(results, options.widths, options.rates))
    print("| Parametrization | " + " | ".join(f"width {width}" for width in options.widths) + " |")
    print("|---|" + "---|" * len(options.widths))
    for name, curves in results.items():
        cells = [f"{best(losses):g} ({min(losses.values()):.3f})" for losses in curves.values()]
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
