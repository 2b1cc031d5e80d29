"""Single layers and functions: output, and the gradient of each input and parameter for a given cotangent."""

import torch
from torch import nn
from torch.nn import functional as F

from store import Golden, draw, rounded, seed


def record(file, case, function, inputs, params=(), /, **attributes):
    """Runs `function(**inputs)` and pulls a random cotangent back through it.

    `params` are (name, tensor) pairs that `function` already uses.
    """
    file.case(case, **attributes)
    for name, value in inputs.items():
        file.put(f"{case}/input.{name}", value)
        if value.is_floating_point():
            value.requires_grad_()
    for name, value in params:
        file.put(f"{case}/param.{name}", value)
    output = function(**inputs)
    file.put(f"{case}/output.y", output)
    cotangent = draw(*output.shape)
    file.put(f"{case}/cotangent", cotangent)
    wanted = [(name, value) for name, value in [*inputs.items(), *params] if value.requires_grad]
    gradients = torch.autograd.grad(output, [value for _, value in wanted], cotangent)
    for (name, _), gradient in zip(wanted, gradients):
        file.put(f"{case}/grad.{name}", gradient)


def layer(file, case, make, /, *shape, **attributes):
    """Records a module on normal input."""
    seed(case)
    module = make()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(draw(*parameter.shape, scale=0.5))
    record(file, case, lambda x: module(x), {"x": draw(*shape)}, list(module.named_parameters()), **attributes)


def convolutions():
    file = Golden("convolution")

    def conv(case, kind, shape, *sizes, **options):
        layer(file, case, lambda: kind(*sizes, **options), *shape,
              layer=kind.__name__, input=sizes[0], output=sizes[1], kernel=sizes[2], **options)

    conv("conv1d_plain", nn.Conv1d, (2, 3, 11), 3, 5, 3)
    conv("conv1d_all", nn.Conv1d, (2, 4, 12), 4, 6, 3, stride=2, padding=3, dilation=2, groups=2)
    conv("conv1d_depthwise", nn.Conv1d, (2, 4, 9), 4, 4, 5, padding=2, groups=4, bias=False)
    conv("conv2d_plain", nn.Conv2d, (2, 3, 7, 8), 3, 4, 3)
    conv("conv2d_strided", nn.Conv2d, (2, 3, 8, 9), 3, 4, (3, 5), stride=(2, 1), padding=(1, 2))
    conv("conv2d_dilated", nn.Conv2d, (2, 3, 9, 9), 3, 4, 3, padding=2, dilation=2)
    conv("conv2d_grouped", nn.Conv2d, (2, 4, 7, 7), 4, 6, 3, padding=1, groups=2)
    conv("conv2d_depthwise", nn.Conv2d, (2, 3, 7, 7), 3, 6, 3, padding=1, groups=3, bias=False)
    conv("conv2d_pointwise", nn.Conv2d, (2, 6, 5, 6), 6, 4, 1, stride=2, bias=False)
    conv("conv2d_all", nn.Conv2d, (2, 4, 11, 10), 4, 8, (3, 2), stride=(3, 2), padding=(2, 1),
         dilation=(1, 3), groups=2)
    conv("conv_transpose2d_plain", nn.ConvTranspose2d, (2, 3, 4, 5), 3, 4, 3)
    conv("conv_transpose2d_strided", nn.ConvTranspose2d, (2, 3, 4, 5), 3, 4, 3, stride=2, padding=1,
         output_padding=1)
    conv("conv_transpose2d_grouped", nn.ConvTranspose2d, (2, 4, 4, 4), 4, 6, 3, stride=2, groups=2, bias=False)
    conv("conv_transpose2d_all", nn.ConvTranspose2d, (2, 4, 5, 4), 4, 6, (3, 2), stride=(3, 2),
         padding=(1, 0), output_padding=(2, 1), dilation=(2, 1), groups=2)
    return file


