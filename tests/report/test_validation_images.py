"""Reports of studies that are evaluated on validation images."""

import re
from pathlib import Path

from synthetic_results import stride_study, synthetic_results

from cnn_ablation.claims import unit_of
from cnn_ablation.design import DataSpec
from cnn_ablation.report import answers, write_effects, write_report


def test_a_study_evaluated_on_validation_images_says_so_everywhere(tmp_path: Path) -> None:
    data = DataSpec(validation=0.2)
    results = synthetic_results(stride_study(), seeds=range(3), rounds=1, data=data)
    page = write_report(results, tmp_path)
    said = [page.read_text(), (tmp_path / "report.md").read_text()]
    said += [path.read_text() for path in (tmp_path / "figures").glob("*.svg")]
    for text in said:
        # The claims are the notebook's, and speak of what it calls so.
        assert not re.search(r"test[ \n]+(accuracy|loss)", text, re.IGNORECASE)
    assert all(sum(word in text for text in said) > 3 for word in ("validation", "accuracy"))
    write_effects([results], tmp_path / "effects.svg")
    assert "points of validation accuracy" in (tmp_path / "effects.svg").read_text()
    assert "Validation accuracy" in answers(results)[0].figures["tradeoff"].chart.panels[0].alt
    assert unit_of("test_accuracy").label == "test accuracy"
