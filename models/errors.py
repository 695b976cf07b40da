"""The error for what a user did wrong in models/.

It knows no terminal: the command line prints the message.
"""


class InputError(ValueError):
    """Data, weights or options that cannot be used. The message names the file, the value and the remedy."""

    exit_code = 2
