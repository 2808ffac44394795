"""The 15 distinct designs among the notebook's 17, under names for the command line."""

from cnn_ablation.design import NetworkSpec

_SIZES = ((3, 3), (3, 5), (5, 5), (7, 3), (7, 9), (9, 9))
DESIGNS = {
    **{f"kernel-{a}-{b}": NetworkSpec(kernel_size=(a, b)) for a, b in _SIZES},
    **{f"stride-{stride}": NetworkSpec(stride=stride) for stride in range(2, 6)},
    **{f"same-{other}": NetworkSpec(padding=("same", other)) for other in ("same", "valid")},
    **{f"pool-{pool}": NetworkSpec(pool=pool) for pool in range(2, 5)},
}
