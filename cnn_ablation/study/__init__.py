"""What a study is: declared, planned, kept in a folder, judged. Nothing here trains.

`declaration` says what is compared, `checks` finds its mistakes, `plan` fixes it, `store` keeps
what trials left, `results` is what is read back, and `verdicts` judges it.
"""

from cnn_ablation.study.arms import add_arms, add_controls
from cnn_ablation.study.controls import with_controls
from cnn_ablation.study.declaration import (
    Published,
    Question,
    Study,
    Variant,
    fit_images,
    grid,
    one_axis,
)
from cnn_ablation.study.tuning import Tuning

__all__ = [
    "Published",
    "Question",
    "Study",
    "Tuning",
    "Variant",
    "add_arms",
    "add_controls",
    "fit_images",
    "grid",
    "one_axis",
    "with_controls",
]
