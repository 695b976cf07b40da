"""The tables and sentences of a comparison of networks, for every output. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.compare.document import AgainstBaseline, NetworkComparison, NetworkRow, TimesAsFast
from bench.render.columns import ColumnPlace, column_of
from bench.render.report_text import Remark, conditions, grouped, proxy_terms, remarks
from bench.render.text import merge
from bench.report.schema import Report
from bench.statistics.replication import Interval
from bench.units import mb, mib, ms, written

_POINTS = 100
_MILLION = 1e6
_SMALL = 0.1
# More sentences are not read: the table has the same figures of every row.
_MOST_SENTENCES = 6
NONE = "–"


@dataclass(frozen=True)
class ComparisonColumn:
    """A column of a table of networks."""

    title: str
    """Its heading, with a line break where a terminal breaks it."""
    explanation: str
    """What its values mean, for the page."""
    text: Callable[[NetworkRow], str]
    """A row's value as it is written; `–` where there is none."""
    place: ColumnPlace = ColumnPlace.ALWAYS
    """Where it is shown."""

    @property
    def heading(self) -> str:
        """Its title in one line."""
        return self.title.replace("-\n", "").replace("\n", " ")


def _as_in_reports(
    key: str, value: Callable[[NetworkRow], float | None], place: ColumnPlace = ColumnPlace.ALWAYS
) -> ComparisonColumn:
    """Return a column with the title, explanation and digits that reports have for it."""
    column = column_of(key)

    def text(row: NetworkRow) -> str:
        number = value(row)
        return NONE if number is None else f"{written(number * column.factor, column.digits)}{column.suffix}"

    return ComparisonColumn(column.title, column.explanation, text, place)


def _millions(value: Callable[[NetworkRow], int | None]) -> Callable[[NetworkRow], str]:
    def text(row: NetworkRow) -> str:
        count = value(row)
        return NONE if count is None else written(count / _MILLION, 2)

    return text


def _half_width(row: NetworkRow) -> float | None:
    return None if row.p50_ci95_ns is None else Interval(*row.p50_ci95_ns).half_width


def _accuracy(row: NetworkRow) -> str:
    return NONE if row.accuracy is None else f"{row.accuracy:.3f}"


def _accuracy_interval(row: NetworkRow) -> str:
    ends = row.accuracy_ci95
    return NONE if ends is None else f"{ends[0]:.3f}–{ends[1]:.3f}"


def _projected(row: NetworkRow) -> str:
    ends = row.projected_ns
    return NONE if ends is None else f"{ms(ends[0]):.2g}–{ms(ends[1]):.2g}"


FIGURES = (
    _as_in_reports("p50_ms", lambda row: None if row.p50_ns is None else ms(row.p50_ns)),
    _as_in_reports("p50_half_width", _half_width),
    ComparisonColumn(
        "projected\nms",
        "the projected latency on the device: a range, not a measurement",
        _projected,
    ),
    _as_in_reports(
        "peak_memory_mib", lambda row: None if row.memory_bytes is None else mib(row.memory_bytes)
    ),
    _as_in_reports("size_mb", lambda row: None if row.size_bytes is None else mb(row.size_bytes)),
    ComparisonColumn("accu-\nracy", column_of("top1").explanation, _accuracy),
    ComparisonColumn(
        "its 95 %\ninterval", "95 % interval of the accuracy", _accuracy_interval, ColumnPlace.OFTEN
    ),
    ComparisonColumn(
        "AUC",
        "area under the receiver operating characteristic; of several classes or labels the mean over them",
        lambda row: NONE if row.auc is None else f"{row.auc:.3f}",
        ColumnPlace.OFTEN,
    ),
    ComparisonColumn(
        "weights,\nmillions",
        "the number of the network's weights, counted in one of its files",
        _millions(lambda row: row.parameters),
        ColumnPlace.OFTEN,
    ),
    ComparisonColumn(
        "MACs,\nmillions",
        "multiply-accumulates of one inference of the network, counted in one of its files",
        _millions(lambda row: row.macs),
        ColumnPlace.OFTEN,
    ),
)
"""The figures of a row by itself."""


def _of_pair(text: Callable[[AgainstBaseline], str]) -> Callable[[NetworkRow], str]:
    return lambda row: NONE if row.against is None else text(row.against)


