"""What to say of a model file that its runtime did not load: what it needs that the runtime lacks. Pure."""

import re
from collections.abc import Callable
from pathlib import Path

from bench.errors import BenchError, InputError, MissingRuntimeError, first_sentence

_Match = re.Match[str]


def load_error(path: Path, runtime: str, message: str) -> BenchError:
    """Return the error for a model that `runtime`, a name and version, refused with `message`.

    It is a MissingRuntimeError where another version or another build of the runtime could load the file.
    """
    for pattern, sentence in _MISSING:
        if match := pattern.search(message):
            return MissingRuntimeError(f"{path} {sentence(match, runtime)}")
    if match := _NO_SUCH_OPERATOR.search(message):
        operator, opset = match.groups()
        return InputError(
            f"{path} uses the operator {operator}, which ONNX does not have in operator set {opset}; correct "
            "the operator or the operator set, and export the model again"
        )
    return InputError(
        f"{path} cannot be loaded by {runtime} ({first_sentence(message)}); check that the file is whole, "
        "and that this version is new enough for it"
    )


def _opset(match: _Match, runtime: str) -> str:
    opset, domain, most = match.groups()
    return (
        f"is written for operator set {opset} of {domain}, and {runtime} supports up to {most}; install a "
        f"newer one, or export the model for operator set {most}"
    )


def _ir_version(match: _Match, runtime: str) -> str:
    version, most = match.groups()
    return (
        f"is written in version {version} of the ONNX format, and {runtime} reads up to {most}; install a "
        f"newer one, or export the model with an onnx package that writes version {most}"
    )


def _operator(match: _Match, runtime: str) -> str:
    return (
        f"uses the operator {match[1]}, which {runtime} does not have; measure it where a runtime has it, or "
        "export the model without it"
    )


def _implementation(match: _Match, runtime: str) -> str:
    operator, version = match.groups()
    return (
        f"uses the operator {operator} (version {version}) with types that {runtime} does not implement; "
        "measure it where a runtime does, or export the model in float32"
    )


def _torch_version(match: _Match, runtime: str) -> str:
    version, most = match.groups()
    return (
        f"is written in version {version} of the TorchScript format, and {runtime} reads up to {most}; "
        "install a newer one, or save the model with an older one"
    )


_MISSING: tuple[tuple[re.Pattern[str], Callable[[_Match, str], str]], ...] = (
    (re.compile(r"Opset (\d+) is under development.*?domain (\S+) is till opset (\d+)", re.DOTALL), _opset),
    (re.compile(r"Unsupported model IR version: (\d+), max supported IR version: (\d+)"), _ir_version),
    (re.compile(r"(\S+:\w+)\(-?\d+\) is not a registered function/op"), _operator),
    (re.compile(r"Could not find an implementation for (\w+)\((\d+)\)"), _implementation),
    (re.compile(r"Opset \w+ doesn't contain the operation with type: (\w+)"), _operator),
    (re.compile(r"Cannot create (\w+) layer .*? from unsupported opset"), _operator),
    (re.compile(r"Unknown builtin op: ([\w:]+)"), _operator),
    (
        re.compile(r"file with version (\d+), but the maximum supported version for reading is (\d+)"),
        _torch_version,
    ),
)
_NO_SUCH_OPERATOR = re.compile(r"No Op registered for (\w+) with domain_version of (\d+)")
