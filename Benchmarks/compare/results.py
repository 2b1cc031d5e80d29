"""What was measured, kept in a file, so that a comparison can be done in pieces."""

import json
import os
import subprocess
from importlib import metadata
from pathlib import Path


def version(package):
    """An installed package's version; nothing where it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def describe(threads, python, root):
    """The machine and the versions that a figure belongs to."""

    def said(*command):
        return subprocess.run(command, capture_output=True, text=True, cwd=root).stdout.strip()

    model, flags = "", []
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            model = value.strip()
        if key.strip() == "flags":
            flags = value.split()
    sets = [name for name in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if name in flags]
    torch = said(python, "-c", "import torch; print(torch.__version__)")
    return {
        "processor": model,
        "sets": sets,
        "processors": os.cpu_count(),
        "threads": threads,
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "torch": torch,
        "jax": version("jax"),
        "commit": said("git", "rev-parse", "--short", "HEAD") + ("+" if said("git", "status", "--porcelain") else ""),
        "date": said("date", "-u", "+%Y-%m-%d"),
    }


class Kept:
    """Rows by workload. Rows of another machine or other peers are dropped when new ones come in."""

    def __init__(self, path):
        self.path = path
        self.rows, self.machine = {}, {}
        if path.exists():
            stored = json.loads(path.read_text())
            self.rows, self.machine = stored["rows"], stored["machine"]

    def add(self, key, row, machine, keep):
        same = ("processor", "processors", "threads", "torch", "jax")
        if any(self.machine.get(name) != machine[name] for name in same):
            self.rows = {}
        self.machine = machine
        self.rows[key] = {**row, "commit": machine["commit"]}
        if keep:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            new = self.path.with_suffix(".new")
            new.write_text(json.dumps({"rows": self.rows, "machine": self.machine}, indent=1))
            new.replace(self.path)