def _fast(pair: AgainstBaseline) -> str:
    ratio = pair.times_as_fast
    if ratio is None:
        return NONE
    ends = "" if ratio.ci95 is None else f" ({_times(ratio.ci95[0])}–{_times(ratio.ci95[1])})"
    return f"{_times(ratio.value)}×{ends}"


def _times(ratio: float) -> str:
    """Write a ratio with two digits behind the point, or two digits of a small one."""
    return f"{ratio:.2f}" if ratio >= _SMALL else f"{ratio:.2g}"


def _points(pair: AgainstBaseline) -> str:
    difference = pair.accuracy
    if difference is None:
        return NONE
    low, high = difference.ci95
    return f"{_signed(difference.value)} ({_signed(low)} to {_signed(high)})"


def _signed(share: float) -> str:
    """Write a difference of two shares in points; a zero has no sign."""
    text = f"{abs(share * _POINTS):.1f}"
    return text if float(text) == 0 else f"{'−' if share < 0 else '+'}{text}"


def against_columns(rows: Sequence[NetworkRow]) -> list[ComparisonColumn]:
    """Return the columns that say how rows stand against the baseline's, for those that have a value.

    The provenance of the latencies is in the heading where all have one, else a column of its own.
    """
    words = sorted({word for row in rows if (word := _provenance_of(row)) != NONE})
    heading = f"times as fast,\n{words[0]}" if len(words) == 1 else "times\nas fast"
    fast = ComparisonColumn(heading, _FAST, _of_pair(_fast))
    each = ComparisonColumn("latency", "how both latencies came about", _provenance_of)
    return columns_with_values([fast, *([each] if len(words) > 1 else []), *_AGAINST], rows)


_FAST = "the baseline's latency ÷ its own, with the 95 % interval over fresh processes; above 1 it is faster"
_AGAINST = (
    ComparisonColumn(
        "accuracy,\npoints",
        "its accuracy less the baseline's on the same images, in hundredths, with the 95 % interval",
        _of_pair(_points),
    ),
    ComparisonColumn(
        "times as\nsmall",
        "the size of the baseline's files ÷ that of its own",
        _of_pair(lambda pair: f"{_times(pair.times_as_small)}×"),
    ),
    ComparisonColumn(
        "less\nmemory",
        "the baseline's peak memory ÷ its own",
        _of_pair(lambda pair: f"{_times(pair.memory_ratio)}×"),
    ),
    ComparisonColumn(
        "agree-\nment",
        "share of the answers with the class that the baseline gives for the same input",
        _of_pair(lambda pair: NONE if pair.agreement is None else f"{pair.agreement:.3f}"),
        ColumnPlace.OFTEN,
    ),
)


def columns_with_values(
    columns: Sequence[ComparisonColumn], rows: Sequence[NetworkRow]
) -> list[ComparisonColumn]:
    """Return the columns in which any row has a value."""
    return [column for column in columns if any(column.text(row) != NONE for row in rows)]


def compared_rows(comparison: NetworkComparison) -> list[NetworkRow]:
    """Return the rows that are compared with the baseline."""
    return [row for row in comparison.rows if row.against is not None]


def status_of(row: NetworkRow) -> str:
    """Return the provenance of a row's latency, or its status where it did not complete."""
    return row.provenance if row.status == "completed" else row.status


def _provenance_of(row: NetworkRow) -> str:
    """Return the provenance of a row's ratio of latencies."""
    pair = row.against
    return NONE if pair is None or pair.times_as_fast is None else pair.times_as_fast.provenance


PROVENANCE = ComparisonColumn("provenance", "how the latency came about", status_of)
"""The last column of the figures."""


def title(comparison: NetworkComparison) -> str:
    """Return what is compared, and where it was measured."""
    names = ", ".join(comparison.networks)
    return f"{names}: measured together for {comparison.profile} on {comparison.cpu}"


def front_sentence(comparison: NetworkComparison) -> str:
    """Return which rows no other is better than in everything."""
    names = ", ".join(row.name for row in comparison.front) or "no row"
    return f"on the Pareto front of {comparison.front_of}: {names}"


