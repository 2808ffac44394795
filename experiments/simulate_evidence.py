"""The whole sequential procedure as studies run it, on worlds whose truth is known.

    python -m experiments.simulate_evidence > experiments/results/simulated_evidence.md

Trials are made up image by image: a design's chance to be right varies with the image, the seed and
both. Claims are judged by the function that judges studies, on bits, at declared looks, and every
design is trained as far as the study would train it. Families of several contrasts are chains of
designs. The tables are in experiments/results/simulated_evidence.md.

Axes of arrays: V variants, S seeds, I images.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence

import numpy as np
from absl import flags
from numpy.typing import NDArray

from cnn_ablation.claims import Claim, Schedule, Setting, Verdict, judge
from cnn_ablation.commands import entry
from cnn_ablation.display.text import markdown_table
from cnn_ablation.inference import SequentialDesign, judge_sequentially
from cnn_ablation.inference.crossed import Scope

FLAGS = flags.FLAGS
Bits = NDArray[np.bool_]

LOOKS = (10, 14, 20, 28, 40, 60)
# When a user of a study of fixed size looks, and adds seeds unless it is decided.
PEEKS = (10, 20, 40)
ENUMERATED = (8, 12, 16)
IMAGES = 400
SETTING = Setting("made up", 1, "", 0.0)
MAGNITUDES = {
    "all different": tuple(range(1, 17)),
    "all equal": (1,) * 16,
    "one in two zero": (0, 3) * 8,
    "one very large": (*(2, 3, 1, 2) * 3, 2, 3, 1, 200),
    "growing": tuple(2**k for k in range(16)),
}


@dataclasses.dataclass(frozen=True)
class World:
    """How a design's chance to be right varies: standard deviations of a chance of 0.8.

    Attributes:
        seed: between seeds of a design.
        image: between images, of a design's own strengths.
        noise: whether each seed answers each image by luck of its own, or all seeds alike.
    """

    seed: float
    image: float
    noise: bool = True

    def draw(self, rng: np.random.Generator, variants: int, seeds: int, gain: float = 0.0) -> Bits:
        """Which images are right, shape (V, S, I); each variant beats the next by a gain."""
        steps = gain * np.arange(variants)[::-1, None, None]
        of_seed = rng.normal(0.0, self.seed, (variants, seeds, 1)) if self.seed else 0.0
        of_image = rng.normal(0.0, self.image, (variants, 1, IMAGES)) if self.image else 0.0
        luck = rng.random((variants, seeds if self.noise else 1, IMAGES))
        return np.asarray(luck < 0.7 + steps + of_seed + of_image)


WORLDS = {
    "seeds and luck": World(0.01, 0.0),
    "seeds, images and luck": World(0.01, 0.2),
    "images alone differ": World(0.002, 0.3),
}


def claims_of(contrasts: int, scope: Scope) -> list[Claim]:
    """One claim a contrast of a chain: each variant is better than the next, in direction alone."""
    return [
        Claim(f"c{k}", "q", "", "test_accuracy", ((str(k), str(k + 1)),), margin=0.0, scope=scope)
        for k in range(contrasts)
    ]


def verdicts(bits_VSI: Bits, scope: Scope, looks: Sequence[int] = ()) -> list[Verdict]:
    """Judges a chain as studies are judged; without looks as a study of that many seeds."""
    variants, seeds, _ = bits_VSI.shape
    correct = {str(v): {s: bits_VSI[v, s] for s in range(seeds)} for v in range(variants)}
    table = {
        label: {seed: float(bits.mean()) for seed, bits in trials.items()}
        for label, trials in correct.items()
    }
    schedule = Schedule(SequentialDesign(tuple(looks)), tuple(range(looks[-1]))) if looks else None
    return judge(
        claims_of(variants - 1, scope),
        {"test_accuracy": table},
        SETTING,
        correct={"test_accuracy": correct},
        schedule=schedule,
        intervals=False,
    )


def trained(judged: Sequence[Verdict], looks: Sequence[int]) -> float:
    """Mean number of seeds a design is trained with: as far as its last contrast needs it."""
    needed = [0] * (len(judged) + 1)
    for number, verdict in enumerate(judged):
        stop = verdict.contrasts[0].stop
        units = looks[-1] if stop is None or stop.decided is None else stop.units
        needed[number] = max(needed[number], units)
        needed[number + 1] = units
    return float(np.mean(needed))


def studies(world: World, contrasts: int, replicates: int, gain: float = 0.0) -> Iterator[Bits]:
    """Bits of whole studies, the same for the same arguments."""
    for replicate in range(replicates):
        rng = np.random.default_rng([replicate, contrasts])
        yield world.draw(rng, contrasts + 1, LOOKS[-1], gain)


def enumeration_table() -> str:
    """False verdicts over all patterns of signs, for magnitudes as given: no sampling error."""
    design = SequentialDesign(ENUMERATED, grid=1.0)
    rows = [["magnitudes", "false 'holds', %", "false 'holds' or 'fails', %"]]
    for name, magnitudes in MAGNITUDES.items():
        found = {"holds": 0, "fails": 0, "open": 0}
        # The first sign may stand for both: the two outcomes swap.
        patterns = itertools.product((1, -1), repeat=len(magnitudes) - 1)
        for signs in patterns:
            values = np.array([magnitudes[0], *np.multiply(signs, magnitudes[1:])], dtype=float)
            (outcome,) = judge_sequentially([values], [0.0], design, intervals=False)
            found[outcome.outcome] += 1
        total = sum(found.values())
        both = 100.0 * (found["holds"] + found["fails"]) / total
        rows.append([name, f"{both / 2:.3f}", f"{both:.3f}"])
    return markdown_table(rows)


def null_table(replicates: int) -> str:
    """False verdicts of whole studies on new seeds and new images, where all designs are alike."""
    head = ["world", "contrasts", "false 'holds', %", "false verdict, %"]
    head += [
        "verdicts on these images, false on new ones, %",
        "a fixed study judged at 10, 20 and 40 seeds, %",
    ]
    rows = [head]
    for name, world in WORLDS.items():
        for contrasts in (1, 5):
            counts = np.zeros(4)
            for bits in studies(world, contrasts, replicates):
                judged = [v.outcome for v in verdicts(bits, "population", LOOKS)]
                on_these = [v.outcome for v in verdicts(bits, "benchmark", LOOKS)]
                counts += (
                    "holds" in judged,
                    bool({"holds", "fails"} & set(judged)),
                    bool({"holds", "fails"} & set(on_these)),
                    any(
                        v.outcome in ("holds", "fails")
                        for n in PEEKS
                        for v in verdicts(bits[:, :n], "population")
                    ),
                )
            rows.append([name, str(contrasts), *(f"{100 * c / replicates:.1f}" for c in counts)])
    return markdown_table(rows)


def power_table(replicates: int) -> str:
    """How many claims hold for new images and seeds a design took, beside fixed designs."""
    fixed = (20, 60)
    head = ["contrasts", "true difference, points", "sequential: holds, %", "seeds a design"]
    rows = [[*head, *(f"fixed {n}: holds, %" for n in fixed)]]
    world = World(0.01, 0.05)
    for contrasts in (1, 5):
        for gain in (0.005, 0.01, 0.02, 0.03):
            held, seeds = np.zeros(1 + len(fixed)), 0.0
            for bits in studies(world, contrasts, replicates, gain):
                judged = verdicts(bits, "population", LOOKS)
                seeds += trained(judged, LOOKS)
                every = [judged, *(verdicts(bits[:, :n], "population") for n in fixed)]
                held += [np.mean([v.outcome == "holds" for v in one]) for one in every]
            rates = [f"{100 * rate / replicates:.0f}" for rate in held]
            row = [str(contrasts), f"{100 * gain:g}", rates[0], f"{seeds / replicates:.1f}"]
            rows.append([*row, *rates[1:]])
    return markdown_table(rows)


def main() -> int:
    """Prints the tables."""
    replicates = FLAGS.evidence_replicates
    error = 100.0 * (0.05 * 0.95 / replicates) ** 0.5
    looks = ", ".join(map(str, LOOKS))
    print(
        "# Sequential studies that speak for new images\n\nMade by `python -m "
        f"experiments.simulate_evidence --evidence_replicates={replicates}`.\n"
    )
    print(
        f"Exact test, looks at {', '.join(map(str, ENUMERATED))} seeds: all 32,768 patterns of "
        f"signs (nominal: 2.5, 5).\n\n{enumeration_table()}\n"
    )
    print(
        f"Whole studies, looks at {looks} seeds, {IMAGES} images, {replicates} a row (nominal: "
        f"2.5, 5; standard error at 5 %: {error:.1f}). Designs are alike on new images and, where "
        f"images have a part, not on these {IMAGES}.\n\n{null_table(replicates)}\n"
    )
    few = max(1, replicates // 4)
    print(f"Power for new images, {few} studies a row.\n\n{power_table(few)}")
    return 0


if __name__ == "__main__":
    flags.DEFINE_integer(
        "evidence_replicates", 100, "studies a row", lower_bound=4, module_name="the simulation"
    )
    entry.run(main, __doc__ or "")
