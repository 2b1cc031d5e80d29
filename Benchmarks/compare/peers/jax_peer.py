"""Runs one workload in plain JAX, as many steps as each line on standard input says.

    python jax_peer.py WORKLOAD PRECISION MODE THREADS

MODE is `jit`: the whole step is one compiled function that takes the old state over; `count` tells the work of a step
and ends. The number of threads follows from the processors that the process may use.
"""

import math
import sys

import jax
import jax.numpy as jnp
import jax_models
import peer_io


def narrowed(tree, precision):
    """Parameters as the network is to compute with them: float32 masters, rounded for each step in bf16."""
    return jax.tree.map(lambda p: p.astype(jnp.bfloat16), tree) if precision == "bf16" else tree


def adamw(p, g, m, v, step, rate=1e-4, decay=0.1):
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g * g
    update = (m / (1 - 0.9**step)) / (jnp.sqrt(v / (1 - 0.999**step)) + 1e-8)
    return p - rate * (update + decay * p), m, v


def sgd(p, g, m, _, step, rate=1e-4, decay=5e-4):
    m = 0.9 * m + g + decay * p
    return p - rate * m, m, None


def training(name, apply, precision):
    rule = sgd if name == "resnet18" else adamw

    def loss_of(p, statistics, x, y):
        p = narrowed(p, precision)
        if x.dtype == jnp.float32:
            x = narrowed(x, precision)
        logits, statistics = apply(p, statistics, x, True)
        scores = jax.nn.log_softmax(logits.astype(jnp.float32))
        return -jnp.take_along_axis(scores, y[..., None], -1).mean(), statistics

    def step(state, x, y):
        p, m, v, statistics, number = state
        (loss, statistics), g = jax.value_and_grad(loss_of, has_aux=True)(p, statistics, x, y)
        leaves = [
            rule(*parts, number)
            for parts in zip(*(jax.tree.leaves(tree) for tree in (p, g, m)), jax.tree.leaves(v) or [None] * 999)
        ]
        shape = jax.tree.structure(p)
        p, m = (jax.tree.unflatten(shape, [leaf[i] for leaf in leaves]) for i in (0, 1))
        v = jax.tree.unflatten(shape, [leaf[2] for leaf in leaves]) if rule is adamw else ()
        return (p, m, v, statistics, number + 1), loss

    def begin(p, statistics):
        zeros = jax.tree.map(jnp.zeros_like, p)
        second = jax.tree.map(jnp.zeros_like, p) if rule is adamw else ()
        return (p, zeros, second, statistics, jnp.float32(1))

    return step, begin


def product_flops(function, *arguments):
    """Floating-point operations in products and convolutions, by the traced program."""

    def visit(jaxpr):
        total = 0
        for equation in jaxpr.eqns:
            for parameter in equation.params.values():
                for inner in parameter if isinstance(parameter, (list, tuple)) else [parameter]:
                    inner = getattr(inner, "jaxpr", inner)
                    if hasattr(inner, "eqns"):
                        total += visit(inner)
            shapes = [value.aval.shape for value in equation.invars + equation.outvars if hasattr(value, "aval")]
            if equation.primitive.name == "dot_general":
                contracted = equation.params["dimension_numbers"][0][0]
                total += 2 * math.prod(shapes[2]) * math.prod(shapes[0][i] for i in contracted)
            elif equation.primitive.name == "conv_general_dilated":
                outputs = shapes[1][equation.params["dimension_numbers"].rhs_spec[0]]
                # Zeros that a dilation puts between the inputs are no work.
                dilation = math.prod(equation.params["lhs_dilation"])
                total += 2 * math.prod(shapes[2]) * math.prod(shapes[1]) // outputs // dilation
        return total

    return visit(jax.make_jaxpr(function)(*arguments).jaxpr)


def main():
    workload, precision, mode = sys.argv[1:4]
    name, batch, is_training = peer_io.parse(workload)
    apply, parameters, statistics, x, y = jax_models.make(name, batch)
    count = sum(p.size for p in jax.tree.leaves(parameters))
    if is_training:
        step, begin = training(name, apply, precision)
        state = begin(parameters, statistics)
        if mode == "count":
            return peer_io.tell_work(count, product_flops(step, state, x, y))
        compiled = jax.jit(step, donate_argnums=0)

        def run():
            nonlocal state
            state, loss = compiled(state, x, y)
            jax.block_until_ready(state)
            return float(loss)

    else:

        def forward(p, statistics, x):
            return apply(narrowed(p, precision), statistics, x, False)[0]

        if mode == "count":
            return peer_io.tell_work(count, product_flops(forward, parameters, statistics, x))
        compiled = jax.jit(forward)

        def run():
            return compiled(parameters, statistics, x).block_until_ready()

    peer_io.serve(run)


if __name__ == "__main__":
    main()
