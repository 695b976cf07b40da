"""torchvision, also beside a torch it was not built for. It knows that import's one failure, and no model.

torchvision from the registry is built for CUDA torch; beside a CPU torch its extension does not load and
`import torchvision` dies with "operator torchvision::nms does not exist" (pytorch/pytorch#157648).
Nothing here needs that extension: declaring its two operators lets models and transforms be imported.
"""

import functools
import importlib
import sys
from types import ModuleType

import torch

OPERATORS = ("nms", "qnms")
SIGNATURE = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


@functools.lru_cache(maxsize=1)
def import_torchvision_models() -> ModuleType:
    """Return `torchvision.models`; the detection operators stay unavailable where the extension is."""
    try:
        return importlib.import_module("torchvision.models")
    except RuntimeError as error:
        if "torchvision::" not in str(error) or _extension_is_loaded():
            raise
    _forget_half_imported()
    _declare_operators()
    return importlib.import_module("torchvision.models")


def _extension_is_loaded() -> bool:
    return hasattr(torch.ops.torchvision, "nms")


def _forget_half_imported() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]


@functools.lru_cache(maxsize=1)
def _declare_operators() -> torch.library.Library:
    """Declare what the extension would have; the library is kept, for its end would undo the declaration."""
    library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for operator in OPERATORS:
        library.define(operator + SIGNATURE)  # type: ignore[no-untyped-call]
    return library
