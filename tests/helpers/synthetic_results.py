"""Invented results of real studies, as a report sees them: the same for the same arguments."""

import dataclasses
import json
import math
import zlib
from collections.abc import Callable, Sequence
from typing import cast

import numpy as np

from cnn_ablation.design import DataSpec, NetworkSpec, TrainingSpec, TrialSpec
from cnn_ablation.design.summary import summarize
from cnn_ablation.studies.notebook_claims import KERNEL_SIZE_CLAIMS, STRIDE_CLAIMS
from cnn_ablation.study import Published, Question, Study, Variant, add_controls
from cnn_ablation.study.plan import Plan
from cnn_ablation.study.results import StudyResults, Timing
from cnn_ablation.training.records import EpochRecord, Status, TrialRecord

ENVIRONMENT = {
    "cnn_ablation": "0.1.0",
    "git_revision": "0123456789abcdef0123456789abcdef01234567",
    "python": "3.11.9",
    "packages": {"jax": "0.10.2", "flax": "0.12.8", "numpy": "2.4.6"},
    "platform": "Linux-6.1-x86_64",
    "cpu_count": 2,
    "backend": "cpu",
    "device_kind": "cpu",
    "device_count": 1,
    "process_count": 1,
    "convolution": "native",
}
VERSION = "3.0.1"


def stride_study() -> Study:
    """Five strides with their control arm, and the claims that the notebook makes of them."""
    published = Published((2.2516, 2.1892), (0.1934, 0.1512), 31.4)
    variants = [
        Variant(f"s{s}", NetworkSpec(stride=s), published=published if s == 2 else None)
        for s in range(1, 6)
    ]
    question = Question("stride", "Stride", tuple(variants), STRIDE_CLAIMS, NetworkSpec())
    return add_controls(Study("stride", "What does the stride do?", (question,)))


def two_question_study() -> Study:
    """Stride and the notebook's six kernel sizes, which share their base design."""
    sizes = ((3, 3), (3, 5), (5, 5), (7, 3), (7, 9), (9, 9))
    published = Published((2.1822, 1.9683), (0.2749, 0.4876), 28.1)
    variants = tuple(
        Variant(f"k{a},{b}", NetworkSpec(kernel_size=(a, b)), published=published) for a, b in sizes
    )
    kernels = Question("kernel_size", "Kernel size", variants, KERNEL_SIZE_CLAIMS, NetworkSpec())
    study = add_controls(Study("notebook", "What do design choices really do?", (kernels,)))
    questions = (*study.questions, *stride_study().questions)
    return Study(study.name, study.title, questions)


def synthetic_results(
    study: Study,
    *,
    seeds: Sequence[int] = tuple(range(10)),
    epochs: int = 2,
    rounds: int = 7,
    data: DataSpec = DataSpec(),  # noqa: B008
    status_of: Callable[[int, int], str] = lambda design, seed: "completed",
) -> StudyResults:
    """Results in which smaller maps are a little less accurate and faster.

    Args:
        study: the declaration.
        seeds: the seeds asked for.
        epochs: epochs of each trial.
        rounds: rounds of the timing pass; 0 for none.
        data: the images.
        status_of: from the number of a design and a seed: `completed`, `diverged`, `failed` or
            `missing`.
    """
    plan = Plan(
        study=study,
        training=TrainingSpec(epochs=epochs),
        data=data,
        dataset_version=VERSION,
        fingerprint="0123456789abcdef",
        lowering="native",
        seeds=tuple(seeds),
        environment=ENVIRONMENT,
    )
    trials, timings = [], []
    for number, spec in enumerate(plan.designs):
        for seed in seeds:
            status = status_of(number, seed)
            if status != "missing":
                trials.append(_trial(spec, seed, status))
        timings += [_timing(spec, number) for number in range(1, rounds + 1)]
    return StudyResults(plan, tuple(trials), tuple(timings))


def _draws(spec: TrialSpec, seed: int) -> np.random.Generator:
    """Random numbers of one design and seed, the same whatever fields a spec may gain."""
    name = json.dumps(spec.network.to_json(), sort_keys=True)
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def _trial(spec: TrialSpec, seed: int, status: str) -> TrialRecord:
    rng = _draws(spec, seed)
    shared = np.random.default_rng(seed).normal(0, 0.0008)
    reached = 0.9925 - 0.01 / math.log10(summarize(spec.network).macs / 100)
    epochs_of = {"completed": spec.training.epochs, "diverged": spec.training.epochs // 2}
    epochs = []
    for epoch in range(1, epochs_of.get(status, 0) + 1):
        error = (1 - reached) * (1 + 3 / epoch) + shared + abs(rng.normal(0, 0.0008))
        epochs.append(_epoch(epoch, float(error), _seconds(spec.network)))
    message = "MemoryError: 3.2 GiB for 60,000 images" if status == "failed" else None
    return TrialRecord(spec, seed, cast(Status, status), tuple(epochs), message)


def _epoch(number: int, error: float, seconds: float) -> EpochRecord:
    correct = 1 - round(error * 10_000) / 10_000
    return EpochRecord(
        epoch=number,
        train_loss=3.4 * error,
        train_accuracy=1 - 1.2 * error,
        test_loss=3.1 * error,
        test_accuracy=correct,
        train_seconds=seconds * 1.4,
        eval_seconds=seconds / 20,
    )


def _seconds(network: NetworkSpec) -> float:
    return 0.3 + summarize(network).macs / 2.4e5


def _timing(spec: TrialSpec, number: int) -> Timing:
    rng = _draws(spec, number)
    seconds = _seconds(spec.network) * (1 + abs(float(rng.normal(0, 0.02))))
    return Timing(spec, number, seconds, seconds / 25)


def relabelled(study: Study, label: str) -> Study:
    """The study with its title, its first question and that question's first variant renamed."""
    question = study.questions[0]
    old = question.variants[0].label

    def renamed(name: str) -> str:
        return label if name == old else name

    variants = tuple(
        dataclasses.replace(
            v, label=renamed(v.label), control_of=v.control_of and renamed(v.control_of)
        )
        for v in question.variants
    )
    claims = tuple(
        dataclasses.replace(
            claim, text=label, contrasts=tuple((renamed(a), renamed(b)) for a, b in claim.contrasts)
        )
        for claim in question.claims
    )
    first = dataclasses.replace(question, title=label, variants=variants, claims=claims)
    return Study(study.name, label, (first, *study.questions[1:]))
