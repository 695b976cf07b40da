"""What a user did wrong, told by models/. It knows nothing of terminals: the command line prints it."""


class InputError(ValueError):
    """Data, weights or options that cannot be used; the message names file, value and remedy."""

    exit_code = 2
