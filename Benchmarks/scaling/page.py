"""The tables of the scaling benchmark, as Markdown."""

BEGIN, END = "<!-- The tables begin; Benchmarks/scaling/run --write replaces them. -->", "<!-- The tables end. -->"
TITLES = {"gpt": "GPT 6×384, 4 sequences a rank", "resnet18": "ResNet-18, 32 images a rank"}
# The least efficiency is DDP's; the most that the exchange may hold a step up; the most that two ranks of one thread may
# take, over one rank of two; the least speed of the all-reduce, over Open MPI's.
MOST_EXCHANGE, MOST_AGAINST_THREADS, LEAST_SPEED = 0.02, 1.05, 0.9


def met(is_met):
    return "" if is_met else " **no**"


def share(values):
    return f"{values[0]:.1%}".replace("%", " %") if values else "–"


def workload_row(name, row):
    steps, efficiency = row["step_ms"], row["efficiency"]
    own, ddp = efficiency["pando"], efficiency.get("ddp")
    exchange, threads = row["exchange_share"], row["against_threads"]

    def milliseconds(contender):
        return f"{steps[contender]:.0f}" if contender in steps else "–"

    horovod = share(efficiency["horovod"]) if "horovod" in efficiency else "does not run here"
    return (
        f"| {TITLES[name]} | {milliseconds('pando 1')} | {milliseconds('pando 2')} | {share(own)}"
        f"{met(not ddp or own[0] > ddp[0])} | {milliseconds('ddp 1')} | {milliseconds('ddp 2')} | {share(ddp)} "
        f"| {horovod} | {share(exchange)}{met(exchange[0] <= MOST_EXCHANGE)} | {milliseconds('pando threads')} "
        f"| {threads[0]:.2f}{met(threads[0] <= MOST_AGAINST_THREADS)} |"
    )


def size(count):
    return f"{count >> 10} Ki" if count < 1 << 20 else f"{count >> 20} Mi"


def markdown(kept):
    lines = []
    rows = [(name, kept.rows[name]) for name in TITLES if name in kept.rows]
    if rows:
        lines += [
            "| workload | Pando 1 rank ms | 2 ranks ms | efficiency | DDP 1 rank ms | 2 ranks ms | efficiency | Horovod "
            "| exchange | 1 rank × 2 threads ms | 2 ranks over it |",
            "|---|---|---|---|---|---|---|---|---|---|---|",
        ]
        lines += [workload_row(name, row) for name, row in rows] + [""]
    if "all-reduce" in kept.rows:
        sizes = kept.rows["all-reduce"]["sizes"]
        speeds = [row["speed"] for row in sizes]
        lines += [
            "| bytes | " + " | ".join(size(row["bytes"]) for row in sizes) + " |",
            "|---" * (len(sizes) + 1) + "|",
            "| all-reduce, µs | " + " | ".join(f"{row['microseconds']:,.1f}" for row in sizes) + " |",
            "| `MPI_Allreduce`, µs | " + " | ".join(f"{row['mpiMicroseconds']:,.1f}" for row in sizes) + " |",
            "| speed | " + " | ".join(f"{speed:.2f}{met(speed >= LEAST_SPEED)}" for speed in speeds) + " |",
            "",
        ]
    machine = kept.machine
    if not machine:
        return "Nothing has been measured."
    commits = sorted({row["commit"] for row in kept.rows.values() if row["commit"]})
    lines.append(
        f"{machine['processor']} ({', '.join(machine['sets'])}), {machine['processors']} processors; PyTorch "
        f"{machine['torch']}, Pando at {', '.join(commits)}; {machine['date']}."
    )
    return "\n".join(lines)


def write(text, path):
    """Puts the tables between their marks."""
    page = path.read_text()
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    new = path.with_suffix(".new")
    new.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")
    new.replace(path)
