"""Collects named tensors and writes them as safetensors files."""

import json
import os
import struct
import zlib

import torch

NAMES = {torch.float32: "F32", torch.int32: "I32"}


def seed(case):
    """Seeds the generator from a case's name, so that a new case leaves the numbers of all others alone."""
    torch.manual_seed(zlib.crc32(case.encode()))


def draw(*shape, scale=1.0):
    """Normal numbers that float32 holds exactly, as float64: what is computed from them is rounded just once."""
    return (torch.randn(shape, dtype=torch.float64) * scale).float().double()


def rounded(tensor):
    """The float32 neighbours of a tensor's numbers, as float64."""
    return tensor.detach().float().double()


class Golden:
    """The tensors of one file, and what a reader must know to build each case."""

    def __init__(self, name):
        self.name = name
        self.tensors = {}
        self.cases = {}

    def case(self, name, **attributes):
        """Records how a case is set up."""
        assert name not in self.cases, f"two cases named {name}"
        self.cases[name] = attributes

    def put(self, name, tensor):
        """Adds a tensor: floats become float32, whole numbers int32."""
        assert name not in self.tensors, f"two tensors named {name}"
        tensor = tensor.detach()
        assert not tensor.is_floating_point() or bool(torch.isfinite(tensor).all()), f"{name} is not finite"
        self.tensors[name] = tensor.to(torch.float32 if tensor.is_floating_point() else torch.int32).contiguous()

    def encoded(self):
        """The file's bytes; the layout is https://huggingface.co/docs/safetensors."""
        header = {"__metadata__": {name: json.dumps(value) for name, value in self.cases.items()}}
        offset = 0
        data = []
        for name, tensor in sorted(self.tensors.items()):
            raw = tensor.numpy().tobytes()
            header[name] = {
                "dtype": NAMES[tensor.dtype],
                "shape": list(tensor.shape),
                "data_offsets": [offset, offset + len(raw)],
            }
            offset += len(raw)
            data.append(raw)
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        return struct.pack("<Q", len(text)) + text + b"".join(data)

    def described(self):
        """Each case with its attributes and its tensors' shapes, as Markdown."""
        lines = [f"## `{self.name}.safetensors`", ""]
        for case, attributes in self.cases.items():
            text = ", ".join(f"{key} {json.dumps(value)}" for key, value in attributes.items())
            lines += [f"**{case}**: {text}", ""]
            prefix = f"{case}/"
            own = [name for name in sorted(self.tensors) if name.startswith(prefix) or len(self.cases) == 1]
            for name in own:
                tensor = self.tensors[name]
                kind = "" if tensor.dtype == torch.float32 else " int32"
                lines.append(f"- `{name}` {list(tensor.shape)}{kind}")
            lines.append("")
        return "\n".join(lines)


def write(path, data):
    """Writes beside the target and renames, so that no reader sees half a file."""
    temporary = f"{path}.tmp"
    with open(temporary, "wb") as file:
        file.write(data)
    os.replace(temporary, path)


