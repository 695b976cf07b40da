"""Installs packages into this environment for `make`: with uv if there is one, else with pip.

    python tests/making/installing.py [--editable '.[all]' …]

The arguments are those of `pip install`. uv fetches and unpacks in parallel, in less than half of pip's
time. It does not read pip's settings, so they are handed to it; if one of them cannot be, pip installs.
Neither compiles all modules, unless PYTHONDONTWRITEBYTECODE is set: else Python compiles and keeps those
that are imported. Only the standard library is used here.
"""

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_CONSTRAINTS = ("--constraint", "constraints.txt")
# The order of precedence, the strongest last. The sections of other commands say nothing on installing.
_SECTIONS = ("global", "install", ":env:")
# Of several indexes pip takes the best version; uv would take the first index that has the package at all.
_LIKE_PIP = ("--index-strategy", "unsafe-best-match")
_TRUE = ("1", "true", "yes", "on")
_OPTIONS = {
    "extra-index-url": "--extra-index-url",
    "find-links": "--find-links",
    "constraint": "--constraint",
    "trusted-host": "--allow-insecure-host",
}
_VARIABLES = {
    "cert": ("SSL_CERT_FILE",),
    "client-cert": ("SSL_CLIENT_CERT",),
    "proxy": ("HTTP_PROXY", "HTTPS_PROXY"),
    "timeout": ("UV_HTTP_TIMEOUT",),
    "default-timeout": ("UV_HTTP_TIMEOUT",),
}
# These change neither what is installed nor where from.
_HARMLESS = {
    "cache-dir",
    "compile",
    "config-file",  # what it says is listed
    "disable-pip-version-check",
    "log",
    "no-cache-dir",
    "no-color",
    "no-compile",
    "no-input",
    "no-warn-script-location",
    "progress-bar",
    "quiet",
    "require-virtualenv",
    "retries",
    "root-user-action",
    "verbose",
}


@dataclass(frozen=True)
class ForUv:
    """What uv has to be told to install as pip would."""

    options: tuple[str, ...] = ()
    """Options of the command line."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Variables of the environment."""
    unknown: tuple[str, ...] = ()
    """The settings that uv cannot be told."""


def settings_of(listed: str) -> dict[str, str]:
    """Return pip's settings for installing, of what `pip config list` printed."""
    found: dict[str, dict[str, str]] = {section: {} for section in _SECTIONS}
    for line in listed.splitlines():
        key, equals, value = line.partition("=")
        section, _, name = key.rpartition(".")
        if equals and section in found:
            found[section][name] = str(ast.literal_eval(value))
    return {name: value for section in _SECTIONS for name, value in found[section].items()}


def for_uv(settings: Mapping[str, str], arguments: Sequence[str]) -> ForUv:
    """Return what uv has to be told. An index in the arguments takes the place of the settings' own."""
    options: list[str] = []
    variables: dict[str, str] = {}
    unknown: list[str] = []
    for name, value in settings.items():
        if name == "index-url":
            options += [] if "--index-url" in arguments else ["--index-url", value]
        elif name == "no-index":
            options += ["--no-index"] if value.lower() in _TRUE else []
        elif name in _OPTIONS:
            options += [word for each in value.split() for word in (_OPTIONS[name], each)]
        elif name in _VARIABLES:
            variables |= dict.fromkeys(_VARIABLES[name], value)
        elif name not in _HARMLESS:
            unknown.append(name)
    if settings.keys() & {"extra-index-url", "find-links"}:
        options += _LIKE_PIP
    return ForUv(tuple(options), variables, tuple(unknown))


def main(arguments: Sequence[str], uv: str | None) -> int:
    """Install. `uv`: its path, None for pip. Return the exit code of the one that installed."""
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    if uv is not None:
        listed = subprocess.run((*pip, "config", "list"), check=True, capture_output=True, text=True).stdout
        told = for_uv(settings_of(listed), arguments)
        if not told.unknown:
            here = (
                "--quiet",
                "--python",
                sys.executable,
                *compiling("--compile-bytecode", None),
                *_CONSTRAINTS,
            )
            return _run((uv, "pip", "install", *here, *told.options, *arguments), told.variables)
        print(f"make: pip installs: uv cannot be told pip's setting {', '.join(told.unknown)}", flush=True)
    compiled = compiling(None, "--no-compile")
    return _run((*pip, "install", "--quiet", *compiled, *_CONSTRAINTS, *arguments), {})


def compiling(do: str | None, do_not: str | None) -> tuple[str, ...]:
    """Return the option that compiles all modules where Python is told not to keep what it compiles."""
    option = do if sys.dont_write_bytecode else do_not
    return () if option is None else (option,)


def _run(command: Sequence[str], variables: Mapping[str, str]) -> int:
    return subprocess.run(command, env={**os.environ, **variables}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], shutil.which(os.environ.get("UV", "uv"))))
