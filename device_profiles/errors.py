"""What is wrong with a profile. It knows nothing of terminals: the command line prints it."""


class ProfileError(ValueError):
    """A profile that cannot be used; the message names file, key and remedy."""

    exit_code = 2
