"""Plain Keras training of one design: a compiled model and its fit, on arrays in memory.

The environment variable KERAS_BACKEND chooses tensorflow or jax. Options, as in Model.compile:
jit_compile and steps_per_execution. The last layer gives logits and the loss takes them, which is
a little faster than the notebook's softmax layer and computes the same.
"""

from __future__ import annotations

import math
import time
from typing import Any

import keras

from experiments.peers import mnist
from experiments.peers.worker import Block, Epoch, Job, serve

EVAL_BATCH = 1000


class Trainer:
    """A compiled model and the data."""

    def __init__(self, job: Job) -> None:
        set_threads(job.threads)
        keras.utils.clear_session()
        keras.utils.set_random_seed(job.seed)
        self.data = mnist.load()
        self.batch_size = job.batch_size
        self.model = build(job)
        loss: keras.losses.Loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        smoothing = job.training["label_smoothing"]
        if smoothing:
            loss = keras.losses.CategoricalCrossentropy(True, label_smoothing=smoothing)
            self.data = one_hot(self.data)
        self.model.compile(
            optimizer=optimizer_of(job),
            loss=loss,
            metrics=["accuracy"],
            **job.options,
        )

    @property
    def params(self) -> int:
        """Number of trainable parameters."""
        return sum(math.prod(weight.shape) for weight in self.model.trainable_weights)

    def epoch(self) -> Epoch:
        """Trains on every training example once, evaluates on every test example."""
        data = self.data
        start = time.perf_counter()
        history = self.model.fit(
            data.train_images, data.train_labels, batch_size=self.batch_size, verbose=0
        ).history
        middle = time.perf_counter()
        test_loss, test_accuracy = self.model.evaluate(
            data.test_images, data.test_labels, batch_size=EVAL_BATCH, verbose=0
        )
        end = time.perf_counter()
        train = history["loss"][0], history["accuracy"][0]
        return Epoch(middle - start, end - middle, *train, test_loss, test_accuracy)


def one_hot(data: mnist.Mnist) -> mnist.Mnist:
    """Labels as the loss with smoothing takes them."""
    labels = (keras.utils.to_categorical(some) for some in (data.train_labels, data.test_labels))
    train_labels, test_labels = labels
    return data._replace(train_labels=train_labels, test_labels=test_labels)


def optimizer_of(job: Job) -> keras.optimizers.Optimizer:
    """The optimizer of a training, with its schedule."""
    training = job.training
    rate: Any = training["learning_rate"]
    if training["schedule"] == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(rate, job.steps)
    elif training["schedule"] == "linear":
        rate = keras.optimizers.schedules.PolynomialDecay(rate, job.steps, 0)
    common = {"learning_rate": rate, "global_clipnorm": training["clip_norm"] or None}
    names = ("rho", "epsilon", "momentum", "nesterov", "beta_1", "beta_2", "centered")
    own: dict[str, Any] = {name: training[name] for name in names if name in training}
    if training["weight_decay"]:
        own["weight_decay"] = training["weight_decay"]
    kinds = {
        "adadelta": keras.optimizers.Adadelta,
        "sgd": keras.optimizers.SGD,
        "adam": keras.optimizers.Adam,
        "adamw": keras.optimizers.AdamW,
        "rmsprop": keras.optimizers.RMSprop,
        "lion": keras.optimizers.Lion,
    }
    return kinds[training["optimizer"]](**common, **own)


def augmentation(training: dict[str, Any]) -> list[keras.layers.Layer]:
    """Layers that change images in training."""
    share = training.get("shift_pixels", 0) / 28
    made = {
        "shift": lambda: keras.layers.RandomTranslation(share, share, "constant", "nearest"),
        "flip": lambda: keras.layers.RandomFlip("horizontal"),
        "erase": lambda: keras.layers.RandomErasing(training["erase_share"], value_range=(0, 1)),
    }
    return [made[name]() for name in training["augment"]]


def build(job: Job) -> keras.Model:
    """Returns the network; Glorot-uniform kernels and zero biases are Keras's defaults."""
    layers = keras.layers
    inputs = x = layers.Input((28, 28, 1))
    for layer in augmentation(job.training):
        x = layer(x)
    blocks = job.blocks()
    for block in blocks:
        x = apply_block(x, block)
    if job.layers["head"] == "flatten":
        x = layers.Flatten()(x)
    else:
        pools = {"global_avg": layers.GlobalAveragePooling2D, "global_max": layers.GlobalMaxPool2D}
        x = pools[job.layers["head"]]()(x)
    for hidden in job.layers["hidden"]:
        x = layers.Dense(hidden, activation=activation(blocks[-1]))(x)
    if job.layers["head_dropout"]:
        x = layers.Dropout(job.layers["head_dropout"])(x)
    return keras.Model(inputs, layers.Dense(10)(x))


def apply_block(inputs: Any, block: Block) -> Any:
    """Convolution, normalization, sum with a shortcut, activation, pooling, dropout."""
    layers = keras.layers
    plain = block.norm == "none" and not block.residual
    x = layers.Conv2D(
        block.features,
        block.kernel_size,
        block.stride,
        block.padding,
        dilation_rate=block.dilation,
        groups=block.groups,
        use_bias=block.bias,
        activation=activation(block) if plain else None,
    )(inputs)
    if block.norm == "batch":
        x = layers.BatchNormalization(momentum=block.norm_momentum, epsilon=block.norm_epsilon)(x)
    elif block.norm == "layer":
        x = layers.LayerNormalization(epsilon=block.norm_epsilon)(x)
    elif block.norm == "group":
        x = layers.GroupNormalization(block.norm_groups, epsilon=block.norm_epsilon)(x)
    if block.residual:
        x = layers.Add()([x, shortcut(inputs, x, block)])
    if not plain:
        x = layers.Activation(activation(block))(x)
    if block.pool > 1:
        pools = {"max": layers.MaxPooling2D, "avg": layers.AveragePooling2D}
        x = pools[block.pool_kind](block.pool)(x)
    return layers.Dropout(block.dropout)(x) if block.dropout else x


def shortcut(inputs: Any, x: Any, block: Block) -> Any:
    """A block's input under its map's pixels, projected where the shapes differ."""
    if inputs.shape == x.shape:
        return inputs
    start = (block.reach - 1) // 2 if block.padding == "valid" else 0
    end = start + (x.shape[1] - 1) * block.stride + 1
    cut = (start, inputs.shape[1] - end)
    if any(cut):
        inputs = keras.layers.Cropping2D((cut, cut))(inputs)
    return keras.layers.Conv2D(block.features, 1, block.stride, use_bias=False)(inputs)


def activation(block: Block) -> str | Any:
    """The name of a block's activation; Keras's leaky_relu has 0.2 as ours, gelu is exact."""
    return None if block.activation == "none" else block.activation


def set_threads(threads: int) -> None:
    """Tells TensorFlow its threads; JAX takes one for each processor that it may use."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        if tf.config.threading.get_intra_op_parallelism_threads() != threads:
            tf.config.threading.set_intra_op_parallelism_threads(threads)


if __name__ == "__main__":
    serve(Trainer)
