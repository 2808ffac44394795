"""XLA's options that make programs compile sooner and change no bit of what they compute."""

import jax
from jax.stages import Compiled, Lowered

from cnn_ablation.network.lowerings import NATIVE
from cnn_ablation.training.state import TrainConfig

Options = dict[str, str | bool]
# XLA's newer way to write loops on a CPU takes longer to compile, and beside kernels of ours the
# loops gain nothing by it.
SOONER: Options = {"xla_cpu_use_fusion_emitters": False}
SOONEST: Options = {**SOONER, "xla_backend_optimization_level": "0"}
_UNIFORM = ("glorot_uniform", "he_uniform", "lecun_uniform")


def options_for_creating(config: TrainConfig, platform: str) -> Options:
    """Options for drawing initial parameters, which takes milliseconds however it is compiled."""
    if platform != "cpu":
        return {}
    # Normal numbers come from a polynomial, whose last bits depend on how it is compiled.
    return SOONEST if config.network.init in _UNIFORM else SOONER


def options_for_epochs(config: TrainConfig, platform: str) -> Options:
    """Options for training and evaluation.

    Sums over a whole map, as norms take them and lowerings without kernels of ours do, have other
    last bits with them, and so do without.
    """
    normed = any(block.norm != "none" for block in config.network.blocks)
    return SOONER if platform == "cpu" and config.lowering in NATIVE and not normed else {}


def compile_with(lowered: Lowered, options: Options) -> Compiled:
    """Compiles with options of XLA's; an XLA that does not know one does without them."""
    try:
        return lowered.compile(compiler_options=dict(options) or None)
    except jax.errors.JaxRuntimeError as error:
        if not options or "No such compile option" not in str(error):
            raise
        return lowered.compile()
