"""What runtimes call the places where they run, in words for all of them. It knows no runtime."""

import re

_LONG_ENDING = "ExecutionProvider"
# Where a case runs unless its name says otherwise; the null runtime runs nowhere.
_PLAIN = ("cpu", "none")
_NUMBER = re.compile(r"[.:]\d+$")


def place_of(provider: str) -> str:
    """Return where a runtime's own provider runs: cpu, cuda, tensorrt, gpu; of which of several, not."""
    return _NUMBER.sub("", short_name(provider)).lower()


def short_name(provider: str) -> str:
    """Return a provider's name without what onnxruntime adds to all of its names."""
    return provider.removesuffix(_LONG_ENDING)


def case_id(variant: str, provider: str) -> str:
    """Return what a case is called everywhere: `onnx-int8` on the CPU, else such as `onnx-int8@cuda`."""
    place = short_name(provider).lower()
    return variant if place in _PLAIN else f"{variant}@{place}"
