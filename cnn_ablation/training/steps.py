"""Training as pure functions: initial state, step, epoch, evaluation. Nothing touches the host.

Shape convention: N examples, B batch, S steps of an epoch, P shards of a batch, H height, W width,
C channels, K classes. Sums come first and one division last, so that a short last batch counts its
examples.
"""

from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import optax
from jax import Array, lax

from cnn_ablation.design import TrainingSpec
from cnn_ablation.network import model
from cnn_ablation.network.lowerings import lowering_of
from cnn_ablation.network.mode import Mode
from cnn_ablation.optimizers.transformations import decay_weights, warmed
from cnn_ablation.training.augmenting import augmenting
from cnn_ablation.training.batches import batch_grid, own_shard, take
from cnn_ablation.training.drawing import (
    draw_examples,
    draw_labels,
    initial_input_stats,
    measure_input,
)
from cnn_ablation.training.state import (
    BATCH_AXIS,
    Batch,
    Examples,
    InputStats,
    Metrics,
    Seeds,
    TrainConfig,
    TrainState,
)

EVAL_BATCH_SIZE = 500
# A seed's streams of random numbers: initial parameters, order of the examples, noise of a step,
# which examples are trained on, and which labels are wrong.
_INIT, _ORDER, _NOISE, _SUBSET, _LABELS = range(5)
T = TypeVar("T")


def rate_of(training: TrainingSpec, steps: int) -> Any:
    """The learning rate of a training of so many steps: a number, or a function of the step."""
    warm = round(training.warmup * steps / training.epochs)
    rate = training.schedule.rate(training.learning_rate, max(steps - warm, 1) if warm else steps)
    return warmed(rate, training.learning_rate, warm)


def optimizer_of(
    training: TrainingSpec, steps: int = 0, lowering: str = "xla"
) -> optax.GradientTransformation:
    """The optimizer of a training of so many steps, with its schedule, clipping and decay.

    In Keras's order: the gradient is clipped by its whole norm (Keras's `global_clipnorm`; its
    `clipnorm` bounds each variable's own), and the decay is of the parameters before the step.
    """
    rate = rate_of(training, steps)
    chain = [lowering_of(lowering).optimizer(training.optimizer, rate)]
    if training.clip_norm:
        chain.insert(0, optax.clip_by_global_norm(training.clip_norm))
    if training.weight_decay:
        chain.append(decay_weights(training.weight_decay, rate))
    return optax.chain(*chain) if len(chain) > 1 else chain[0]


def create_train_state(seed: Array | Seeds, config: TrainConfig) -> TrainState:
    """Draws a seed's initial parameters and sets the optimizer to its start.

    Args:
        seed: an integer scalar, or one for each source of randomness.
        config: what is trained and how.
    """
    key = jax.random.fold_in(jax.random.key(Seeds.of(seed).init), _INIT)
    variables = model.init(config.network, key, lowering=config.lowering)
    params = variables["params"]
    opt_state = optimizer_of(config.training, config.steps, config.lowering).init(params)
    batch_stats = variables.get("batch_stats", {})
    return TrainState(params, batch_stats, opt_state, initial_input_stats(config))


def loss_fn(
    params: model.Params,
    batch_stats: model.Params,
    batch: Batch,
    key: Array,
    config: TrainConfig,
    input_stats: InputStats = None,
) -> tuple[Array, tuple[Metrics, model.Params]]:
    """Softmax cross-entropy in training, averaged over the batch's examples.

    With label smoothing it is that of smoothed labels; evaluation is of plain labels always.

    Of a batch in shards, loss and sums are this shard's share: they add up to the whole batch's.

    Returns:
        The loss, and beside it the sums behind it and the running statistics after the step.
    """
    axis_name = BATCH_AXIS if config.shards > 1 else None
    state = TrainState(params, batch_stats, (), input_stats)
    logits_BK, batch_stats = model.apply_training(
        config.network,
        state.variables,
        batch.images_BHWC,
        Mode(True, batch.weights_B, key, axis_name),
        lowering=config.lowering,
        dtype=config.training.dtype,
        precision=config.precision,
    )
    metrics = _metrics(logits_BK, batch, config.training.label_smoothing)
    count = _over_shards(jnp.sum(batch.weights_B), config)
    return metrics.loss / count, (metrics, batch_stats)


def train_step(
    state: TrainState, batch: Batch, key: Array, config: TrainConfig
) -> tuple[TrainState, Metrics]:
    """One step of gradient descent; metrics are those of the parameters before it.

    Args:
        state: the state before.
        batch: the examples.
        key: PRNG key of this step's noise, such as dropout's; used once.
        config: what is trained and how.
    """
    gradients, (metrics, batch_stats) = jax.grad(loss_fn, has_aux=True)(
        state.params, state.batch_stats, batch, key, config, state.input_stats
    )
    gradients = _over_shards(gradients, config)
    updates, opt_state = optimizer_of(config.training, config.steps, config.lowering).update(
        gradients, state.opt_state, state.params
    )
    params = optax.apply_updates(state.params, updates)
    return TrainState(params, batch_stats, opt_state, state.input_stats), metrics