def linears():
    file = Golden("linear")
    layer(file, "linear", lambda: nn.Linear(7, 5), 4, 7, layer="Linear", input=7, output=5)
    layer(file, "linear_no_bias", lambda: nn.Linear(7, 5, bias=False), 2, 3, 7,
          layer="Linear", input=7, output=5, bias=False)
    for case, padding in [("embedding", None), ("embedding_padding", 2)]:
        seed(case)
        module = nn.Embedding(6, 4, padding_idx=padding)
        with torch.no_grad():
            module.weight.copy_(draw(6, 4))
        ids = torch.tensor([[0, 3, 3, 5], [2, 3, 0, 2]])
        record(file, case, lambda ids: module(ids), {"ids": ids}, list(module.named_parameters()),
               layer="Embedding", count=6, width=4, padding_index=padding)
    return file


def norms():
    file = Golden("norm")
    layer(file, "layer_norm", lambda: nn.LayerNorm(6), 3, 4, 6, layer="LayerNorm", shape=[6], epsilon=1e-5)
    layer(file, "layer_norm_two_dimensions", lambda: nn.LayerNorm([4, 5], eps=1e-3), 3, 4, 5,
          layer="LayerNorm", shape=[4, 5], epsilon=1e-3)
    layer(file, "layer_norm_bare", lambda: nn.LayerNorm(6, elementwise_affine=False), 3, 6,
          layer="LayerNorm", shape=[6], epsilon=1e-5, affine=False)
    layer(file, "layer_norm_no_bias", lambda: nn.LayerNorm(6, bias=False), 3, 6,
          layer="LayerNorm", shape=[6], epsilon=1e-5, bias=False)
    layer(file, "rms_norm", lambda: nn.RMSNorm(6, eps=1e-6), 3, 4, 6, layer="RMSNorm", shape=[6], epsilon=1e-6)
    layer(file, "rms_norm_large_epsilon", lambda: nn.RMSNorm(6, eps=1e-1), 3, 6,
          layer="RMSNorm", shape=[6], epsilon=1e-1)
    layer(file, "group_norm", lambda: nn.GroupNorm(2, 6), 3, 6, 4, 5,
          layer="GroupNorm", groups=2, channels=6, epsilon=1e-5)
    layer(file, "group_norm_instance", lambda: nn.GroupNorm(4, 4), 2, 4, 7,
          layer="GroupNorm", groups=4, channels=4, epsilon=1e-5)
    for case, kind, shape, training in [
        ("batch_norm1d", nn.BatchNorm1d, (7, 4), True),
        ("batch_norm1d_sequence", nn.BatchNorm1d, (3, 4, 5), True),
        ("batch_norm2d", nn.BatchNorm2d, (3, 4, 5, 6), True),
        ("batch_norm2d_eval", nn.BatchNorm2d, (3, 4, 5, 6), False),
    ]:
        seed(case)
        module = kind(4)
        module.train(training)
        with torch.no_grad():
            module.weight.copy_(draw(4))
            module.bias.copy_(draw(4))
            module.running_mean.copy_(draw(4))
            module.running_var.copy_(draw(4).abs() + 0.5)
            module.running_var.copy_(rounded(module.running_var))
        for name in ["running_mean", "running_var"]:
            file.put(f"{case}/buffer.{name}", getattr(module, name))
        record(file, case, lambda x: module(x), {"x": draw(*shape)}, list(module.named_parameters()),
               layer=kind.__name__, channels=4, epsilon=1e-5, momentum=0.1, training=training)
        for name in ["running_mean", "running_var"]:
            file.put(f"{case}/after.{name}", getattr(module, name))
    return file


