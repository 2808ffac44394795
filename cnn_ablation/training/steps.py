"""Training as pure functions: state, step, epoch, evaluation. Nothing here touches the host.

Shape convention: N examples, B batch, S steps of an epoch, P shards of a batch, H height, W width,
C channels, K classes. Sums come first and one division last, so that a short last batch counts its
examples.
"""

from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import optax
from jax import Array, lax

from cnn_ablation.design.spec import NetworkSpec, TrainingSpec
from cnn_ablation.network import model

EVAL_BATCH_SIZE = 500
BATCH_AXIS = "batch"
_INIT, _ORDER = 0, 1
T = TypeVar("T")


class TrainState(NamedTuple):
    """What a training step changes."""

    params: model.Params
    opt_state: optax.OptState


class Batch(NamedTuple):
    """Some examples: pixels in 0..1, class numbers, and weights that are 0 for padding."""

    images_BHWC: Array
    labels_B: Array
    weights_B: Array


class Examples(NamedTuple):
    """A whole split on the device: uint8 pixels and class numbers."""

    images_NHWC: Array
    labels_N: Array


class Metrics(NamedTuple):
    """Sums over examples: of the loss, of right answers, and of the examples themselves."""

    loss: Array
    correct: Array
    examples: Array


class Program(NamedTuple):
    """All that is fixed while a network trains; hashable, and static under jit.

    Attributes:
        network: what is trained.
        training: how.
        form: the convolution's lowering: `native`, `xla` or `banded`.
        shards: parts that each batch is cut into; with more than one, all functions below must
            run under `jax.shard_map` with an axis `BATCH_AXIS` of that size.
    """

    network: NetworkSpec
    training: TrainingSpec
    form: str
    shards: int = 1


def optimizer(training: TrainingSpec) -> optax.GradientTransformation:
    """Adadelta as Zeiler 2012 (arXiv 1212.5701) and Keras define it."""
    return optax.adadelta(training.learning_rate, rho=training.rho, eps=training.epsilon)


def create_train_state(seed: Array, program: Program) -> TrainState:
    """Draws a seed's initial parameters and sets the optimiser to zero.

    Args:
        seed: an integer scalar.
        program: what is trained and how.
    """
    key = jax.random.fold_in(jax.random.key(seed), _INIT)
    params = model.init(program.network, key, form=program.form)
    return TrainState(params, optimizer(program.training).init(params))


def loss_fn(params: model.Params, batch: Batch, program: Program) -> tuple[Array, Metrics]:
    """Softmax cross-entropy averaged over the batch's examples, and the sums behind it.

    Of a batch in shards, both are this shard's share: they add up to the whole batch's.
    """
    logits_BK = model.apply(
        program.network, params, batch.images_BHWC, form=program.form, dtype=program.training.dtype
    )
    losses_B = optax.softmax_cross_entropy_with_integer_labels(logits_BK, batch.labels_B)
    correct_B = (jnp.argmax(logits_BK, axis=-1) == batch.labels_B) & (batch.weights_B > 0)
    loss, count = jnp.sum(losses_B * batch.weights_B), jnp.sum(batch.weights_B)
    metrics = Metrics(loss, jnp.sum(correct_B), count.astype(jnp.int32))
    return loss / _over_shards(count, program), metrics


def train_step(state: TrainState, batch: Batch, program: Program) -> tuple[TrainState, Metrics]:
    """One step of gradient descent; metrics are those of the parameters before it."""
    gradients, metrics = jax.grad(loss_fn, has_aux=True)(state.params, batch, program)
    gradients = _over_shards(gradients, program)
    updates, opt_state = optimizer(program.training).update(
        gradients, state.opt_state, state.params
    )
    return TrainState(optax.apply_updates(state.params, updates), opt_state), metrics


def train_epoch(
    state: TrainState, examples: Examples, seed: Array, epoch: Array, program: Program
) -> tuple[TrainState, Metrics]:
    """Trains on every example once, in an order that only the seed and the epoch decide.

    Args:
        state: the state before; donate it.
        examples: the training split.
        seed: integer scalar.
        epoch: integer scalar, any number as long as no two epochs share it.
        program: what is trained and how.

    Returns:
        The state after, and the sums over the epoch of each batch's metrics before its step.
    """
    key = jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), _ORDER), epoch)
    count = examples.labels_N.shape[0]
    order_N = jax.random.permutation(key, count)
    grid = batch_grid(order_N, min(program.training.batch_size, count), program.shards)

    def body(state: TrainState, batch: tuple[Array, Array]) -> tuple[TrainState, Metrics]:
        return train_step(state, take(examples, *batch), program)

    state, metrics_S = lax.scan(body, state, _own_shard(grid, program))
    return state, _total(metrics_S, program)


def evaluate(params: model.Params, examples: Examples, program: Program) -> Metrics:
    """Sums of loss and right answers over every example of a split."""
    count = examples.labels_N.shape[0]
    grid = batch_grid(jnp.arange(count), min(EVAL_BATCH_SIZE, count), program.shards)

    def body(_: None, batch: tuple[Array, Array]) -> tuple[None, Metrics]:
        return None, loss_fn(params, take(examples, *batch), program)[1]

    return _total(lax.scan(body, None, _own_shard(grid, program))[1], program)


def batch_grid(order_N: Array, batch_size: int, shards: int = 1) -> tuple[Array, Array]:
    """Cuts an order of examples into batches, and each batch into shards of one size.

    Returns:
        indices_SPB into the examples, by step, part of the batch and place in it, and
        weights_SPB, which are 0 for padding and else 1.
    """
    count = order_N.shape[0]
    steps, width = -(-count // batch_size), -(-batch_size // shards) * shards
    padded_N = jnp.pad(order_N, (0, steps * batch_size - count))
    weights_N = (jnp.arange(steps * batch_size) < count).astype(jnp.float32)
    indices_SPB, weights_SPB = (
        jnp.pad(array_N.reshape(steps, batch_size), ((0, 0), (0, width - batch_size))).reshape(
            steps, shards, width // shards
        )
        for array_N in (padded_N, weights_N)
    )
    return indices_SPB, weights_SPB


def take(examples: Examples, indices_B: Array, weights_B: Array) -> Batch:
    """Gathers a batch and scales its pixels to 0..1."""
    images_BHWC = model.normalize(examples.images_NHWC[indices_B])
    return Batch(images_BHWC, examples.labels_N[indices_B], weights_B)


def _own_shard(grid: tuple[Array, Array], program: Program) -> tuple[Array, Array]:
    """The part of every batch that this device computes."""
    own = lax.axis_index(BATCH_AXIS) if program.shards > 1 else 0
    indices_SPB, weights_SPB = grid
    return indices_SPB[:, own], weights_SPB[:, own]


def _over_shards(tree: T, program: Program) -> T:
    """Sums over the shards of a batch."""
    if program.shards == 1:
        return tree
    summed: T = lax.psum(tree, BATCH_AXIS)
    return summed


def _total(metrics_S: Metrics, program: Program) -> Metrics:
    return _over_shards(Metrics(*(jnp.sum(values_S) for values_S in metrics_S)), program)
