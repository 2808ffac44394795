"""Plain PyTorch training of one design, as its documentation advises for a data set in memory.

The whole data set is one tensor, and a batch a selection of its rows; no data loader, no gradient
memory kept, inference mode and larger batches for evaluation. Options: channels_last (memory
format), compile (a list of what torch.compile takes: model, optimizer). The optimiser is left to
its default of one loop over the parameters: on a CPU foreach=True was measured slower.
"""

from __future__ import annotations

import time

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
        self.optimizer = torch.optim.Adadelta(
            self.model.parameters(), job.learning_rate, job.rho, job.epsilon
        )
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
            logits_BK = self.forward(self.train_images.index_select(0, rows))
            loss = functional.cross_entropy(logits_BK, labels_B)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.update()
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


def build(job: Job) -> nn.Sequential:
    """Returns the network with Glorot-uniform kernels and zero biases."""
    layers: list[nn.Module] = []
    size, channels = 28, 1
    for block in job.blocks():
        before, after = padding(block, size)
        if before == after:
            convolution = (block.kernel_size, block.stride, before)
        else:
            layers.append(nn.ZeroPad2d((before, after, before, after)))
            convolution = (block.kernel_size, block.stride, 0)
        layers += [nn.Conv2d(channels, block.features, *convolution), nn.ReLU()]
        if block.pool > 1:
            layers.append(nn.MaxPool2d(block.pool))
        reach = size + before + after - block.kernel_size
        size, channels = (reach // block.stride + 1) // block.pool, block.features
    hidden = job.spec["hidden"]
    layers += [nn.Flatten(), nn.Linear(size * size * channels, hidden), nn.ReLU()]
    layers.append(nn.Linear(hidden, 10))
    for layer in layers:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers)


def padding(block: Block, size: int) -> tuple[int, int]:
    """Returns the zeros before and after a map; PyTorch's own 'same' knows no stride."""
    if block.padding == "valid":
        return 0, 0
    output = -(-size // block.stride)
    total = max((output - 1) * block.stride + block.kernel_size - size, 0)
    return total // 2, total - total // 2


if __name__ == "__main__":
    serve(Trainer)
