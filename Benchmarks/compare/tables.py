"""The table of a comparison, as Markdown."""

import math

from workloads import GEOMETRIC_MEAN, WORKLOADS

BEGIN, END = "<!-- The table begins; Benchmarks/compare/run --write replaces it. -->", "<!-- The table ends. -->"
MIB = 2**20


def mean(ratios):
    return math.exp(sum(map(math.log, ratios)) / len(ratios))


def verdict(ratio, least, aim):
    return "aim" if ratio >= aim else "yes" if ratio >= least else "**no**"


def milliseconds(value):
    return f"{value:.3f}" if value < 10 else f"{value:.1f}"


def speed_row(work, row):
    if row is None:
        return f"| {work.title} | not measured | | | | {work.least} | {work.aim} | |"
    if "skipped" in row:
        return f"| {work.title} | skipped: {row['skipped']} | | | | {work.least} | {work.aim} | |"
    return (
        f"| {work.title} | {milliseconds(row['pando_ms'])} | {milliseconds(row['peer_ms'])} | {row['peer']} "
        f"| **{row['ratio']:.2f}** ({row['ratio_min']:.2f}–{row['ratio_max']:.2f}) | {work.least} | {work.aim} "
        f"| {verdict(row['ratio'], work.least, work.aim)} |"
    )


def cost_row(work, row):
    def of(peer):
        return [trial for trial in row["trials"] if trial["name"].startswith(peer) and "failed" not in trial]

    def first(peer):
        return min((trial["first_step_s"] for trial in of(peer)), default=math.nan)

    torch = min(of("torch"), key=lambda trial: trial["step_ms"], default=None)
    share = row["pando_resident"] / torch["resident"] if torch else math.nan
    extra = row["pando_first_s"] * 1000 - row["pando_ms"]
    return (
        f"| {work.key} | {row['pando_resident'] / MIB:.0f} | {torch['resident'] / MIB if torch else math.nan:.0f} "
        f"| {share:.2f}{'' if share <= 0.5 else ' **over 0.5**'} | {row['pando_first_s']:.2f} | {first('torch'):.1f} "
        f"| {first('jax'):.1f} | {extra:.0f}{'' if extra <= 300 else ' **over 300**'} |"
    )


def trial_row(work, row):
    parts = [
        f"{trial['name']} " + (f"failed: {trial['failed']}" if "failed" in trial else milliseconds(trial["step_ms"]))
        for trial in row["trials"]
    ]
    return f"| {work.key} | {', '.join(parts)} |"


def markdown(kept):
    lines = ["| workload | Pando ms | best peer ms | which | speed-up (min–max) | at least | aim | met |"]
    lines.append("|---|---|---|---|---|---|---|---|")
    lines += [speed_row(work, kept.rows.get(work.key)) for work in WORKLOADS]
    measured = [(work, kept.rows[work.key]) for work in WORKLOADS if "ratio" in kept.rows.get(work.key, {})]
    trained = [row["ratio"] for work, row in measured if work.is_training]
    if trained:
        whole = len(trained) == sum(work.is_training for work in WORKLOADS)
        least, aim = GEOMETRIC_MEAN
        title = f"geometric mean of training{'' if whole else f' ({len(trained)} of it)'}"
        lines.append(f"| {title} | | | | **{mean(trained):.2f}** | {least} | {aim} | {verdict(mean(trained), least, aim)} |")
    inferred = [row["ratio"] for work, row in measured if not work.is_training]
    if inferred:
        lines.append(f"| geometric mean of inference | | | | **{mean(inferred):.2f}** | | | |")
    if measured:
        lines += [
            "",
            "Highest resident memory in MiB, PyTorch's in its fastest mode; seconds from the start of the process to the",
            "end of the first step, each peer's in its mode that is the quickest at that; and how many milliseconds Pando's",
            "first step, the start included, takes more than a later one.",
            "",
            "| workload | Pando MiB | PyTorch MiB | share | Pando s | PyTorch s | JAX s | more ms |",
            "|---|---|---|---|---|---|---|---|",
        ]
        lines += [cost_row(work, row) for work, row in measured]
        lines += ["", "What each peer's modes took in the trial, in milliseconds a step:", ""]
        lines += ["| workload | modes |", "|---|---|"]
        lines += [trial_row(work, row) for work, row in measured]
    return "\n".join(lines + ["", machine_line(kept)])


def machine_line(kept):
    machine = kept.machine
    if not machine:
        return "Nothing has been measured."
    commits = sorted({row["commit"] for row in kept.rows.values() if row["commit"]})
    return (
        f"{machine['processor']} ({', '.join(machine['sets'])}), {machine['processors']} processors, "
        f"{machine['memory_gib']} GiB; {machine['threads']} threads each. PyTorch {machine['torch']}, "
        f"JAX {machine['jax']}, Pando at {', '.join(commits)}; {machine['date']}."
    )


def write(text, path):
    """Puts the table between its marks."""
    page = path.read_text()
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    new = path.with_suffix(".new")
    new.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")
    new.replace(path)
