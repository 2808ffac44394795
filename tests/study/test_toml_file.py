"""Studies in TOML: the same declarations as in Python, and every mistake named by its key."""

import pytest

from cnn_ablation.claims import Claim, chain
from cnn_ablation.design import DataSpec, NetworkSpec, TrainingSpec
from cnn_ablation.errors import InputError
from cnn_ablation.study import Question, Study, Variant, grid, one_axis
from cnn_ablation.study.toml_file import parse_study

TOP = 'name = "s"\n'
ASKED = '[[question]]\nname = "q"\naxes.stride = [1, 2]\n'
WHOLE = """
name = "norm"
title = "Does batch norm help?"
description = "With either optimizer."
looks = [10, 14, 20]
level = 0.01
map_over = { epochs = [1, 2] }
spending = "linear"

[network]
stride = 2

[training]
epochs = 3
augment = ["shift"]

[data]
dataset = "./photos"
image_size = 32

[run]
seed = 5
num_seeds = "10..20"

[[question]]
name = "norm"
title = "Batch norm"
reference = true
axes.optimizer = ["adadelta", "adam"]
axes.norm = ["none", "batch"]

[[question.claim]]
name = "better"
text = "batch norm is more accurate"
metric = "test_accuracy"
margin = 0.002
contrasts = [["optimizer=adam norm=batch", "optimizer=adam norm=none"]]

[[question]]
name = "width"
network.features = [4, 8]
reference = { hidden = 34 }

[[question.variant]]
label = "plain"

[[question.variant]]
label = "wide, few images"
features = [16, 32]
optimizer = "sgd"
momentum = 0.9
train_fraction = 0.1

[[question.claim]]
name = "more"
text = "wider is more parameters"
metric = "params"
order = ["wide, few images", "plain"]
expected = "holds"
"""


def test_it_is_the_declaration_that_python_makes() -> None:
    base = NetworkSpec(stride=2)
    better = Claim(
        "better",
        "norm",
        "batch norm is more accurate",
        "test_accuracy",
        (("optimizer=adam norm=batch", "optimizer=adam norm=none"),),
        margin=0.002,
    )
    axes = {"optimizer": ("adadelta", "adam"), "norm": ("none", "batch")}
    narrow = base.replace(features=(4, 8))
    wide = Variant(
        "wide, few images",
        narrow.replace(features=(16, 32)),
        training={"optimizer": "sgd", "momentum": 0.9},
        data={"train_fraction": 0.1},
    )
    more = Claim(
        "more",
        "width",
        "wider is more parameters",
        "params",
        chain("wide, few images", "plain"),
        kind="exact",
        expected="holds",
    )
    questions = (
        Question("norm", "Batch norm", grid(base, axes), (better,), base),
        Question(
            "width", "width", (Variant("plain", narrow), wide), (more,), narrow.replace(hidden=34)
        ),
    )
    found = parse_study(WHOLE)
    assert found.study == Study(
        "norm",
        "Does batch norm help?",
        questions,
        (10, 14, 20),
        level=0.01,
        map_over={"epochs": (1, 2)},
    )
    assert found.training == TrainingSpec(epochs=3, augment=("shift",))
    assert found.data == DataSpec("./photos", image_size=(32,))
    assert found.run == {"seed": 5, "num_seeds": "10..20"}
    assert found.description == "With either optimizer."


def test_the_shortest_file() -> None:
    found = parse_study(TOP + ASKED)
    variants = one_axis(NetworkSpec(), "stride", (1, 2))
    assert found.study == Study("s", "s", (Question("q", "q", variants),))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name = ", "is no TOML"),
        ("", "name: is missing"),
        (TOP, "question: is missing"),
        (f"{TOP}question = []", "question: is empty"),
        (f"{TOP}question = [1]", "question: must be tables, each under [[question]]"),
        (f"{TOP}titel = 'x'\n{ASKED}", "titel: unknown; did you mean title?"),
        (f"{TOP}title = 3\n{ASKED}", "title = 3: must be a text"),
        (f"name = 'a/b'\n{ASKED}", "a name is letters"),
        (f"{TOP}level = 2.0\n{ASKED}", "level=2.0: must lie between"),
        (f"{TOP}map_over.pool = [2]\n{ASKED}", "map_over.pool: must be a field of training"),
        (f"{TOP}map_over.epochs = 2\n{ASKED}", "map_over.epochs: must be a list"),
        (f"{TOP}looks = [3, 2]\n{ASKED}", "study s: "),
        (f"{TOP}[network]\nstrid = 2\n{ASKED}", "network: strid: unknown; did you mean stride?"),
        (f"{TOP}[network]\nstride = 0\n{ASKED}", "network: stride=0: must be a whole number"),
        (f"{TOP}[network]\nclasses = 3\n{ASKED}", "network: classes: unknown"),
        (f"{TOP}[training]\nepochs = 0\n{ASKED}", "training: epochs=0: must be"),
        (f"{TOP}[training]\nmomentum = 0.9\n{ASKED}", "training: momentum=0.9: means nothing"),
        (f"{TOP}[data]\nimage_size = 'x'\n{ASKED}", "data: image_size=x: must be"),
        (f"{TOP}[[question]]\nname = 'q'", "question q: must have axes, or one"),
        (f"{TOP}[[question]]\naxes.stride = [1]", "question 1: name: is missing"),
        (f"{TOP}{ASKED}axes.pool = 2", "question q: axes.pool: must be a list"),
        (f"{TOP}{ASKED}axes.pol = [2]", "question q: axes: pol: not a field"),
        (f"{TOP}{ASKED}reference = 3", "question q: reference = 3: must be true or false or a tab"),
        (f"{TOP}{ASKED}[[question.variant]]\nstride = 2", "question q: variant: label: must be"),
        (
            f"{TOP}{ASKED}[[question.variant]]\nlabel = 'a'\nstrid = 2",
            "question q: variant a: strid: not a field",
        ),
        (f"{TOP}{ASKED}[[question.claim]]\nname = 'c'", "question q: claim c: text: is missing"),
        (
            f"{TOP}{ASKED}[[question.claim]]\nname='c'\ntext='t'\nmetric='m'",
            "claim c: must have either contrasts or order",
        ),
        (
            f"{TOP}{ASKED}[[question.claim]]\nname='c'\ntext='t'\nmetric='m'\norder=['a']",
            "claim c: order: must be two labels",
        ),
        (
            f"{TOP}{ASKED}[[question.claim]]\nname='c'\ntext='t'\nmetric='m'\ncontrasts=['a','b']",
            "claim c: contrasts: must be pairs",
        ),
        (
            f"{TOP}{ASKED}[[question.claim]]\nname='c'\ntext='t'\nmetric='m'\norder=['a','b']\n"
            "margin=true",
            "claim c: margin = True: must be a whole number or a number",
        ),
        (
            f"{TOP}{ASKED}[[question.claim]]\nname='c'\ntext='t'\nmetric='m'\norder=['a','b']\n"
            "direction='up'",
            "direction 'up' is not one of",
        ),
    ],
)
def test_a_mistake_is_named_by_its_key(text: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_study(text)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
