#!/usr/bin/env python3
"""Writes the golden files that the tests compare against; see README.md beside this file.

    python make.py            write them
    python make.py --check    compare what would be written with what is there
"""

import json
import pathlib
import sys

import torch

from layers import all_layers
from models import all_models
from optimizers import all_optimizers, schedules
from store import write

VERSION = "2.15.0"
HERE = pathlib.Path(__file__).resolve().parent
FOLDER = HERE.parent.parent / "Tests" / "PandoNNTests" / "Golden"
LARGEST_FILE = 300_000
LARGEST_TOTAL = 1_500_000


def contents():
    """Each file's path and bytes."""
    described = ["# The cases", "", "Written by `make.py`.", ""]
    for file in [*all_models(), *all_layers(), *all_optimizers()]:
        described.append(file.described())
        yield FOLDER / f"{file.name}.safetensors", file.encoded()
    text = ",\n".join(json.dumps(schedule) for schedule in schedules())
    yield FOLDER / "schedules.json", f"[\n{text}\n]\n".encode()
    yield HERE / "CASES.md", "\n".join(described).rstrip().encode() + b"\n"


def main():
    if torch.__version__.split("+")[0] != VERSION:
        sys.exit(f"error: PyTorch {VERSION} is wanted (pip install -r requirements.txt), this is {torch.__version__}")
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    files = dict(contents())
    for path, data in files.items():
        if len(data) > LARGEST_FILE:
            sys.exit(f"error: {path.name} has {len(data)} bytes, more than {LARGEST_FILE}")
    total = sum(map(len, files.values()))
    if total > LARGEST_TOTAL:
        sys.exit(f"error: {total} bytes in all, more than {LARGEST_TOTAL}")
    if sys.argv[1:] == ["--check"]:
        stale = [path.name for path, data in files.items() if not path.exists() or path.read_bytes() != data]
        if stale:
            sys.exit(f"error: not what make.py writes: {', '.join(stale)}")
        print(f"{len(files)} files are as make.py writes them")
        return
    if sys.argv[1:]:
        sys.exit(f"error: unknown argument {sys.argv[1]}; only --check is known")
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path, data in files.items():
        write(path, data)
        print(f"{len(data):8} {path.name}")
    print(f"{total:8} in all")


if __name__ == "__main__":
    main()