def pools():
    file = Golden("pooling")

    def pool(case, kind, shape, **options):
        layer(file, case, lambda: kind(**options), *shape, layer=kind.__name__, **options)

    pool("max_pool2d", nn.MaxPool2d, (2, 3, 6, 8), kernel_size=2)
    pool("max_pool2d_overlapping", nn.MaxPool2d, (2, 3, 7, 7), kernel_size=3, stride=2, padding=1)
    pool("max_pool2d_all", nn.MaxPool2d, (2, 3, 9, 8), kernel_size=(3, 2), stride=(2, 1), padding=(1, 0),
         dilation=(2, 3))
    pool("avg_pool2d", nn.AvgPool2d, (2, 3, 6, 8), kernel_size=2)
    pool("avg_pool2d_padding_counts", nn.AvgPool2d, (2, 3, 7, 7), kernel_size=3, stride=2, padding=1,
         count_include_pad=True)
    pool("avg_pool2d_padding_does_not_count", nn.AvgPool2d, (2, 3, 7, 7), kernel_size=3, stride=2, padding=1,
         count_include_pad=False)
    pool("adaptive_avg_pool2d_global", nn.AdaptiveAvgPool2d, (2, 3, 5, 7), output_size=1)
    pool("adaptive_avg_pool2d_uneven", nn.AdaptiveAvgPool2d, (2, 3, 7, 8), output_size=(3, 5))
    pool("adaptive_avg_pool2d_larger", nn.AdaptiveAvgPool2d, (2, 3, 4, 5), output_size=(6, 3))
    return file


def activations():
    file = Golden("activation")
    for case, function, attributes in [
        ("relu", F.relu, {}),
        ("gelu", F.gelu, {"form": "exact"}),
        ("gelu_tanh", lambda x: F.gelu(x, approximate="tanh"), {"form": "tanh"}),
        ("silu", F.silu, {}),
        ("sigmoid", torch.sigmoid, {}),
        ("tanh", torch.tanh, {}),
        ("softplus", F.softplus, {"beta": 1}),
        ("elu", F.elu, {"alpha": 1}),
        ("leaky_relu", F.leaky_relu, {"slope": 0.01}),
        ("mish", F.mish, {}),
        ("hardswish", F.hardswish, {}),
        ("softmax", lambda x: F.softmax(x, -1), {"dimension": -1}),
        ("softmax_first", lambda x: F.softmax(x, 0), {"dimension": 0}),
        ("log_softmax", lambda x: F.log_softmax(x, -1), {"dimension": -1}),
    ]:
        seed(case)
        record(file, case, lambda x: function(x), {"x": draw(5, 8, scale=2)}, function=case, **attributes)
    return file


def losses():
    file = Golden("loss")
    labels = torch.tensor([3, 0, 4, 2, 1, 3])
    skipped = torch.tensor([3, -100, 4, 2, -100, 3])

    def entropy(case, shape, labels, **options):
        seed(case)
        file.put(f"{case}/input.labels", labels)
        record(file, case, lambda logits: F.cross_entropy(logits, labels, **options), {"logits": draw(*shape)},
               loss="cross_entropy", classes_at=1, **options)

    entropy("cross_entropy", (6, 5), labels)
    entropy("cross_entropy_sum", (6, 5), labels, reduction="sum")
    entropy("cross_entropy_none", (6, 5), labels, reduction="none")
    entropy("cross_entropy_smoothing", (6, 5), labels, label_smoothing=0.1)
    entropy("cross_entropy_ignore", (6, 5), skipped, ignore_index=-100)
    entropy("cross_entropy_smoothing_ignore", (6, 5), skipped, label_smoothing=0.2, ignore_index=-100)
    entropy("cross_entropy_images", (2, 5, 3), labels.view(2, 3))
    for case, function in [
        ("mse", F.mse_loss), ("l1", F.l1_loss), ("smooth_l1", F.smooth_l1_loss),
    ]:
        seed(case)
        record(file, case, lambda x, target: function(x, target), {"x": draw(4, 3), "target": draw(4, 3)},
               loss=case, reduction="mean")
    seed("bce_with_logits")
    targets = rounded(torch.rand(4, 3, dtype=torch.float64))
    record(file, "bce_with_logits", lambda x, target: F.binary_cross_entropy_with_logits(x, target),
           {"x": draw(4, 3, scale=3), "target": targets}, loss="bce_with_logits", reduction="mean")
    return file


