"""Plain Keras training of one design: a compiled model and its fit, on arrays in memory.

The environment variable KERAS_BACKEND chooses tensorflow or jax. Options, as in Model.compile:
jit_compile and steps_per_execution. The last layer gives logits and the loss takes them, which is
a little faster than the notebook's softmax layer and computes the same.
"""

from __future__ import annotations

import time
from typing import Any

import keras

from experiments.peers import mnist
from experiments.peers.worker import Epoch, Job, serve

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
        self.model.compile(
            optimizer=keras.optimizers.Adadelta(job.learning_rate, job.rho, job.epsilon),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
            **job.options,
        )

    @property
    def params(self) -> int:
        """Number of trainable parameters."""
        return int(self.model.count_params())

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


def build(job: Job) -> keras.Sequential:
    """Returns the network; Glorot-uniform kernels and zero biases are Keras's defaults."""
    layers: list[Any] = [keras.layers.Input((28, 28, 1))]
    for block in job.blocks():
        convolution = (block.features, block.kernel_size, block.stride, block.padding)
        layers.append(keras.layers.Conv2D(*convolution, activation="relu"))
        if block.pool > 1:
            layers.append(keras.layers.MaxPooling2D(block.pool))
    layers += [keras.layers.Flatten(), keras.layers.Dense(job.spec["hidden"], activation="relu")]
    layers.append(keras.layers.Dense(10))
    return keras.Sequential(layers)


def set_threads(threads: int) -> None:
    """Tells TensorFlow its threads; JAX takes one for each processor that it may use."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        if tf.config.threading.get_intra_op_parallelism_threads() != threads:
            tf.config.threading.set_intra_op_parallelism_threads(threads)


if __name__ == "__main__":
    serve(Trainer)
