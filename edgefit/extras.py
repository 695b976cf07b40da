"""Whether an extra's packages are installed, from edgefit's metadata. It imports none of them."""

from bench.errors import MissingRuntimeError


def require_extra(extra: str, command: str) -> None:
    """Raise MissingRuntimeError, with the install command, if packages of an extra are missing."""
    from bench.install_command import install_command, missing_packages

    if missing := missing_packages(extra):
        raise MissingRuntimeError(
            f"{command} needs packages that are missing: {', '.join(missing)}; install them with: "
            f"{install_command(extra)}"
        )
