"""Messages stay one line, and tell no password."""

import pytest

from cnn_ablation.errors import FieldError, InputError


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a\nb\r\x1b[31m", r"a\nb\r\x1b[31m"),
        ("\u2028\u202e\x85", r"\u2028\u202e\x85"),
        ("ä 図 é", "ä 図 é"),
        ("postgresql://me:secret@host/db", "postgresql://me:***@host/db"),
        ("http://me:se:cr/e@t@host:5000", "http://me:***@host:5000"),
        ("https://host/x?password=secret&a=1", "https://host/x?password=***&a=1"),
        ("http://host:5000/x", "http://host:5000/x"),
    ],
)
def test_a_value_is_shown_in_one_line_without_its_password(value: str, shown: str) -> None:
    assert str(InputError(f"--mlflow={value}: no")) == f"--mlflow={shown}: no"
    assert str(FieldError("mlflow", value, "no")) == f"mlflow={shown}: no"
