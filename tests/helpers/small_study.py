"""A study of seconds: two tiny designs on a few hundred images. Also a script, as a user's own is.

Real designs would do no better here: what is tested is what becomes of trials, not the trials.
"""

from cnn_ablation import study_command
from cnn_ablation.claims import Claim
from cnn_ablation.design import DataSpec, NetworkSpec, TrainingSpec
from cnn_ablation.study import Question, Study, one_axis

# Long sums to a few units are where the number of XLA's threads shows in the last bits.
BASE = NetworkSpec(features=(2, 8), hidden=4)
DATA = DataSpec(train_split="train[:256]", test_split="test[:200]")
TRAINING = TrainingSpec(epochs=2)
FEWER = Claim(
    name="fewer",
    question="width",
    text="fewer hidden units mean fewer parameters",
    metric="params",
    contrasts=(("hidden=4", "hidden=6"),),
    direction="smaller",
    kind="exact",
    expected="holds",
)
BETTER = Claim(
    name="better",
    question="width",
    text="more hidden units are more accurate",
    metric="test_accuracy",
    contrasts=(("hidden=6", "hidden=4"),),
)


def question(*widths: int) -> Question:
    return Question("width", "Width", one_axis(BASE, "hidden", widths), (FEWER, BETTER))


def study(*widths: int) -> Study:
    return Study("small", "Does the width matter?", (question(*widths),))


if __name__ == "__main__":
    study_command.run(study(4, 6), __doc__)