def rotated(x, offset=0, base=10000.0):
    """Rotary positions (Su et al. 2021), `rotate_half` form: element i turns together with element i + width/2.

    `x` is [batch, heads, time, width].
    """
    width = x.shape[-1]
    frequencies = base ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
    angles = (torch.arange(x.shape[-2], dtype=torch.float64) + offset)[:, None] * frequencies
    cosine, sine = (torch.cat([part, part], -1) for part in (angles.cos(), angles.sin()))
    first, second = x.chunk(2, -1)
    return x * cosine + torch.cat([-second, first], -1) * sine


def attentions():
    file = Golden("attention")

    for case, keys, options in [
        ("sdpa", 7, {}),
        ("sdpa_scaled", 5, {"scale": 0.7}),
        ("sdpa_causal", 5, {"is_causal": True}),
    ]:
        seed(case)
        record(file, case, lambda q, k, v: F.scaled_dot_product_attention(q, k, v, **options),
               {"q": draw(2, 3, 5, 4), "k": draw(2, 3, keys, 4), "v": draw(2, 3, keys, 4)},
               function="scaled_dot_product_attention", layout="batch, heads, time, width", **options)

    for case, offset in [("rotary", 0), ("rotary_offset", 5)]:
        seed(case)
        record(file, case, lambda x: rotated(x, offset), {"x": draw(2, 3, 5, 8)},
               function="rotary", form="rotate_half", base=10000, first_position=offset)

    for case, keys, causal in [
        ("multihead", None, False), ("multihead_causal", None, True), ("multihead_cross", 7, False),
    ]:
        seed(case)
        module = nn.MultiheadAttention(12, 3, batch_first=True)
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.copy_(draw(*parameter.shape, scale=0.4))
        mask = nn.Transformer.generate_square_subsequent_mask(5, dtype=torch.float64) if causal else None

        def run(x, memory=None):
            memory = x if memory is None else memory
            return module(x, memory, memory, attn_mask=mask, need_weights=False)[0]

        inputs = {"x": draw(2, 5, 12)}
        if keys:
            inputs["memory"] = draw(2, keys, 12)
        record(file, case, run, inputs, list(module.named_parameters()),
               layer="MultiheadAttention", width=12, heads=3, causal=causal, layout="batch, time, width")

    case = "grouped_query_rotary"
    seed(case)
    heads, groups, width = 4, 2, 6
    params = {
        "q_proj.weight": draw(heads * width, 10, scale=0.4), "k_proj.weight": draw(groups * width, 10, scale=0.4),
        "v_proj.weight": draw(groups * width, 10, scale=0.4), "o_proj.weight": draw(10, heads * width, scale=0.4),
    }
    for parameter in params.values():
        parameter.requires_grad_()

    def grouped(x):
        batch, time, _ = x.shape
        split = lambda name, count: F.linear(x, params[name]).view(batch, time, count, width).transpose(1, 2)
        q, k, v = split("q_proj.weight", heads), split("k_proj.weight", groups), split("v_proj.weight", groups)
        # Each key and value head serves heads/groups neighbouring query heads.
        k, v = (part.repeat_interleave(heads // groups, dim=1) for part in (rotated(k), v))
        y = F.scaled_dot_product_attention(rotated(q), k, v, is_causal=True)
        return F.linear(y.transpose(1, 2).reshape(batch, time, heads * width), params["o_proj.weight"])

    record(file, case, grouped, {"x": draw(2, 5, 10)}, list(params.items()),
           layer="grouped-query attention", input=10, heads=heads, key_value_heads=groups, head_width=width,
           causal=True, rotary="rotate_half", base=10000, bias=False)
    return file


def all_layers():
    """The files of this module."""
    torch.set_default_dtype(torch.float64)
    for make in [linears, convolutions, norms, pools, activations, losses, attentions]:
        yield make()
