"""The exceptions that stand for a mistake in what the user gave us."""


class InputError(ValueError):
    """Bad input: the message is one line naming the flag or file, the value and what is allowed.

    Entry points print the message without a traceback and exit with code 2.
    """


class FieldError(InputError):
    """A field of a spec has a value that is not allowed.

    Attributes:
        field: the field's name, which is also its flag's name.
        value: the value that was given.
        allowed: what would have been allowed, in words.
    """

    def __init__(self, field: str, value: object, allowed: str) -> None:
        self.field, self.value, self.allowed = field, value, allowed
        super().__init__(f"{field}={as_typed(value)}: {allowed}")


def as_typed(value: object) -> str:
    """Writes a value as a user types it after `--flag=`: 3,5 rather than (3, 5), 3 for (3, 3)."""
    if isinstance(value, (tuple, list)):
        if len(set(value)) == 1:
            return str(value[0])
        return ",".join(str(item) for item in value)
    return str(value)
