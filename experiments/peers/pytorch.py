"""Plain PyTorch training of one design, as its documentation advises for a data set in memory.

The whole data set is one tensor, and a batch a selection of its rows; no data loader, no gradient
memory kept, inference mode and larger batches for evaluation. Options: channels_last (memory
format), compile (a list of what torch.compile takes: model, optimizer). The optimiser is left to
its default of one loop over the parameters: on a CPU foreach=True was measured slower.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from experiments.peers import mnist
from experiments.peers.worker import Block, Epoch, Job, serve

EVAL_BATCH = 1000


class Trainer:
    """A model, its optimiser and the data."""

    def __init__(self, job: Job) -> None:
        torch.set_num_threads(job.threads)
        torch.manual_seed(job.seed)
        torch.compiler.reset()
        layout = (
            torch.channels_last if job.options.get("channels_last") else torch.contiguous_format
        )
        data = mnist.load()
        self.train_images, self.test_images = (
            torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(memory_format=layout)
            for images in (data.train_images, data.test_images)
        )
        self.train_labels, self.test_labels = (
            torch.from_numpy(labels).long() for labels in (data.train_labels, data.test_labels)
        )
        self.batch_size = job.batch_size
        self.model = build(job).to(memory_format=layout)
        self.training = job.training
        self.optimizer = optimizer_of(job.training, self.model)
        self.schedule = schedule_of(job, self.optimizer)
        self.forward, self.update = self.model, self.optimizer.step
        compiled = job.options.get("compile", ())
        if "model" in compiled:
            self.forward = torch.compile(self.model, dynamic=False)
        if "optimizer" in compiled:
            self.update = torch.compile(self.optimizer.step)

    @property
    def params(self) -> int:
        """Number of trainable parameters."""
        return sum(parameter.numel() for parameter in self.model.parameters())

    def epoch(self) -> Epoch:
        """Trains on every training example once, evaluates on every test example."""
        start = time.perf_counter()
        train_loss, train_accuracy = self.train()
        middle = time.perf_counter()
        test_loss, test_accuracy = self.evaluate()
        end = time.perf_counter()
        return Epoch(
            middle - start, end - middle, train_loss, train_accuracy, test_loss, test_accuracy
        )

    def train(self) -> tuple[float, float]:
        """Returns mean loss and accuracy over the epoch."""
        self.model.train()
        loss_sum, correct = torch.zeros(()), torch.zeros((), dtype=torch.long)
        order = torch.randperm(len(self.train_labels))
        for rows in order.split(self.batch_size):
            labels_B = self.train_labels.index_select(0, rows)
            images_BCHW = augment(self.train_images.index_select(0, rows), self.training)
            logits_BK = self.forward(images_BCHW)
            loss = functional.cross_entropy(
                logits_BK, labels_B, label_smoothing=self.training["label_smoothing"]
            )
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            if self.training["clip_norm"]:
                nn.utils.clip_grad_norm_(self.model.parameters(), self.training["clip_norm"])
            self.update()
            if self.schedule is not None:
                self.schedule.step()
            loss_sum += loss.detach() * len(rows)
            correct += (logits_BK.detach().argmax(1) == labels_B).sum()
        return loss_sum.item() / len(order), correct.item() / len(order)

    @torch.inference_mode()
    def evaluate(self) -> tuple[float, float]:
        """Returns mean loss and accuracy over the test set."""
        self.model.eval()
        loss_sum, correct = 0.0, 0
        images, labels = self.test_images.split(EVAL_BATCH), self.test_labels.split(EVAL_BATCH)
        for images_BCHW, labels_B in zip(images, labels, strict=True):
            logits_BK = self.model(images_BCHW)
            loss_sum += functional.cross_entropy(logits_BK, labels_B, reduction="sum").item()
            correct += int((logits_BK.argmax(1) == labels_B).sum())
        return loss_sum / len(self.test_labels), correct / len(self.test_labels)


def optimizer_of(training: dict[str, Any], model: nn.Module) -> torch.optim.Optimizer:
    """The optimizer of a training.

    Raises:
        ValueError: PyTorch has none of the name.
    """
    parameters, rate, name = model.parameters(), training["learning_rate"], training["optimizer"]
    betas = (training.get("beta_1"), training.get("beta_2"))
    if name == "adadelta":
        return torch.optim.Adadelta(parameters, rate, training["rho"], training["epsilon"])
    if name == "sgd":
        momentum, nesterov = training["momentum"], training["nesterov"]
        return torch.optim.SGD(parameters, rate, momentum, nesterov=nesterov)
    if name == "adam":
        return torch.optim.Adam(parameters, rate, betas, training["epsilon"])
    if name == "adamw":
        decay = training["weight_decay"]
        return torch.optim.AdamW(parameters, rate, betas, training["epsilon"], decay)
    if name == "rmsprop":
        return torch.optim.RMSprop(parameters, rate, training["rho"], training["epsilon"])
    raise ValueError(f"PyTorch has no optimizer {name}")


def schedule_of(job: Job, optimizer: torch.optim.Optimizer) -> Any:
    """The schedule of a training, a step a batch; None for a constant rate."""
    if job.training["schedule"] == "cosine":
        return torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, job.steps)
    if job.training["schedule"] == "linear":
        return torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0, job.steps)
    return None


def augment(images_BCHW: torch.Tensor, training: dict[str, Any]) -> torch.Tensor:
    """Each image changed by its own draw.

    Raises:
        ValueError: this program does not know a change.
    """
    for name in training["augment"]:
        if name == "flip":
            flipped_B111 = torch.rand(len(images_BCHW), 1, 1, 1) < 0.5
            images_BCHW = torch.where(flipped_B111, images_BCHW.flip(3), images_BCHW)
        elif name == "shift":
            images_BCHW = shift(images_BCHW, training["shift_pixels"])
        else:
            raise ValueError(f"no augmentation {name} here")
    return images_BCHW


def shift(images_BCHW: torch.Tensor, most: int) -> torch.Tensor:
    """Each image moved by whole pixels within a black margin."""
    batch, channels, height, width = images_BCHW.shape
    padded = functional.pad(images_BCHW, (most,) * 4)
    down, right = torch.randint(0, 2 * most + 1, (2, batch, 1))
    rows = (down + torch.arange(height)).reshape(batch, 1, height, 1)
    columns = (right + torch.arange(width)).reshape(batch, 1, 1, width)
    images = torch.arange(batch).reshape(-1, 1, 1, 1)
    return padded[images, torch.arange(channels).reshape(1, -1, 1, 1), rows, columns]


ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": lambda: nn.LeakyReLU(0.2),
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "none": nn.Identity,
}


class ChannelNorm(nn.LayerNorm):
    """Layer normalization over the channels of every pixel of (B, C, H, W)."""

    def forward(self, images_BCHW: torch.Tensor) -> torch.Tensor:
        """Normalizes with the channels last, where they lie with channels_last."""
        normal = super().forward(images_BCHW.permute(0, 2, 3, 1))
        return normal.permute(0, 3, 1, 2)


class ConvBlock(nn.Module):
    """Convolution, normalization, sum with a shortcut, activation, pooling, dropout."""

    def __init__(self, block: Block, channels: int, size: int) -> None:
        super().__init__()
        before, after = padding(block, size)
        apart = before if before == after else 0
        self.pad = nn.Identity() if before == after else nn.ZeroPad2d((before, after) * 2)
        self.convolution = nn.Conv2d(
            channels,
            block.features,
            block.kernel_size,
            block.stride,
            apart,
            block.dilation,
            block.groups,
            block.bias,
        )
        self.norm = normalization(block)
        self.conv_size = (size + before + after - block.reach) // block.stride + 1
        self.stride = block.stride
        self.start = (block.reach - 1) // 2 if block.padding == "valid" else 0
        projects = (channels, size) != (block.features, self.conv_size)
        self.shortcut: nn.Module | None = None
        if block.residual:
            self.shortcut = (
                nn.Conv2d(channels, block.features, 1, bias=False) if projects else nn.Identity()
            )
        pools = {"max": nn.MaxPool2d, "avg": nn.AvgPool2d}
        self.rest = nn.Sequential(
            ACTIVATIONS[block.activation](),
            pools[block.pool_kind](block.pool) if block.pool > 1 else nn.Identity(),
            nn.Dropout(block.dropout) if block.dropout else nn.Identity(),
        )
        self.out_size = self.conv_size // block.pool

    def forward(self, images_BCHW: torch.Tensor) -> torch.Tensor:
        """Maps images to the block's maps."""
        x = self.norm(self.convolution(self.pad(images_BCHW)))
        if self.shortcut is not None:
            end = self.start + (self.conv_size - 1) * self.stride + 1
            seen = slice(self.start, end, self.stride)
            x = x + self.shortcut(images_BCHW[:, :, seen, seen])
        out: torch.Tensor = self.rest(x)
        return out


