"""The notebook's conclusions: complete, well formed, and its facts true."""

import json
from pathlib import Path

from cnn_ablation.claims import Setting, judge, prospects_of
from cnn_ablation.studies.notebook_claims import CLAIMS_BY_QUESTION, NOTEBOOK_CLAIMS

RESULTS = Path(__file__).parents[2] / "cnn_ablation" / "studies" / "notebook_results.json"
AS_PUBLISHED = Setting("mnist", 2, "adadelta", 0.001)
AS_PROPOSED = Setting("mnist", 20, "adadelta", 0.001)


def published_params() -> dict[str, dict[int, int]]:
    """Parameter counts by variant label, from the notebook's own output."""
    rows = json.loads(RESULTS.read_text())["rows"]
    counts = {"pool none": rows[0]["params"]}
    for row in rows:
        first, second = row["kernel_sizes"]
        label = {
            "kernel_size": f"k{first},{second}",
            "stride": f"s{row['strides'][0]}",
            "padding": ",".join(row["padding"]),
            "pooling": f"pool {row['pool']}",
        }[row["part"]]
        counts[label] = row["params"]
    return {label: {0: count} for label, count in counts.items()}


def test_every_conclusion_is_there() -> None:
    assert len(NOTEBOOK_CLAIMS) == 14
    assert {question: len(claims) for question, claims in CLAIMS_BY_QUESTION.items()} == {
        "kernel_size": 4,
        "stride": 4,
        "padding": 3,
        "pooling": 3,
    }
    for question, claims in CLAIMS_BY_QUESTION.items():
        assert {claim.question for claim in claims} == {question}
        assert [claim.metric for claim in claims].count("params") == 1


def test_every_contrast_names_a_design_of_the_notebook() -> None:
    labels = set(published_params())
    named = {label for claim in NOTEBOOK_CLAIMS for pair in claim.contrasts for label in pair}
    assert len(labels) == 18
    assert named == labels


def test_parameter_claims_are_facts_and_the_only_expectations() -> None:
    verdicts = judge(NOTEBOOK_CLAIMS, {"params": published_params()}, AS_PUBLISHED)
    for verdict in verdicts:
        exact = verdict.claim.kind == "exact"
        assert verdict.outcome == ("holds" if exact else "not judged")
        assert (verdict.claim.expected == "holds") == exact


def test_families_are_small_enough_for_ten_seeds() -> None:
    for setting, sizes in ((AS_PUBLISHED, [11, 8, 4, 5]), (AS_PROPOSED, [14, 8, 4, 5])):
        plans = prospects_of(NOTEBOOK_CLAIMS, setting, seeds=10, rounds=10)
        assert all(family.can_decide for family in plans)
        assert [f.family_size for f in plans if f.kind == "paired"] == sizes
    assert not any(p.can_decide for p in prospects_of(NOTEBOOK_CLAIMS, AS_PUBLISHED, seeds=5))


def test_longer_training_claims_wait_for_twenty_epochs() -> None:
    waiting = [c.name for c in NOTEBOOK_CLAIMS if not c.applies(AS_PUBLISHED)]
    assert waiting == ["kernel-longer", "stride-longer"]
    assert all(c.applies(AS_PROPOSED) for c in NOTEBOOK_CLAIMS)


def test_larger_kernels_are_ranked_only_where_they_can_be() -> None:
    (claim,) = [c for c in NOTEBOOK_CLAIMS if c.name == "kernel-time"]
    for larger, smaller in claim.contrasts:
        sizes = [[int(k) for k in label[1:].split(",")] for label in (larger, smaller)]
        assert all(a >= b for a, b in zip(*sizes, strict=True))
        assert sizes[0] != sizes[1]
