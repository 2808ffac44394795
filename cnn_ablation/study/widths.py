"""Networks brought to another's parameters or multiply-accumulates by their widths.

Parameters follow the hidden width, in a straight line. Multiply-accumulates are mostly those of
convolutions, so they are brought to a number by the blocks' `features`, scaled together; the hidden
layer stays as it is. Each arm so moves one part of a network: the first the head behind the maps,
the second the maps.
"""

import dataclasses
import math
from collections.abc import Iterator

from cnn_ablation.design import NetworkSpec
from cnn_ablation.design.summary import summarize
from cnn_ablation.errors import FieldError

# The share by which what is held equal may differ from the reference's.
TOLERANCE = 0.01
# How far from the common scale one block is moved, in its smallest steps, for another to make up.
_STEPS = range(-2, 3)
_MOST_SCALE = 2.0**20
Widths = tuple[int, ...]


def is_near(number: int, target: int) -> bool:
    """Whether a number is within the tolerance of the one that is held."""
    return abs(number - target) <= TOLERANCE * target


def with_params(network: NetworkSpec, target: int) -> NetworkSpec:
    """The network whose one hidden width brings its parameters nearest to a number.

    The number of parameters is linear in the width.
    """
    one, two = (summarize(network.replace(hidden=h)).params for h in (1, 2))
    return network.replace(hidden=max(1, round(1 + (target - one) / (two - one))))


def with_macs(network: NetworkSpec, target: int) -> NetworkSpec:
    """The network whose blocks' features bring its multiply-accumulates to a number.

    All features are scaled by the same factor and rounded; where that misses the number, single
    blocks are moved by some channels and another makes up for it. Of what comes within the
    tolerance, the widths nearest to one common factor are taken; of what does not, the nearest.
    Groups that follow the channels (a depthwise convolution) follow; others divide the features
    still.
    """
    return _Scaling.of(network, target).best()


@dataclasses.dataclass
class _Scaling:
    """Widths of a network's free blocks, counted in the steps that its groups allow.

    Attributes:
        network: the network.
        target: multiply-accumulates to come near to.
        follows: of each block how many features it has for each input channel where its groups
            follow these, else 0: its width is then free.
        steps: of each free block, by its number, the smallest change of its features.
        found: multiply-accumulates of widths that were tried; None of impossible ones.
    """

    network: NetworkSpec
    target: int
    follows: Widths
    steps: dict[int, int]
    found: dict[Widths, int | None] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(cls, network: NetworkSpec, target: int) -> "_Scaling":
        blocks, follows = network.blocks, []
        for before, block in zip((None, *blocks), blocks, strict=False):
            depthwise = before is not None and block.groups == before.features > 1
            follows.append(block.features // block.groups if depthwise else 0)
        steps: dict[int, int] = {}
        free, times = 0, 1
        for number, block in enumerate(blocks):
            if follows[number]:
                times *= follows[number]
            else:
                free, times = number, 1
                steps[free] = block.groups
            after = blocks[number + 1] if number + 1 < len(blocks) else None
            divide = [block.norm_groups] if block.norm == "group" else []
            divide += [after.groups] if after and not follows[number + 1] else []
            for count in divide:
                steps[free] = math.lcm(steps[free], count // math.gcd(count, times))
        return cls(network, target, tuple(follows), steps)

    def best(self) -> NetworkSpec:
        ends = self._around()
        tried = {widths for end in ends for widths in (end, *self._moved(end))}
        known = {w: macs for w in tried if (macs := self._macs(w)) is not None}
        near = {widths: macs for widths, macs in known.items() if is_near(macs, self.target)}
        if near:
            widths = min(near, key=lambda w: (self._departure(w), self._miss(near[w]), w))
        else:
            widths = min(known, key=lambda w: (self._miss(known[w]), w))
        made = self._make(widths)
        assert made is not None
        return made

    def _around(self) -> list[Widths]:
        """The last widths of a common factor below the number, and the first above it."""
        low, high = 0.0, 1.0
        while (self._macs(self._at(high)) or 0) < self.target and high < _MOST_SCALE:
            low, high = high, 2.0 * high
        for _ in range(60):
            middle = (low + high) / 2.0
            if (self._macs(self._at(middle)) or 0) < self.target:
                low = middle
            else:
                high = middle
        return [self._at(low), self._at(high)]

    def _at(self, scale: float) -> Widths:
        features = [block.features for block in self.network.blocks]
        return tuple(
            max(1, round(scale * features[number] / step)) for number, step in self.steps.items()
        )

    def _moved(self, widths: Widths) -> Iterator[Widths]:
        """Widths with one block moved by a few steps, and another one making up for it."""
        places = range(len(widths))
        for moved in places:
            for by in _STEPS if len(widths) > 1 else (0,):
                start = _with(widths, moved, widths[moved] + by)
                for other in places:
                    if len(widths) == 1 or other != moved:
                        yield from self._made_up(start, other)

    def _made_up(self, widths: Widths, place: int) -> Iterator[Widths]:
        """One block's width on either side of where the number would be met, nearly a line."""
        here, there = widths[place], widths[place] + 1
        macs = [self._macs(_with(widths, place, width)) for width in (here, there)]
        if macs[0] is None or macs[1] is None or macs[0] == macs[1]:
            return
        met = here + (self.target - macs[0]) / (macs[1] - macs[0])
        for width in (math.floor(met), math.ceil(met)):
            yield _with(widths, place, width)

    def _departure(self, widths: Widths) -> float:
        """How far the blocks' factors lie apart, as a logarithm."""
        blocks = self.network.blocks
        factors = [
            math.log(width * step / blocks[number].features)
            for width, (number, step) in zip(widths, self.steps.items(), strict=True)
        ]
        return max(factors) - min(factors)

    def _miss(self, macs: int) -> int:
        return abs(macs - self.target)

    def _macs(self, widths: Widths) -> int | None:
        if widths not in self.found:
            network = self._make(widths)
            self.found[widths] = None if network is None else summarize(network).macs
        return self.found[widths]

    def _make(self, widths: Widths) -> NetworkSpec | None:
        own = dict(zip(self.steps, widths, strict=True))
        features: list[int] = []
        groups = [block.groups for block in self.network.blocks]
        for number, times in enumerate(self.follows):
            if times:
                groups[number] = features[-1]
                features.append(times * features[-1])
            else:
                features.append(own[number] * self.steps[number])
        try:
            return self.network.replace(features=tuple(features), groups=tuple(groups))
        except FieldError:
            return None


def _with(widths: Widths, place: int, width: int) -> Widths:
    return (*widths[:place], max(1, width), *widths[place + 1 :])
