"""The networks of `pando bench` in plain JAX. Images are NHWC, which XLA's CPU compiler does best.

A model is a pair of functions: `init(key)` gives its parameters and running statistics, `apply(parameters, statistics,
x, training)` the outputs and the new statistics.
"""

import jax
import jax.numpy as jnp
from jax import lax


def linear(key, inputs, outputs, bias=True):
    bound = inputs**-0.5
    w, b = jax.random.split(key)
    weights = {"w": jax.random.uniform(w, (inputs, outputs), minval=-bound, maxval=bound)}
    if bias:
        weights["b"] = jax.random.uniform(b, (outputs,), minval=-bound, maxval=bound)
    return weights


def apply_linear(p, x):
    y = x @ p["w"]
    return y + p["b"] if "b" in p else y


def make_mlp(key):
    sizes = [784, 512, 512, 10]
    return [linear(k, a, b) for k, a, b in zip(jax.random.split(key, 3), sizes, sizes[1:])], []


def apply_mlp(p, statistics, x, training):
    for layer in p[:-1]:
        x = jax.nn.relu(apply_linear(layer, x))
    return apply_linear(p[-1], x), statistics


def layer_norm(p, x):
    wide = x.astype(jnp.float32)
    mean = wide.mean(-1, keepdims=True)
    variance = wide.var(-1, keepdims=True)
    return ((wide - mean) * lax.rsqrt(variance + 1e-5) * p["scale"] + p["shift"]).astype(x.dtype)


def make_gpt(key, vocabulary=65, context=256, layers=6, width=384):
    def norm():
        return {"scale": jnp.ones(width), "shift": jnp.zeros(width)}

    keys = iter(jax.random.split(key, 3 + 4 * layers))
    blocks = [
        {
            "norm1": norm(),
            "qkv": linear(next(keys), width, 3 * width),
            "out": linear(next(keys), width, width),
            "norm2": norm(),
            "up": linear(next(keys), width, 4 * width),
            "down": linear(next(keys), 4 * width, width),
        }
        for _ in range(layers)
    ]
    return {
        "tokens": 0.02 * jax.random.normal(next(keys), (vocabulary, width)),
        "positions": 0.02 * jax.random.normal(next(keys), (context, width)),
        "blocks": blocks,
        "norm": norm(),
        "head": linear(next(keys), width, vocabulary, bias=False),
    }, []


def attention(p, x, heads=6):
    b, t, c = x.shape
    q, k, v = jnp.split(apply_linear(p["qkv"], x), 3, axis=-1)
    q, k, v = (z.reshape(b, t, heads, c // heads) for z in (q, k, v))
    y = jax.nn.dot_product_attention(q, k, v, is_causal=True)
    return apply_linear(p["out"], y.reshape(b, t, c))


def apply_gpt(p, statistics, tokens, training):
    x = p["tokens"][tokens] + p["positions"][: tokens.shape[1]]
    for block in p["blocks"]:
        x = x + attention(block, layer_norm(block["norm1"], x))
        hidden = jax.nn.gelu(apply_linear(block["up"], layer_norm(block["norm2"], x)), approximate=False)
        x = x + apply_linear(block["down"], hidden)
    return apply_linear(p["head"], layer_norm(p["norm"], x)), statistics


def convolution(key, size, inputs, outputs):
    return jax.random.normal(key, (size, size, inputs, outputs)) * (2 / (size * size * outputs)) ** 0.5


def convolve(w, x, stride, padding):
    return lax.conv_general_dilated(
        x, w, (stride, stride), [(padding, padding)] * 2, dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def batch_norm(p, running, x, training):
    wide = x.astype(jnp.float32)
    if training:
        mean, variance = wide.mean((0, 1, 2)), wide.var((0, 1, 2))
        count = x.size / x.shape[-1]
        running = {
            "mean": 0.9 * running["mean"] + 0.1 * mean,
            "variance": 0.9 * running["variance"] + 0.1 * variance * count / (count - 1),
        }
    else:
        mean, variance = running["mean"], running["variance"]
    y = (wide - mean) * (lax.rsqrt(variance + 1e-5) * p["scale"]) + p["shift"]
    return y.astype(x.dtype), running


def make_resnet18(key):
    keys = iter(jax.random.split(key, 64))
    parameters, statistics = [], []

    def norm(channels):
        statistics.append({"mean": jnp.zeros(channels), "variance": jnp.ones(channels)})
        return {"scale": jnp.ones(channels), "shift": jnp.zeros(channels)}

    stem = {"conv": convolution(next(keys), 3, 3, 64), "bn": norm(64)}
    inputs = 64
    for stage in range(4):
        for index in range(2):
            outputs = 64 << stage
            block = {
                "conv1": convolution(next(keys), 3, inputs, outputs),
                "bn1": norm(outputs),
                "conv2": convolution(next(keys), 3, outputs, outputs),
                "bn2": norm(outputs),
            }
            if inputs != outputs:
                block["conv3"] = convolution(next(keys), 1, inputs, outputs)
                block["bn3"] = norm(outputs)
            parameters.append(block)
            inputs = outputs
    return {"stem": stem, "blocks": parameters, "fc": linear(next(keys), 512, 10)}, statistics


def apply_resnet18(p, statistics, x, training):
    old, new = iter(statistics), []

    def norm(q, x):
        y, running = batch_norm(q, next(old), x, training)
        new.append(running)
        return y

    x = jax.nn.relu(norm(p["stem"]["bn"], convolve(p["stem"]["conv"], x, 1, 1)))
    for number, block in enumerate(p["blocks"]):
        stride = 2 if number and "conv3" in block else 1
        y = jax.nn.relu(norm(block["bn1"], convolve(block["conv1"], x, stride, 1)))
        y = norm(block["bn2"], convolve(block["conv2"], y, 1, 1))
        if "conv3" in block:
            x = norm(block["bn3"], convolve(block["conv3"], x, stride, 0))
        x = jax.nn.relu(x + y)
    return apply_linear(p["fc"], x.mean((1, 2))), new


def make(name, batch):
    """`apply`, the parameters, the statistics, a batch of inputs, and their targets."""
    key = jax.random.key(1)
    if name == "gpt":
        x = jax.random.randint(key, (batch, 256), 0, 65)
        return apply_gpt, *make_gpt(key), x, jnp.flip(x)
    y = jnp.arange(batch) % 10
    if name == "mlp":
        return apply_mlp, *make_mlp(key), jax.random.normal(key, (batch, 784)), y
    return apply_resnet18, *make_resnet18(key), jax.random.normal(key, (batch, 32, 32, 3)), y
