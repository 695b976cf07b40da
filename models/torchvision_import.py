"""Imports torchvision, even with a torch that it was not built for. It knows no model.

torchvision from the registry is built for the CUDA version of torch. With the CPU version its extension does
not load, and `import torchvision` fails with "operator torchvision::nms does not exist"
(pytorch/pytorch#157648). edgefit does not need that extension: once its two operators are declared, models
and transforms can be imported.
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
    """Return `torchvision.models`; the detection operators stay unavailable if the extension is."""
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
    """Declare the extension's operators. The library must be kept: its end would undo the declaration."""
    library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for operator in OPERATORS:
        library.define(operator + SIGNATURE)  # type: ignore[no-untyped-call]
    return library
