"""Results of the Python API as pandas data frames. pandas is imported only here, and only on a call."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.bundle.model_graph import OperatorCount
from bench.choose.choosing import CandidateResult, Choice
from bench.compare.document import NetworkComparison
from bench.errors import MissingRuntimeError
from bench.gate.document import Checked
from bench.gate.findings import Finding
from bench.gate.headline import headline
from bench.inspect.inspection import ModelInspection
from bench.render.check_text import check_conditions
from bench.render.choice_text import choice_notes
from bench.render.columns import columns_of
from bench.render.comparison_csv import ROW_COLUMNS, flat_row
from bench.render.comparison_text import front_sentence, gaps, title
from bench.render.csv_table import header_and_lines
from bench.render.report_text import conditions, controls_line, proxy_terms, remarks
from bench.report.schema import Report

if TYPE_CHECKING:
    import pandas as pd

_INTERVAL, _ENDS = "interval", ("interval_low", "interval_high")
_NUMBERS = (
    *(name for name, field in Finding.model_fields.items() if field.annotation == float | None),
    *_ENDS,
)


def report_to_frame(report: Report, with_controls: bool) -> "pd.DataFrame":
    """Return a line for each variant, with the columns of the CSV file, numbers unrounded.

    Units are in the columns' names. `with_controls`: the two controls have lines as well. `attrs` of the
    frame has the conditions and the warnings.
    """
    names, lines = header_and_lines([report])
    frame = _frame(
        [line for run, line in zip(report.runs, lines, strict=True) if run.is_variant or with_controls],
        names,
        [*conditions(report), *proxy_terms(report), *controls_line(report)],
        [": ".join(filter(None, (remark.cases, remark.sentence))) for remark in remarks(report)],
    )
    return frame.astype({column.key: "float64" for column in columns_of([report])})


def check_to_frame(checked: Checked) -> "pd.DataFrame":
    """Return a line for each finding, with the fields of the JSON document; the interval is two columns."""
    names = [name for name in Finding.model_fields if name != _INTERVAL]
    lines = [
        [*(_plain(getattr(finding, name)) for name in names), *(finding.interval or (None, None))]
        for finding in checked.findings
    ]
    notes = [headline(checked), check_conditions(checked), *checked.notes]
    frame = _frame(lines, [*names, *_ENDS], notes, checked.warnings)
    return frame.astype(dict.fromkeys(_NUMBERS, "float64"))


def comparison_to_frame(comparison: NetworkComparison) -> "pd.DataFrame":
    """Return a line for each row, with the fields of the JSON document.

    What a row is against the baseline's has columns that begin with `against_`; an interval is two columns.
    """
    lines = [flat_row(row) for row in comparison.rows]
    given = {name for line in lines for name, value in line.items() if value is not None}
    names = [name for name in ROW_COLUMNS if name in given]
    notes = [title(comparison), front_sentence(comparison), *gaps(comparison), *comparison.notes]
    return _frame([[line.get(name) for name in names] for line in lines], names, notes, ())


def choice_to_frame(choice: Choice) -> "pd.DataFrame":
    """Return a line for each candidate, with the fields of the JSON document."""
    names = list(CandidateResult.model_fields)
    return _frame(
        [[getattr(candidate, name) for name in names] for candidate in choice.candidates],
        names,
        [choice.headline, *choice.explanation, *choice.nearest, *choice_notes(choice)],
        (),
    )


def inspection_to_frame(inspection: ModelInspection) -> "pd.DataFrame":
    """Return a line for each kind of operator, with its share of the multiply-accumulates."""
    graph = inspection.graph
    names = [*OperatorCount.model_fields, "share_of_macs"]
    lines = [
        [operator.operator, operator.count, operator.macs, _share(operator.macs, graph.macs)]
        for operator in graph.operators
    ]
    stated = [f"{inspection.path}: {inspection.format}, {graph.precision.value} by its graph"]
    stated += [] if graph.parameters is None else [f"parameters: {graph.parameters}"]
    stated += [] if inspection.macs_missing is None else [inspection.macs_missing]
    return _frame(lines, names, stated, inspection.preprocess.conflicts).astype(
        dict.fromkeys(("macs", "share_of_macs"), "float64")
    )


def _share(macs: int | None, total: int | None) -> float | None:
    return None if macs is None or not total else macs / total


def _plain(value: object) -> object:
    """Return the text of an enumeration's member, and any other value as it is."""
    return getattr(value, "value", value)


def _frame(
    lines: Sequence[Sequence[object]],
    names: Sequence[str],
    conditions_: Sequence[str],
    warnings: Sequence[str],
) -> "pd.DataFrame":
    try:
        import pandas as pd
    except ModuleNotFoundError:
        raise MissingRuntimeError(
            "to_pandas() needs pandas, which is not installed here; install it with: pip install pandas"
        ) from None
    frame = pd.DataFrame.from_records(list(map(tuple, lines)), columns=list(names))
    frame.attrs = {"conditions": list(conditions_), "warnings": list(warnings)}
    return frame
