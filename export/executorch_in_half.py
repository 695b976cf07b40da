"""Has ExecuTorch's exporter for XNNPACK store the weights of convolutions in the precision that they have.

XNNPACK takes them in half precision. The exporter would store them as floats all the same.
"""

from typing import Any

import torch
from executorch.backends.xnnpack import operators  # noqa: F401 - registers what writes operators down
from executorch.backends.xnnpack.operators.node_visitor import get_node_visitors, register_node_visitor
from torch import fx

# The module that defines this class does not export it.
_ConvolutionWriter: Any = type(get_node_visitors(None, None, None)["aten.convolution.default"])


class _HalfConvolutionWriter(_ConvolutionWriter):  # type: ignore[misc]
    """What writes a convolution down, in the place of the exporter's own."""

    def define_tensor(
        self, tensor: fx.Node, *arguments: Any, force_fp32: bool = False, **options: Any
    ) -> None:
        """Write a tensor down, in float only if it is not in half precision."""
        is_half = tensor.meta["val"].dtype is torch.float16
        super().define_tensor(tensor, *arguments, force_fp32=force_fp32 and not is_half, **options)


def store_halves() -> None:
    """Have the exporter write convolutions down so, from now on."""
    register_node_visitor(_HalfConvolutionWriter)
