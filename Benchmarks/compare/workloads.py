"""What is compared: the work, how much faster Pando is to be, and the ways in which each peer can do it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Workload:
    name: str  # as `pando bench` knows it
    title: str
    least: float  # the speed-up over the best peer that is promised
    aim: float  # the one that is hoped for
    precision: str = "float32"

    @property
    def key(self):
        return self.name if self.precision == "float32" else f"{self.name} {self.precision}"

    @property
    def is_training(self):
        return "-" not in self.name

    @property
    def modes(self):
        """(peer, mode) pairs; what words a mode is made of is explained in the peer's file."""
        torch = ["eager", "compile"]
        if not self.is_training:
            torch.append("compile+freeze")
        if self.name.startswith("resnet18"):
            torch += [f"{mode}+channels-last" for mode in torch]
        if self.name == "mlp":
            torch.append("compile+optimizer")
        return [("torch", mode) for mode in torch] + [("jax", "jit")]


WORKLOADS = [
    Workload("mlp", "MLP 784-512-512-10, batch 128, AdamW", 1.5, 1.8),
    Workload("gpt", "GPT 6×384, context 256, batch 8, AdamW", 1.2, 1.3),
    Workload("gpt", "the same, bf16 mixed", 1.4, 1.6, "bf16"),
    Workload("resnet18", "ResNet-18, 32×32, batch 64, SGD", 1.5, 2.0),
    Workload("resnet18", "the same, bf16 mixed", 1.1, 1.25, "bf16"),
    Workload("mlp-1", "MLP, inference, batch 1", 1.3, 2.0),
    Workload("resnet18-1", "ResNet-18, inference, batch 1", 1.3, 2.0),
    Workload("resnet18-64", "ResNet-18, inference, batch 64", 1.3, 2.0),
    Workload("gpt-1", "GPT, forward, batch 1×256", 1.3, 2.0),
]

# Over the training workloads.
GEOMETRIC_MEAN = (1.33, 1.55)
