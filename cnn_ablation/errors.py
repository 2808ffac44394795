"""The one exception that stands for a mistake in what the user gave us."""


class InputError(ValueError):
    """Bad input: the message is one line naming the flag or file, the value and what is allowed.

    Entry points print the message without a traceback and exit with code 2.
    """