def sentences(comparison: NetworkComparison) -> list[str]:
    """Return how rows stand against the baseline's, in words: of many rows those on the front."""
    rows = compared_rows(comparison)
    told = rows if len(rows) <= _MOST_SENTENCES else [row for row in rows if row.on_front]
    return [_sentence(row, row.against) for row in told if row.against is not None]


def _sentence(row: NetworkRow, pair: AgainstBaseline) -> str:
    parts = [
        _worded(pair.times_as_small, "smaller", "larger", "the same size"),
        *([] if pair.times_as_fast is None else [_speed(pair.times_as_fast)]),
        _worded(pair.memory_ratio, "less memory", "more memory", "the same memory"),
    ]
    if pair.accuracy is not None:
        parts.append(f"at {_points(pair)} points of accuracy on {pair.accuracy.images} images")
    elif pair.agreement is not None:
        parts.append(f"agreement {pair.agreement:.3f}")
    return f"{row.name} against {pair.baseline}: {', '.join(parts)}"


def _worded(ratio: float, more: str, less: str, equal: str) -> str:
    text = f"{ratio if ratio >= 1 else 1 / ratio:.2f}"
    if float(text) == 1:
        return equal
    return f"{text}× {more if ratio > 1 else less}"


def _speed(ratio: TimesAsFast) -> str:
    is_faster = ratio.value >= 1
    value = ratio.value if is_faster else 1 / ratio.value
    word = "faster" if is_faster else "slower"
    if ratio.ci95 is None:
        return f"{value:.2f}× {word} ({ratio.provenance})"
    low, high = ratio.ci95 if is_faster else (1 / ratio.ci95[1], 1 / ratio.ci95[0])
    return f"{value:.2f}× {word} ({low:.2f} to {high:.2f}; {ratio.provenance})"


def gaps(comparison: NetworkComparison) -> list[str]:
    """Return what is not compared or has no interval, and why: rows, latencies, and the front."""
    rows = comparison.rows
    against = ((row.against_gap, row.name) for row in rows if row.against_gap is not None)
    latencies = (
        (row.against.latency_gap, row.name)
        for row in rows
        if row.against is not None and row.against.latency_gap is not None
    )
    without = (
        (row.name, row.against.times_as_fast.because)
        for row in rows
        if row.against is not None
        and row.against.times_as_fast is not None
        and row.against.times_as_fast.because is not None
    )
    ranks = ((row.not_ranked, row.name) for row in rows if row.not_ranked and row.status == "completed")
    front = [] if comparison.judged_by == "accuracy" else [_WITHOUT_ACCURACY]
    return [
        *(f"not compared: {names}: {reason}" for reason, names in grouped(against)),
        *(f"latency not compared: {names}: {reason}" for reason, names in grouped(latencies)),
        *(f"no interval of times as fast: {names}: {reason}" for names, reason in merge(without)),
        *(f"not ranked: {names}: {reason}" for reason, names in grouped(ranks)),
        *front,
    ]


_WITHOUT_ACCURACY = (
    "the front does not judge accuracy, because not all networks have accuracy on the same images"
)


def common_conditions(reports: Sequence[Report]) -> list[str]:
    """Return the conditions of all networks: a sentence that several share is written once."""
    lines = [each for report in reports for each in conditions(report)]
    terms = [each for report in reports for each in proxy_terms(report)]
    return list(dict.fromkeys([*lines, *terms]))


def all_remarks(reports: Sequence[Report]) -> list[Remark]:
    """Return the remarks on all networks: one that several share is written once, with each network."""
    places: dict[tuple[str, str], list[str]] = {}
    kinds: dict[tuple[str, str], Remark] = {}
    for report in reports:
        for remark in remarks(report):
            key = remark.kind, remark.sentence
            kinds.setdefault(key, remark)
            places.setdefault(key, []).append(_place(report, remark.cases))
    is_of_all = {key: names == [_place(report, "") for report in reports] for key, names in places.items()}
    return [
        Remark(remark.kind, "" if is_of_all[key] else "; ".join(places[key]), remark.sentence)
        for key, remark in kinds.items()
    ]


def _place(report: Report, cases: str) -> str:
    """Return the rows of a remark behind their network. Model files are networks themselves."""
    if report.models is not None:
        return cases or report.name
    return f"{report.name}: {cases}" if cases else report.name