def train_epoch(
    state: TrainState, examples: Examples, seed: Array | Seeds, epoch: Array, config: TrainConfig
) -> tuple[TrainState, Metrics]:
    """Trains on every example once, in an order that only the seed and the epoch decide.

    Where the spec says so these are a share of the examples, and a share of the labels is wrong:
    the same in every epoch of a seed.

    Args:
        state: the state before; donate it.
        examples: the training split.
        seed: integer scalar, or one for each source of randomness.
        epoch: integer scalar, any number as long as no two epochs share it.
        config: what is trained and how.

    Returns:
        The state after, and the sums over the epoch of each batch's metrics before its step.
    """
    seeds = Seeds.of(seed)
    order_key, noise_key = (
        jax.random.fold_in(jax.random.fold_in(jax.random.key(own), stream), epoch)
        for own, stream in ((seeds.order, _ORDER), (seeds.noise, _NOISE))
    )
    subset_key, labels_key = (
        jax.random.fold_in(jax.random.key(seeds.draws), stream) for stream in (_SUBSET, _LABELS)
    )
    subset = draw_examples(subset_key, examples.labels_N.shape[0], config)
    examples = examples._replace(labels_N=draw_labels(labels_key, examples.labels_N, config))
    if state.input_stats is not None:
        stats = measure_input(examples, subset, state.input_stats)
        state = state._replace(input_stats=stats)
    count = examples.labels_N.shape[0] if subset is None else len(subset)
    order_N = lowering_of(config.lowering).permutation(order_key, count)
    order_N = order_N if subset is None else subset[order_N]
    grid = batch_grid(order_N, min(config.training.batch_size, count), config.shards)
    indices_SB, weights_SB = own_shard(grid, config.shards)
    steps_S = jnp.arange(indices_SB.shape[0])

    def body(state: TrainState, step: tuple[Array, Array, Array]) -> tuple[TrainState, Metrics]:
        indices_B, weights_B, number = step
        change = augmenting(config, noise_key, number, indices_B.shape[0])
        batch = take(examples, indices_B, weights_B, change, config.lowering)
        return train_step(state, batch, jax.random.fold_in(noise_key, number), config)

    state, metrics_S = lax.scan(body, state, (indices_SB, weights_SB, steps_S))
    return state, _total(metrics_S, config)


def eval_step(variables: model.Variables, batch: Batch, config: TrainConfig) -> Metrics:
    """Sums of cross-entropy and right answers over a batch, as in evaluation."""
    return _eval_each(variables, batch, config)[0]


def evaluate(variables: model.Variables, examples: Examples, config: TrainConfig) -> Metrics:
    """Sums of loss and right answers over every example of a split."""
    return evaluate_each(variables, examples, config)[0]


def evaluate_each(
    variables: model.Variables, examples: Examples, config: TrainConfig
) -> tuple[Metrics, Array]:
    """Sums over every example of a split, and which examples are answered right.

    Returns:
        The sums, and correct_N: boolean, in the order of the split; whole on every shard.
    """
    count = examples.labels_N.shape[0]
    batch_size = min(EVAL_BATCH_SIZE, count)
    grid = batch_grid(jnp.arange(count), batch_size, config.shards)

    def body(_: None, batch: tuple[Array, Array]) -> tuple[None, tuple[Metrics, Array]]:
        return None, _eval_each(variables, take(examples, *batch, lowering=config.lowering), config)

    metrics_S, correct_SB = lax.scan(body, None, own_shard(grid, config.shards))[1]
    if config.shards > 1:
        # Parts of a batch are neighbours in it, the last ones padded.
        correct_SB = lax.all_gather(correct_SB, BATCH_AXIS, axis=1, tiled=True)
    return _total(metrics_S, config), correct_SB[:, :batch_size].reshape(-1)[:count]


def _eval_each(
    variables: model.Variables, batch: Batch, config: TrainConfig
) -> tuple[Metrics, Array]:
    """A batch's sums, and which of its answers are right: correct_B, false for padding."""
    logits_BK = model.apply(
        config.network,
        variables,
        batch.images_BHWC,
        lowering=config.lowering,
        dtype=config.training.dtype,
        precision=config.precision,
    )
    return _metrics(logits_BK, batch), _correct(logits_BK, batch)


def _metrics(logits_BK: Array, batch: Batch, label_smoothing: float = 0.0) -> Metrics:
    losses_B = optax.softmax_cross_entropy_with_integer_labels(logits_BK, batch.labels_B)
    if label_smoothing:
        # A share of each label is spread evenly over all classes, its own among them, as in Keras.
        even_B = -jnp.mean(jax.nn.log_softmax(logits_BK), axis=-1)
        losses_B = (1 - label_smoothing) * losses_B + label_smoothing * even_B
    loss, count = jnp.sum(losses_B * batch.weights_B), jnp.sum(batch.weights_B)
    return Metrics(loss, jnp.sum(_correct(logits_BK, batch)), count.astype(jnp.int32))


def _correct(logits_BK: Array, batch: Batch) -> Array:
    return (jnp.argmax(logits_BK, axis=-1) == batch.labels_B) & (batch.weights_B > 0)


def _over_shards(tree: T, config: TrainConfig) -> T:
    """Sums over the shards of a batch."""
    if config.shards == 1:
        return tree
    summed: T = lax.psum(tree, BATCH_AXIS)
    return summed


def _total(metrics_S: Metrics, config: TrainConfig) -> Metrics:
    return _over_shards(Metrics(*(jnp.sum(values_S) for values_S in metrics_S)), config)
