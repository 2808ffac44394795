"""One design as a study of one variant."""

from cnn_ablation.design import TrialSpec
from cnn_ablation.design.words import describe, short_name
from cnn_ablation.study.declaration import Question, Study, Variant


def study_of(spec: TrialSpec) -> Study:
    """The study that a single design is."""
    variant = Variant(short_name(spec), spec.network)
    return Study("cnn_ablation", describe(spec), (Question("design", "Design", (variant,)),))
