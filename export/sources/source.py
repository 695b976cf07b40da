"""What a source is to a worker. It knows no kind of source; `opening.py` does."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from bench.bundle.signature import Inputs, Outputs

if TYPE_CHECKING:
    import onnx
    import openvino
    from torch import fx


class NotLayeredError(Exception):
    """A source of which no network of layers can be made, so that int8 cannot be simulated."""


@dataclass(frozen=True)
class OnnxBase:
    """The ONNX graph that formats are made from, where the source is an ONNX file."""

    model: "onnx.ModelProto"
    """Fixed shapes, batch norms folded. The weights of layer `x` are the initializers `x.weight`, in torch's
    layout unless `x` is in `transposed`, and `x.bias`."""
    transposed: frozenset[str] = frozenset()
    """The layers whose weights are stored [in, out], where torch stores [out, in]."""


@dataclass(frozen=True)
class OpenVinoBase:
    """The OpenVINO model that formats are made from, where the source is an OpenVINO file."""

    model: "openvino.Model"
    """With fixed shapes."""


@dataclass(frozen=True)
class TfliteBase:
    """The LiteRT file that formats are made from, where the source is one."""

    content: bytes
    """The file, with fixed shapes. A layer has the name of its operator's first output, which is its own."""


Base = OnnxBase | OpenVinoBase | TfliteBase


class Source(Protocol):
    """An opened source. Nothing changes it: what is made of its network is made of a copy."""

    def run(self, inputs: Inputs) -> Outputs:
        """Run one inference of the source itself, in the runtime that it belongs to, in fp32."""

    def layered(self) -> "fx.GraphModule":
        """Return the network in eval mode, batch norms folded, whose convolutions and linear layers are
        modules with biases: float32 inputs to the source's outputs.

        Raises NotLayeredError if there is none.
        """

    def base(self) -> Base | None:
        """Return what formats are made from instead of that network; None if they are made from it."""


@dataclass(frozen=True)
class LoadedSource:
    """A source, and what is made of it once for all artifacts of a worker."""

    source: Source
    """The source."""

    @cached_property
    def network(self) -> "fx.GraphModule":
        """The network of layers; every access gives the same object."""
        return self.source.layered()

    @cached_property
    def base(self) -> Base | None:
        """What formats are made from instead; every access gives the same object."""
        return self.source.base()