def normalization(block: Block) -> nn.Module:
    """A block's norm; PyTorch's momentum is the share of the new."""
    if block.norm == "batch":
        return nn.BatchNorm2d(block.features, block.norm_epsilon, 1 - block.norm_momentum)
    if block.norm == "layer":
        return ChannelNorm(block.features, block.norm_epsilon)
    if block.norm == "group":
        return nn.GroupNorm(block.norm_groups, block.features, block.norm_epsilon)
    return nn.Identity()


def build(job: Job) -> nn.Sequential:
    """Returns the network with Glorot-uniform kernels and zero biases."""
    layers: list[nn.Module] = []
    size, channels = 28, 1
    blocks = job.blocks()
    for block in blocks:
        layers.append(ConvBlock(block, channels, size))
        size, channels = layers[-1].out_size, block.features
    units = size * size * channels
    if job.layers["head"] != "flatten":
        pools = {"global_avg": nn.AdaptiveAvgPool2d, "global_max": nn.AdaptiveMaxPool2d}
        layers.append(pools[job.layers["head"]](1))
        units = channels
    layers.append(nn.Flatten())
    for hidden in job.layers["hidden"]:
        layers += [nn.Linear(units, hidden), ACTIVATIONS[blocks[-1].activation]()]
        units = hidden
    if job.layers["head_dropout"]:
        layers.append(nn.Dropout(job.layers["head_dropout"]))
    layers.append(nn.Linear(units, 10))
    network = nn.Sequential(*layers)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return network


def padding(block: Block, size: int) -> tuple[int, int]:
    """Returns the zeros before and after a map; PyTorch's own 'same' knows no stride."""
    if block.padding == "valid":
        return 0, 0
    output = -(-size // block.stride)
    total = max((output - 1) * block.stride + block.reach - size, 0)
    return total // 2, total - total // 2


if __name__ == "__main__":
    serve(Trainer)
