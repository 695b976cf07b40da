"""What a model's own graph holds: operators, their multiply-accumulates, and weights. It runs nothing."""

from collections.abc import Mapping

from pydantic import Field

from bench.bundle.onnx_graph import OnnxGraph
from bench.bundle.variants import Precision
from bench.record import Record

# Operators that multiply and add, and whose multiply-accumulates edgefit does not count.
_UNCOUNTED = frozenset(
    {
        *("Einsum", "LSTM", "GRU", "RNN", "DeformConv", "Attention", "MultiHeadAttention", "DFT", "STFT"),
        *("GroupQueryAttention", "QAttention", "DynamicQuantizeLSTM"),
    }
)


class OperatorSet(Record):
    """A set of operators that a model is written for."""

    domain: str
    """Who defines it; empty for ONNX's own."""
    version: int
    """Its version."""


class OperatorCount(Record):
    """All operators of one kind in a model."""

    operator: str
    """The format's name of the kind, behind the domain if it is not the format's own."""
    count: int = Field(ge=0)
    """How often the file has it; 0 if the runtime made it of others."""
    macs: int | None
    """The multiply-accumulates of all of them in one inference. 0 for an operator that multiplies no matrix;
    null if they are not known."""


class ModelGraph(Record):
    """A model's graph as its file has it, before a runtime optimises it."""

    producer: str | None
    """What wrote the file, with its version; null if it does not say."""
    ir_version: int | None
    """The version of the file format; null where the format has none."""
    opsets: tuple[OperatorSet, ...]
    """The operator sets that it is written for; empty where the format has none."""
    operators: tuple[OperatorCount, ...]
    """Its operators by kind: first those with most multiply-accumulates, then the most frequent."""
    parameters: int | None
    """How many weights it holds; null if that is not known."""
    precision: Precision = Field(strict=False)
    """By its graph: int8 with quantised operators, fp16 with most weights in half precision, else fp32."""

    @property
    def macs(self) -> int | None:
        """The multiply-accumulates of one inference that are known; None if none are."""
        known = [operator.macs for operator in self.operators if operator.macs is not None]
        return sum(known) if known else None

    @property
    def uncounted(self) -> tuple[str, ...]:
        """The kinds of operators whose multiply-accumulates are missing in `macs`."""
        return tuple(operator.operator for operator in self.operators if operator.macs is None)


def operator_counts(
    counts: Mapping[str, int], macs: Mapping[str, int] | None, uncounted: frozenset[str] = frozenset()
) -> tuple[OperatorCount, ...]:
    """Return operators in their order. `macs`: by kind; None: they are not known."""
    kinds = [*counts, *((macs or {}).keys() - counts.keys())]
    operators = [
        OperatorCount(
            operator=kind,
            count=counts.get(kind, 0),
            macs=None if macs is None else macs.get(kind, None if kind in uncounted else 0),
        )
        for kind in kinds
    ]
    return tuple(sorted(operators, key=lambda each: (-(each.macs or 0), -each.count, each.operator)))


def onnx_model_graph(graph: OnnxGraph, parameters: int, macs: Mapping[str, int] | None) -> ModelGraph:
    """Return an ONNX file's graph.

    `macs`: by an operator's type without its domain, from an inference; None: they are not known.
    """
    names = {kind: f"{domain}.{kind}" if domain else kind for domain, kind in graph.operators}
    named = None if macs is None else {names.get(kind, kind): count for kind, count in macs.items()}
    return ModelGraph(
        producer=graph.producer or None,
        ir_version=graph.ir_version,
        opsets=tuple(OperatorSet(domain=domain, version=version) for domain, version in graph.opsets),
        operators=operator_counts(
            {
                f"{domain}.{kind}" if domain else kind: count
                for (domain, kind), count in graph.operators.items()
            },
            named,
            frozenset(names[kind] for kind in _UNCOUNTED & names.keys()),
        ),
        parameters=parameters,
        precision=graph.precision,
    )
