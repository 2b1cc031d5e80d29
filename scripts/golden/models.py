"""Small networks: outputs, loss, every gradient, and ten steps of AdamW on one batch."""

import torch
from torch import nn
from torch.nn import functional as F

from store import Golden, rounded, seed

STEPS = 10


class MLP(nn.Module):
    """20 → 32 → 16 → 5 with ReLU between."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(20, 32), nn.Linear(32, 16), nn.Linear(16, 5)])

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = F.relu(layer(x))
        return self.layers[-1](x)


class ResidualMLP(nn.Module):
    """A stem, three pre-norm feed-forward blocks with exact GELU, a norm and a head."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(12, 16)
        self.blocks = nn.ModuleList([ResidualMLPBlock(16, 24) for _ in range(3)])
        self.norm = nn.LayerNorm(16)
        self.head = nn.Linear(16, 5)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = x + block.mlp(block.norm(x))
        return self.head(self.norm(x))


class ResidualMLPBlock(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.mlp = FeedForward(width, hidden)


class CNN(nn.Module):
    """Two convolutions with batch norm. No bias in front of a norm: its gradient would be nothing but rounding."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(16)
        self.head = nn.Linear(16, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.norm1(self.conv1(x))), 2)
        x = F.adaptive_avg_pool2d(F.relu(self.norm2(self.conv2(x))), 1)
        return self.head(x.flatten(1))


class BasicBlock(nn.Module):
    """He et al. 2015, figure 5 left, with a projection on the short cut."""

    def __init__(self, input, output, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(input, output, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(output)
        self.conv2 = nn.Conv2d(output, output, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(output)
        self.downsample = nn.Sequential(
            nn.Conv2d(input, output, 1, stride=stride, bias=False), nn.BatchNorm2d(output)
        )

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.downsample(x))


class ResNetBlock(nn.Module):
    """One block, the mean over the image, and a linear layer."""

    def __init__(self):
        super().__init__()
        self.block = BasicBlock(6, 12, 2)
        self.head = nn.Linear(12, 7)

    def forward(self, x):
        return self.head(self.block(x).mean((2, 3)))


class Attention(nn.Module):
    """Causal self-attention; the rows of `qkv` are all queries, then all keys, then all values, head by head."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.projection = nn.Linear(width, width)

    def forward(self, x):
        batch, time, width = x.shape
        q, k, v = (
            part.view(batch, time, self.heads, width // self.heads).transpose(1, 2)
            for part in self.qkv(x).chunk(3, dim=-1)
        )
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.projection(y.transpose(1, 2).reshape(batch, time, width))


class FeedForward(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)

    def forward(self, x):
        return self.down(F.gelu(self.up(x)))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = FeedForward(width, 4 * width)

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class GPT(nn.Module):
    """Pre-norm decoder with learned positions, exact GELU and a head of its own."""

    def __init__(self, vocabulary, context, width, heads, layers):
        super().__init__()
        self.token_embedding = nn.Embedding(vocabulary, width)
        self.position_embedding = nn.Embedding(context, width)
        self.blocks = nn.ModuleList([Block(width, heads) for _ in range(layers)])
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocabulary, bias=False)

    def forward(self, tokens):
        x = self.token_embedding(tokens) + self.position_embedding.weight[: tokens.shape[1]]
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


def settle(model):
    """Moves norms off one and zero so that mistakes in them show, and rounds every weight to float32."""
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, (nn.BatchNorm2d, nn.LayerNorm)):
                module.weight.copy_(1 + 0.2 * torch.randn_like(module.weight))
                module.bias.copy_(0.2 * torch.randn_like(module.bias))
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.copy_(0.1 * torch.randn_like(module.running_mean))
                module.running_var.copy_(0.5 + torch.rand_like(module.running_var))
        for tensor in model.state_dict().values():
            if tensor.is_floating_point():
                tensor.copy_(rounded(tensor))


def buffers(model):
    """Running statistics; the counter of batches is left out."""
    return [(name, value) for name, value in model.named_buffers() if value.is_floating_point()]


def cross_entropy(logits, labels):
    """The mean over every label; classes are the last dimension."""
    return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), labels.reshape(-1).long())


def golden(name, model, x, y, leave_out=(), **attributes):
    """Records one network in train mode, then trains it."""
    file = Golden(name)
    file.case(name, **attributes)
    settle(model)
    model.train()
    file.put("input.x", x)
    file.put("input.y", y)
    for key, value in model.named_parameters():
        file.put(f"param.{key}", value)
    for key, value in buffers(model):
        file.put(f"buffer.{key}", value)

    optimizer = torch.optim.AdamW(
        model.parameters(), lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01
    )
    losses = []
    for step in range(STEPS):
        optimizer.zero_grad()
        logits = model(x)
        loss = cross_entropy(logits, y)
        loss.backward()
        if step == 0:
            file.put("output.logits", logits)
            file.put("output.loss", loss)
            for key, value in model.named_parameters():
                file.put(f"grad.{key}", value.grad)
        losses.append(loss.detach())
        optimizer.step()
    file.put("losses", torch.stack(losses))
    for key, value in [*model.named_parameters(), *buffers(model)]:
        if not any(part in key for part in leave_out):
            file.put(f"after.{key}", value)
    model.eval()
    with torch.no_grad():
        file.put("after_output.logits", model(x))
    return file


def all_models():
    """The files of this module."""
    torch.set_default_dtype(torch.float64)
    seed("mlp")
    yield golden(
        "mlp", MLP(), rounded(torch.randn(12, 20)), torch.randint(5, (12,)),
        layers=[20, 32, 16, 5], activation="relu",
    )
    seed("residual_mlp")
    yield golden(
        "residual_mlp", ResidualMLP(), rounded(torch.randn(10, 12)), torch.randint(5, (10,)),
        width=16, hidden=24, layers=3, gelu="exact", epsilon=1e-5,
    )
    seed("cnn")
    yield golden(
        "cnn", CNN(), rounded(torch.randn(6, 1, 12, 12)), torch.randint(10, (6,)),
        form="conv1 3x3 p1, norm1, relu, max pool 2, conv2 3x3 p1, norm2, relu, mean over the image, head",
        epsilon=1e-5, momentum=0.1,
    )
    seed("resnet_block")
    yield golden(
        "resnet_block", ResNetBlock(), rounded(torch.randn(5, 6, 9, 9)), torch.randint(7, (5,)),
        form="basic block 6 to 12, stride 2, projection; mean over the image; head",
        epsilon=1e-5, momentum=0.1,
    )
    seed("gpt")
    yield golden(
        "gpt", GPT(30, 16, 32, 4, 2), torch.randint(30, (3, 16)), torch.randint(30, (3, 16)),
        leave_out=[".mlp."],  # or the file would pass 300 KB; the losses see them all the same
        vocabulary=30, context=16, width=32, heads=4, layers=2, gelu="exact", epsilon=1e-5, tied=False,
    )
