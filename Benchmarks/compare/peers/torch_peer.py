"""Runs one workload in PyTorch, as many steps as each line on standard input says.

    python torch_peer.py WORKLOAD PRECISION MODE THREADS

MODE is made of words joined by '+':

    eager           as it is
    compile         torch.compile: forward and backward pass, or the forward pass
    optimizer       the optimizer's step is compiled too; otherwise it is PyTorch's fused one
    freeze          (inference) the compiler folds the weights into the code as constants
    channels-last   images and weights in that layout
    count           tells the work of a step and ends
"""

import sys

import peer_io
import torch
import torch.nn.functional as F
import torch_models


def make_optimizer(name, model, fused):
    if name == "resnet18":
        return torch.optim.SGD(model.parameters(), lr=1e-4, momentum=0.9, weight_decay=5e-4, fused=fused)
    return torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.1, fused=fused)


def training_step(name, model, x, y, autocast, modes):
    optimizer = make_optimizer(name, model, fused="optimizer" not in modes)

    def loss_of(x, y):
        with autocast:
            logits = model(x)
        return F.cross_entropy(logits.float().flatten(0, -2), y.flatten())

    update = optimizer.step
    if "compile" in modes:
        loss_of = torch.compile(loss_of)
    if "optimizer" in modes:
        update = torch.compile(update)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(x, y)
        loss.backward()
        update()
        return loss.item()

    return step


def inference_step(model, x, autocast, modes):
    model.eval()
    if "freeze" in modes:
        from torch._inductor import config

        config.freezing = True
    forward = torch.compile(model) if "compile" in modes else model

    def step():
        with torch.inference_mode() if "freeze" not in modes else torch.no_grad(), autocast:
            return forward(x)

    return step


def count(step):
    """Floating-point operations of a step in products and convolutions."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        step()
    return counter.get_total_flops()


def main():
    workload, precision, mode, threads = sys.argv[1:5]
    modes = mode.split("+")
    torch.set_num_threads(int(threads))
    torch.manual_seed(1)
    name, batch, is_training = peer_io.parse(workload)
    model, x, y = torch_models.make(name, batch)
    if "channels-last" in modes:
        model = model.to(memory_format=torch.channels_last)
        x = x.to(memory_format=torch.channels_last)
    autocast = torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16")
    if is_training:
        step = training_step(name, model, x, y, autocast, modes)
    else:
        step = inference_step(model, x, autocast, modes)
    if "count" in modes:
        peer_io.tell_work(sum(p.numel() for p in model.parameters()), count(step))
    else:
        peer_io.serve(step)


if __name__ == "__main__":
    main()
