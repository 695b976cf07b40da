"""What LiteRT says of a file that it refuses, as a sentence with a remedy. Pure."""

import re
from collections.abc import Callable

from bench.errors import MissingRuntimeError

_Match = re.Match[str]


def refusal(message: str, runtime: str) -> MissingRuntimeError | None:
    """Return the error for what a file needs and `runtime`, a name and version, lacks; None for any other."""
    for pattern, sentence in _REFUSALS:
        if match := pattern.search(message):
            return MissingRuntimeError(sentence(match, runtime))
    return None


def _edge_tpu(_: _Match, runtime: str) -> str:
    return (
        f"the model was compiled for Coral's Edge TPU, which {runtime} does not use; measure the "
        ".tflite file that edgetpu_compiler was given"
    )


def _custom(match: _Match, runtime: str) -> str:
    return (
        f"the model needs the custom operator '{match[1]}', which {runtime} does not have; convert it "
        "without this operator"
    )


def _of_tensorflow(match: _Match, runtime: str) -> str:
    return (
        f"the model needs TensorFlow's operator '{match[1]}', which {runtime} does not have; convert it with "
        "LiteRT's own operators alone (TFLITE_BUILTINS)"
    )


def _version(match: _Match, runtime: str) -> str:
    return f"the model needs the operator {match[1]} in version {match[2]}, {_newer(runtime)}"


def _number(match: _Match, runtime: str) -> str:
    return f"the model needs the operator of the number {match[1]}, {_newer(runtime)}"


def _schema(match: _Match, runtime: str) -> str:
    return f"the model is written in version {match[1]} of the format, {_newer(runtime)}"


def _newer(runtime: str) -> str:
    return f"which {runtime} does not know; install a newer one, or convert the model with an older converter"


_REFUSALS: tuple[tuple[re.Pattern[str], Callable[[_Match, str], str]], ...] = (
    (re.compile(r"unresolved custom op: edgetpu-custom-op"), _edge_tpu),
    (re.compile(r"unresolved custom op: (.+?)\.?$", re.MULTILINE), _custom),
    (re.compile(r"Select TensorFlow op.*\((\w+)\) failed to prepare", re.DOTALL), _of_tensorflow),
    (re.compile(r"Didn't find op for builtin opcode '(\w+)' version '(\d+)'"), _version),
    (re.compile(r"Op builtin_code out of range: (\d+)"), _number),
    (re.compile(r"is schema version (\d+) not equal to"), _schema),
)
