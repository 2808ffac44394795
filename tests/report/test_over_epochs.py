"""Contrasts over the epochs: the right differences, in the right figures."""

import numpy as np
import pytest
from synthetic_results import stride_study, synthetic_results

from cnn_ablation.inference import simultaneous_band
from cnn_ablation.report.content import compose
from cnn_ablation.report.over_epochs import difference_curves, over_epochs_chart
from cnn_ablation.study.verdicts import judge_results


def test_a_curve_is_the_band_of_the_shared_seeds() -> None:
    results = synthetic_results(
        stride_study(),
        epochs=4,
        status_of=lambda d, s: "diverged" if (d, s) == (1, 3) else "completed",
    )
    question, verdicts = results.study.questions[0], judge_results(results)
    curves = difference_curves(results, question, verdicts)
    curve = next(one for one in curves if (one.a, one.b) == ("s1", "s2"))
    trials = {
        v.label: {t.seed: t for t in results.trials_of(v) if t.status == "completed"}
        for v in question.variants
    }
    seeds = sorted(trials["s1"].keys() & trials["s2"].keys())
    assert 3 not in seeds
    values = [
        [a.test_accuracy - b.test_accuracy for a, b in zip(x.epochs, y.epochs, strict=True)]
        for x, y in ((trials["s1"][seed], trials["s2"][seed]) for seed in seeds)
    ]
    family = next(v.family_size for v in verdicts if ("s1", "s2") in v.claim.contrasts)
    band = simultaneous_band(np.array(values), 0.05 / family)
    assert band is not None
    assert curve.band.low == pytest.approx(band.low)
    assert len(curve.band.mean) == 4


def test_the_last_epoch_s_mean_is_the_verdict_s() -> None:
    results = synthetic_results(stride_study(), epochs=3)
    verdicts = judge_results(results)
    curves = difference_curves(results, results.study.questions[0], verdicts)
    found = {(c.a, c.b): c.band.mean[-1] for c in curves}
    for verdict in verdicts:
        for one in verdict.contrasts:
            accuracy = verdict.claim.metric == "test_accuracy" and one.against is None
            if accuracy and one.difference is not None:
                assert found[one.contrast] == pytest.approx(one.difference, abs=1e-9)


@pytest.mark.parametrize(("seeds", "epochs"), [(10, 1), (1, 3)])
def test_without_a_course_or_a_spread_there_is_none(seeds: int, epochs: int) -> None:
    results = synthetic_results(stride_study(), seeds=range(seeds), epochs=epochs)
    question = results.study.questions[0]
    assert over_epochs_chart("name", results, question, judge_results(results)) is None


def test_a_page_folds_away_the_course_of_two_epochs() -> None:
    shown = []
    for epochs in (2, 3):
        (section,) = compose(synthetic_results(stride_study(), epochs=epochs)).sections
        chart = section.main.over_epochs
        assert chart is not None and chart in section.main.files()
        shown.append(len(chart.shown))
    assert shown == [0, 1]
