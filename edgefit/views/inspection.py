"""Shows what is known of a model file. Pure: a record in, a rich renderable out."""

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bench.bundle.model_graph import ModelGraph, OperatorCount
from bench.inspect.inspection import InspectedPreprocess, InspectedTensor, ModelInspection
from bench.runtimes.formats import FORMATS
from bench.units import mb
from user_files.printable import printable

_UNITS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
_MOST_CLASSES = 12
_SMALLEST_SHARE = 0.001
_SIDECAR = "edgefit.yaml"


def inspection_view(inspection: ModelInspection) -> RenderableType:
    """Show a model file: what it takes and gives, what it computes, and how an image becomes its input."""
    table = _grid()
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for label, shown in _rows(inspection):
        table.add_row(label, shown)
    title = Text(printable(inspection.path), "bold", overflow="fold")
    written = [] if inspection.written_to is None else [Text(f"written: {printable(inspection.written_to)}")]
    return Group(title, table, *written)


def _grid() -> Table:
    return Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))


def _rows(inspection: ModelInspection) -> Iterator[tuple[str, RenderableType]]:
    graph = inspection.graph
    yield "format", Text(_format(inspection))
    yield "precision", Text(f"{graph.precision.value} by its graph")
    yield "inputs", _tensors(inspection.inputs, "it takes none")
    yield "outputs", _tensors(inspection.outputs, f"{FORMATS[inspection.format].title} does not state them")
    yield "parameters", Text("unknown" if graph.parameters is None else f"{graph.parameters:,}")
    yield "MACs", _macs(inspection)
    yield "operators", _operators(graph)
    yield "preprocessing", _preprocess(inspection.preprocess)
    for conflict in inspection.preprocess.conflicts:
        yield "", _warning(conflict)
    if inspection.preprocess.remedy is not None:
        yield "", _missing(inspection.preprocess)
    yield "classes", Text(_classes(inspection))


def _format(inspection: ModelInspection) -> str:
    graph = inspection.graph
    parts = [FORMATS[inspection.format].title]
    parts += [f"opset {opset.version}" for opset in graph.opsets if not opset.domain]
    parts += [f"{printable(opset.domain)} {opset.version}" for opset in graph.opsets if opset.domain]
    parts += [] if graph.ir_version is None else [f"IR version {graph.ir_version}"]
    parts += [] if graph.producer is None else [f"written by {printable(graph.producer)}"]
    return ", ".join([*parts, _size(inspection.size_bytes)])


def _size(size_bytes: int) -> str:
    return f"{mb(size_bytes):.3g} MB" if size_bytes >= 1e5 else f"{size_bytes:,} bytes"


def _tensors(tensors: Sequence[InspectedTensor], otherwise: str) -> RenderableType:
    if not tensors:
        return Text(otherwise, "dim")
    table = _grid()
    for _ in range(4):
        table.add_column(overflow="fold")
    for tensor in tensors:
        shape = "unknown shape" if tensor.shape is None else f"[{', '.join(map(str, tensor.shape))}]"
        how = [] if tensor.quantisation is None else [tensor.quantisation.words]
        last = "  ".join([*([] if tensor.axes is None else [tensor.axes]), *how])
        table.add_row(*map(Text, (printable(tensor.name), tensor.dtype, printable(shape), last)))
    return table


def _macs(inspection: ModelInspection) -> RenderableType:
    known, missing = inspection.macs, inspection.macs_missing
    shown = Text() if known is None else Text(f"{known:,} in one inference")
    if missing is None:
        return shown
    return Text.assemble(shown, "; " if known is not None else "unknown: ", printable(missing))


def _operators(graph: ModelGraph) -> RenderableType:
    """Show a line for each operator with multiply-accumulates, and one for all others."""
    total = graph.macs
    computing = [operator for operator in graph.operators if total is not None and operator.macs != 0]
    others = [operator for operator in graph.operators if operator not in computing]
    table = _grid()
    table.add_column(overflow="fold")
    for _ in range(3):
        table.add_column(justify="right", overflow="fold")
    for operator in computing:
        table.add_row(*_cells(operator, total or 0))
    listed = ", ".join(f"{printable(operator.operator)} {operator.count}" for operator in others)
    parts: list[RenderableType] = [table] if computing else []
    parts += [Text(f"others: {listed}" if computing else listed)] if others else []
    return Group(*parts)


def _cells(operator: OperatorCount, total: int) -> tuple[Text, ...]:
    name, count = Text(printable(operator.operator)), Text(f"{operator.count}")
    if operator.macs is None:
        return name, count, Text("not counted", "yellow"), Text()
    return name, count, Text(f"{_short(operator.macs)} MACs"), Text(_share(operator.macs, total))


def _share(macs: int, total: int) -> str:
    """Return a share; one that rounding would make nothing or all is said to be less or more."""
    share = macs / total
    if share < _SMALLEST_SHARE:
        return f"<{_SMALLEST_SHARE:.1%}"
    if _SMALLEST_SHARE > 1 - share > 0:
        return f">{1 - _SMALLEST_SHARE:.1%}"
    return f"{share:.1%}"


def _short(number: int) -> str:
    """Return a number with three digits and its unit: `301 M`."""
    factor, unit = next(((factor, unit) for factor, unit in _UNITS if number >= factor), (1.0, ""))
    return f"{number / factor:#.3g}".removesuffix(".") + f" {unit}".rstrip() if unit else str(number)


def _preprocess(found: InspectedPreprocess) -> RenderableType:
    if found.input is None:
        return Text("no input takes images", "dim")
    if not found.sources:
        return Text("nothing found", "dim")
    values = {**found.values.model_dump(mode="json"), "channels": found.channels}
    table = _grid()
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(style="dim", overflow="fold")
    for source in found.sources:
        table.add_row(
            source.field, _value(values.get(source.field)), Text(f"from {printable(source.source)}")
        )
    return table


def _value(value: object) -> Text:
    if isinstance(value, float):
        return Text(f"{value:.6g}")
    if isinstance(value, list):
        return Text(f"[{', '.join(f'{part:.6g}' for part in value)}]")
    return Text(str(value).lower() if isinstance(value, bool) else str(value))


def _missing(found: InspectedPreprocess) -> RenderableType:
    """Show what is missing, and the lines to type."""
    keys = ", ".join(found.missing)
    lead = Text.assemble(
        ("missing: ", "yellow"), f"{keys}; state them in {_SIDECAR} beside the model, such as:"
    )
    return Group(lead, *(Text(f"  {line}") for line in (found.remedy or "").splitlines()))


def _warning(sentence: str) -> Text:
    return Text.assemble(("warning: ", "yellow"), printable(sentence))


def _classes(inspection: ModelInspection) -> str:
    classes = inspection.classes
    if classes is None:
        return "no names found"
    names = ", ".join(map(printable, classes.names[:_MOST_CLASSES]))
    more = ", …" if len(classes.names) > _MOST_CLASSES else ""
    return f"{len(classes.names)}: {names}{more} (from {printable(classes.source)})"
