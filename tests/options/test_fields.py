"""Fields that declare themselves, and registries that may grow."""

import dataclasses
from typing import Any

import pytest

from cnn_ablation.errors import FieldError, InputError
from cnn_ablation.options import NUMBER, Registry, declared, option, validate
from cnn_ablation.options.fields import to_json


@dataclasses.dataclass(frozen=True)
class Knobs:
    """One field of each kind."""

    count: int = option(3, "how many", least=1)
    share: float = option(0.5, "which share", least=0, below=1)
    rate: float | None = option(None, "how fast", kind=NUMBER, above=0, optional=True)
    name: str = option("a", "which", choices=("a", "b"))
    fast: bool = option(False, "whether it is fast", absent=False)
    sizes: tuple[int, ...] = option((1, 2), "how large", shape="several", least=0)
    each: int | tuple[int, ...] = option(1, "per block", shape="per_block", absent=1)

    def __post_init__(self) -> None:
        validate(self)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("count", " 7", 7),
        ("share", "0.25", 0.25),
        ("fast", "false", False),
        ("fast", "Yes", True),
        ("sizes", "1", (1,)),
        ("sizes", "1,2", (1, 2)),
        ("each", "3", 3),
        ("each", "3,4", (3, 4)),
    ],
)
def test_text_is_read_as_the_field_says(name: str, text: str, value: Any) -> None:
    assert declared(Knobs)[name].read(text) == value


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("count", "1.5", "must be a whole number"),
        ("share", "x", "must be a number"),
        ("fast", "maybe", "must be true or false"),
        ("sizes", "1,,2", "must be a whole number"),
    ],
)
def test_text_that_is_none_says_what_must_be(name: str, text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        declared(Knobs)[name].read(text)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"count": 0}, "count=0: must be a whole number of 1 or more"),
        ({"count": True}, "count=True: must be a whole number of 1 or more"),
        ({"share": 1.0}, "share=1.0: must be a number from 0 to below 1"),
        ({"share": float("nan")}, "share=nan: must be a number from 0 to below 1"),
        ({"rate": 0}, "rate=0: must be a number above 0"),
        ({"name": "c"}, "name=c: must be a or b"),
        ({"fast": "false"}, "fast=false: must be true or false"),
        ({"sizes": ()}, "sizes=: must be a whole number of 0 or more"),
        ({"sizes": (1, -1)}, "sizes=1,-1: must be a whole number of 0 or more"),
        ({"count": (1, 2)}, "count=1,2: must be a whole number of 1 or more"),
    ],
)
def test_a_value_that_is_not_allowed_names_field_value_and_what_is(
    fields: dict[str, Any], says: str
) -> None:
    with pytest.raises(FieldError) as refusal:
        Knobs(**fields)
    assert str(refusal.value) == says


def test_what_stands_for_absence_is_left_out_of_json() -> None:
    knobs = Knobs(each=(1, 1), sizes=(5,))
    document = to_json(vars(knobs), declared(Knobs))
    assert "fast" not in document and "each" not in document
    assert document["sizes"] == [5]
    assert to_json(vars(Knobs(each=(1, 2))), declared(Knobs))["each"] == [1, 2]


def test_whole_numbers_are_numbers_and_kept_as_such() -> None:
    assert Knobs(rate=2).rate == 2.0
    assert isinstance(Knobs(rate=2).rate, float)


def test_a_registry_takes_a_users_choice_and_none_of_the_packages_names() -> None:
    registry: Registry[Any] = Registry("colour")
    try:
        registry.add("red", Registry.find)  # stands for one of the package's own

        @registry.register("blue")
        def blue() -> None: ...

        assert list(registry) == ["red", "blue"]
        assert registry.users() == {"blue": blue}
        registry.register("blue")(blue)
        with pytest.raises(InputError, match="colour 'red': is there already"):
            registry.register("red")
        with pytest.raises(InputError, match="lower-case letters"):
            registry.register("Light Blue")
        with pytest.raises(
            InputError, match=r"colour=bleu: must be red, blue; did you mean blue\?"
        ):
            registry.find("bleu")
    finally:
        Registry.all.remove(registry)
