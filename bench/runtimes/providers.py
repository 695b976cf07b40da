"""What runtimes call the places where they run, in words for all of them. It knows no runtime."""

import re

_LONG_ENDING = "ExecutionProvider"
_NUMBER = re.compile(r"[.:]\d+$")


def place_of(provider: str) -> str:
    """Return where a runtime's own provider runs: cpu, cuda, tensorrt, gpu; of which of several, not."""
    return _NUMBER.sub("", short_name(provider)).lower()


def short_name(provider: str) -> str:
    """Return a provider's name without what onnxruntime adds to all of its names."""
    return provider.removesuffix(_LONG_ENDING)
