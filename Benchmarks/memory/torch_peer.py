"""Trains the GPT of `gpt.yaml` in PyTorch, as many steps as each line on standard input says.

    python torch_peer.py MODE BATCH PARAMETERS THREADS

MODE is one of:

    eager         as it is
    checkpoint    torch.utils.checkpoint around each block
    compile       torch.compile
    budget=B      torch.compile with activation_memory_budget B: 1 keeps what it likes, 0 is about `checkpoint`

PARAMETERS is how many the network must have; the size of the vocabulary follows.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "compare" / "peers"))

import peer_io  # noqa: E402
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
import torch_models  # noqa: E402
from torch.utils.checkpoint import checkpoint  # noqa: E402

LAYERS, WIDTH, HEADS, CONTEXT = 24, 512, 8, 1024


class Checkpointed(torch.nn.Module):
    def __init__(self, block):
        super().__init__()
        self.block = block

    def forward(self, x):
        return checkpoint(self.block, x, use_reentrant=False)


def make_model(parameters):
    """Embedding and head grow with the vocabulary, nothing else does."""
    rest = sum(p.numel() for p in torch_models.GPT(1, CONTEXT, LAYERS, WIDTH, HEADS).parameters()) - 2 * WIDTH
    vocabulary, left = divmod(parameters - rest, 2 * WIDTH)
    if left or vocabulary < 2:
        sys.exit(f"no vocabulary gives {parameters} parameters")
    return torch_models.GPT(vocabulary, CONTEXT, LAYERS, WIDTH, HEADS), vocabulary


def main():
    mode, batch, parameters, threads = sys.argv[1:5]
    torch.set_num_threads(int(threads))
    torch.manual_seed(1)
    model, vocabulary = make_model(int(parameters))
    if mode == "checkpoint":
        model.blocks = torch.nn.ModuleList(Checkpointed(block) for block in model.blocks)
    if mode.startswith("budget="):
        torch._functorch.config.activation_memory_budget = float(mode.removeprefix("budget="))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.1, fused=True)
    x = torch.randint(vocabulary, (int(batch), CONTEXT))
    y = x.flip(0).flip(1)

    def loss_of(x, y):
        return F.cross_entropy(model(x).flatten(0, -2), y.flatten())

    if mode == "compile" or mode.startswith("budget="):
        loss_of = torch.compile(loss_of)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(x, y)
        loss.backward()
        optimizer.step()
        return loss.item()

    peer_io.serve(step)


if __name__ == "__main__":
    main()
