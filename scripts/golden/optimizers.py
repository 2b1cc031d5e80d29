"""Optimizers, gradient clipping and learning-rate schedules on given gradients."""

import torch
from torch.optim import SGD, Adam, AdamW
from torch.optim import lr_scheduler as schedulers

from store import Golden, draw, seed

STEPS = 10
SHAPES = {"weight": (3, 4), "bias": (5,)}


def trajectories():
    """Ten steps with given gradients: `trajectory.NAME` holds the parameter after each."""
    file = Golden("optimizer")
    for case, kind, options in [
        ("sgd", SGD, dict(lr=0.1)),
        ("sgd_decay", SGD, dict(lr=0.1, weight_decay=0.05)),
        ("sgd_momentum", SGD, dict(lr=0.1, momentum=0.9)),
        ("sgd_momentum_dampening", SGD, dict(lr=0.1, momentum=0.9, dampening=0.5, weight_decay=0.01)),
        ("sgd_nesterov", SGD, dict(lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01)),
        ("adam", Adam, dict(lr=0.01, betas=(0.9, 0.999), eps=1e-8)),
        ("adam_decay", Adam, dict(lr=0.01, betas=(0.8, 0.99), eps=1e-6, weight_decay=0.1)),
        ("adamw", AdamW, dict(lr=0.01, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01)),
        ("adamw_other", AdamW, dict(lr=0.02, betas=(0.9, 0.95), eps=1e-3, weight_decay=0.3)),
    ]:
        seed(case)
        file.case(case, optimizer=kind.__name__, **options)
        params = {name: draw(*shape).requires_grad_() for name, shape in SHAPES.items()}
        for name, value in params.items():
            file.put(f"{case}/param.{name}", value)
        gradients = {name: draw(STEPS, *shape) for name, shape in SHAPES.items()}
        path = {name: [] for name in SHAPES}
        optimizer = kind(params.values(), **options)
        for step in range(STEPS):
            for name, value in params.items():
                value.grad = gradients[name][step].clone()
            optimizer.step()
            for name, value in params.items():
                path[name].append(value.detach().clone())
        for name in SHAPES:
            file.put(f"{case}/grad.{name}", gradients[name])
            file.put(f"{case}/trajectory.{name}", torch.stack(path[name]))
    return file


def clipping():
    """Gradients before and after clipping; `norm` is the global norm before."""
    file = Golden("clipping")
    for case, limit in [("norm_above", 1.0), ("norm_below", 100.0), ("value", 0.5)]:
        seed(case)
        params = {name: draw(*shape).requires_grad_() for name, shape in SHAPES.items()}
        for name, value in params.items():
            value.grad = draw(*value.shape)
            file.put(f"{case}/input.{name}", value.grad)
        if case == "value":
            file.case(case, by="value", limit=limit)
            torch.nn.utils.clip_grad_value_(params.values(), limit)
        else:
            file.case(case, by="global norm", limit=limit)
            file.put(f"{case}/norm", torch.nn.utils.clip_grad_norm_(params.values(), limit))
        for name, value in params.items():
            file.put(f"{case}/output.{name}", value.grad)
    return file


def schedules():
    """The learning rate of each step, from step 0 on, as a list of objects for JSON."""
    result = []

    def add(name, steps, rate, make, **attributes):
        optimizer = SGD([torch.zeros(1, requires_grad=True)], lr=rate)
        schedule = make(optimizer)
        rates = []
        for _ in range(steps):
            rates.append(float(optimizer.param_groups[0]["lr"]))
            optimizer.step()
            schedule.step()
        result.append({"name": name, "learning_rate": rate, "steps": steps, **attributes, "values": rates})

    add("constant", 5, 0.1, lambda o: schedulers.ConstantLR(o, 1.0, 1), kind="constant")
    add("linear", 12, 0.1, lambda o: schedulers.LinearLR(o, 1.0, 0.1, 8),
        kind="linear", start_factor=1.0, end_factor=0.1, over=8)
    add("cosine", 11, 0.1, lambda o: schedulers.CosineAnnealingLR(o, 10, 0.01), kind="cosine", over=10, minimum=0.01)
    add("step", 12, 0.1, lambda o: schedulers.StepLR(o, 4, 0.3), kind="step", every=4, factor=0.3)
    add("multi_step", 12, 0.1, lambda o: schedulers.MultiStepLR(o, [3, 9], 0.5),
        kind="multi-step", at=[3, 9], factor=0.5)
    add("exponential", 8, 0.1, lambda o: schedulers.ExponentialLR(o, 0.8), kind="exponential", factor=0.8)
    for name, options in [
        ("one_cycle", dict(pct_start=0.3, anneal_strategy="cos", div_factor=25.0, final_div_factor=1e4)),
        ("one_cycle_linear", dict(pct_start=0.4, anneal_strategy="linear", div_factor=10.0, final_div_factor=100.0)),
        ("one_cycle_three_phases", dict(
            pct_start=0.3, anneal_strategy="cos", div_factor=25.0, final_div_factor=1e4, three_phase=True)),
    ]:
        # The scheduler may not be stepped past its end, so the last step's rate is read without a step after it.
        optimizer = SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
        schedule = schedulers.OneCycleLR(optimizer, 0.1, total_steps=20, cycle_momentum=False, **options)
        rates = [float(optimizer.param_groups[0]["lr"])]
        for _ in range(19):
            optimizer.step()
            schedule.step()
            rates.append(float(optimizer.param_groups[0]["lr"]))
        result.append({"name": name, "kind": "one-cycle", "learning_rate": 0.1, "steps": 20, **options,
                       "values": rates})
    add("warmup_cosine", 14, 0.1,
        lambda o: schedulers.SequentialLR(
            o, [schedulers.LinearLR(o, 0.25, 1.0, 3), schedulers.CosineAnnealingLR(o, 10)], [3]),
        kind="cosine", over=10, minimum=0.0, warmup=3, warmup_start_factor=0.25)
    return result


def all_optimizers():
    """The files of this module."""
    torch.set_default_dtype(torch.float64)
    yield trajectories()
    yield clipping()
