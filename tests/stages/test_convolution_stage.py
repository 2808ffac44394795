"""The convolution stage: dilated and strided kernels by every lowering, against plain loops."""

import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cnn_ablation.design import Block, NetworkSpec, TrialSpec
from cnn_ablation.design.summary import summarize
from cnn_ablation.errors import FieldError
from cnn_ablation.network.lowerings import lowering_of
from cnn_ablation.stages import convolution
from cnn_ablation.stages.geometry import pad_before

CASES = list(itertools.product(("valid", "same"), (1, 2, 3), (1, 2), (2, 3)))


def loops(images: np.ndarray, kernel: np.ndarray, block: Block) -> np.ndarray:
    """A convolution tap by tap, with as few zeros around the image as the padding asks for."""
    reach = (block.kernel_size - 1) * block.dilation + 1
    before = pad_before(images.shape[1], reach, block.stride, block.padding)
    padded = np.pad(images, ((0, 0), (before, reach), (before, reach), (0, 0)))
    if block.padding == "same":
        out = -(-images.shape[1] // block.stride)
    else:
        out = (images.shape[1] - reach) // block.stride + 1
    result = np.zeros((len(images), out, out, kernel.shape[-1]))
    for y, x, row, column in itertools.product(
        range(out), range(out), range(block.kernel_size), range(block.kernel_size)
    ):
        at_y = y * block.stride + row * block.dilation
        at_x = x * block.stride + column * block.dilation
        result[:, y, x] += padded[:, at_y, at_x] @ kernel[row, column]
    return result


def whole_numbers(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Their sums are exact in float32 in any order."""
    return np.random.default_rng(seed).integers(-3, 4, shape).astype(np.float32)


def convolved(name: str, images: Any, kernel: Any, block: Block) -> jax.Array:
    """A lowering's convolution, with a bias of zeros."""
    convolve = lowering_of(name).convolution_of(block)
    return convolve(jnp.asarray(images), jnp.asarray(kernel), jnp.zeros(block.features), block)


@pytest.mark.parametrize(("padding", "dilation", "stride", "side"), CASES)
def test_every_lowering_convolves_as_plain_loops(
    padding: str, dilation: int, stride: int, side: int
) -> None:
    block = Block(4, side, stride, padding, 1, dilation=dilation)
    images, kernel = whole_numbers((2, 9, 9, 3), 0), whole_numbers((side, side, 3, 4), 1)
    expected = loops(images, kernel, block)
    for name in ("xla", "banded", "native"):
        got = convolved(name, images, kernel, block)
        np.testing.assert_array_equal(got, expected, err_msg=name)


@pytest.mark.parametrize(("padding", "dilation", "stride", "side"), CASES)
def test_products_have_the_gradients_of_xlas_own_operation(
    padding: str, dilation: int, stride: int, side: int
) -> None:
    block = Block(4, side, stride, padding, 1, dilation=dilation)
    inputs = whole_numbers((2, 9, 9, 3), 0), whole_numbers((side, side, 3, 4), 1)

    def gradients(convolve: Any) -> Any:
        outputs, pull_back = jax.vjp(lambda x, k: convolve(x, k, block), *map(jnp.asarray, inputs))
        return pull_back((jnp.arange(outputs.size) % 7 - 3.0).reshape(outputs.shape))

    theirs = gradients(convolution.convolve)
    for mine, their in zip(gradients(convolution.convolve_by_products), theirs, strict=True):
        np.testing.assert_array_equal(mine, their)


def test_a_lowering_that_does_not_know_a_field_leaves_it_to_the_stage() -> None:
    dense, dilated = (Block(4, 3, 1, "valid", 2, dilation=d) for d in (1, 2))
    for name, unknown in (("xla", ("dilation",)), ("banded", ("dilation",)), ("native", ())):
        assert lowering_of(name).unsupported(dense) == ()
        assert lowering_of(name).unsupported(dilated) == unknown


def test_dilation_widens_the_view_and_adds_no_parameters() -> None:
    plain, dilated = (summarize(NetworkSpec(dilation=d)) for d in (1, 3))
    assert dilated.layers[0].params == plain.layers[0].params
    assert dilated.layers[0].receptive_field == (7, 7)
    assert dilated.layers[0].output_shape == (22, 22, 8)
    assert dilated.layers[1].receptive_field == (13, 13)


def test_a_dense_kernel_is_the_spec_from_before_there_was_dilation() -> None:
    spec = TrialSpec(NetworkSpec(stride=2))
    assert "dilation" not in spec.to_json()["network"]
    same = TrialSpec(NetworkSpec(stride=2, dilation=(1, 1)))
    assert same.trial_id(0, "3.0.1") == spec.trial_id(0, "3.0.1")
    wider = TrialSpec(NetworkSpec(stride=2, dilation=(1, 2)))
    assert wider.to_json()["network"]["dilation"] == [1, 2]
    assert TrialSpec.from_json(wider.to_json()) == wider
    assert wider.trial_id(0, "3.0.1") != spec.trial_id(0, "3.0.1")


def test_a_dilation_that_does_not_fit_is_to_blame() -> None:
    with pytest.raises(FieldError) as refusal:
        NetworkSpec(dilation=(1, 13))
    assert str(refusal.value) == (
        "dilation=1,13: block 2 sees a 26x26 map, into which its 3x3 valid kernel of dilation 13 "
        "does not fit; allowed here: 1 to 12"
    )


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"groups": 3}, "groups=3: must divide the 1 input channels of block 1"),
        (
            {"groups": (1, 8), "features": (8, 12)},
            "groups=1,8: must divide the 12 features of block 2",
        ),
        (
            {"norm": "group", "norm_groups": 5},
            "norm_groups=5: must divide the 8 channels of block 1",
        ),
    ],
)
def test_groups_that_do_not_share_the_channels_are_refused(
    fields: dict[str, Any], says: str
) -> None:
    with pytest.raises(FieldError) as refusal:
        NetworkSpec(**fields)
    assert str(refusal.value) == says


@pytest.mark.parametrize(
    ("groups", "padding", "stride"), list(itertools.product((2, 4), ("valid", "same"), (1, 2)))
)
def test_groups_are_convolved_each_by_itself(groups: int, padding: str, stride: int) -> None:
    block = Block(8, 3, stride, padding, 1, dilation=2, groups=groups)
    single = Block(8 // groups, 3, stride, padding, 1, dilation=2)
    images, kernel = whole_numbers((2, 9, 9, 4), 0), whole_numbers((3, 3, 4 // groups, 8), 1)
    parts = zip(np.split(images, groups, -1), np.split(kernel, groups, -1), strict=True)
    expected = np.concatenate([loops(image, part, single) for image, part in parts], -1)
    for name in ("xla", "banded", "native"):
        got = convolved(name, images, kernel, block)
        np.testing.assert_array_equal(got, expected, err_msg=name)
