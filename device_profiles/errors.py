"""The error of this package. The command line prints it."""


class ProfileError(ValueError):
    """A profile that cannot be used. The message names the file, the key and the remedy."""

    exit_code = 2
