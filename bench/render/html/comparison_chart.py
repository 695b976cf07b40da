"""All files of all networks in one chart: latency against accuracy, with the Pareto front. Pure."""

from collections.abc import Sequence

import altair as alt

from bench.compare.document import NetworkComparison, NetworkRow
from bench.render.html.drawing import (
    MAIN_HEIGHT,
    SHAPES,
    Chart,
    Kinds,
    Row,
    Table,
    colour_by_network,
    ends,
    finished,
    milliseconds,
    shape_by_provenance,
    share,
    table_of,
    word,
)
from bench.render.html.main_chart import SIZE, MainRows, Vertical, corners_of, layers
from bench.units import mb, ms, written

_ACCURACY = Vertical(
    key="accuracy",
    name="accuracy",
    title="accuracy, 95 % interval",
    front="memory, size and accuracy",
    better="up is more accurate",
    sign=1,
    has_interval=True,
)


def comparison_chart(comparison: NetworkComparison) -> Chart | None:
    """Return the chart of all networks; None if no row has both quantities.

    Latency is drawn against size if not all networks have accuracy on the same images.
    """
    vertical = _ACCURACY if comparison.judged_by == "accuracy" else SIZE
    drawn = [row for row in comparison.rows if _value(row, vertical) is not None and row.p50_ns is not None]
    if not drawn:
        return None
    main = _main(comparison, drawn, vertical)
    title = alt.Title(text=comparison.profile, subtitle=comparison.cpu, fontSize=12, subtitleFontSize=11)
    provenances = {row["provenance"] for row in (*main.points, *main.projected)}
    kinds = Kinds((), tuple(name for name in SHAPES if name in provenances))
    chart = layers(main, colour_by_network(comparison.networks), shape_by_provenance(kinds))
    specification = finished(chart.properties(height=MAIN_HEIGHT, title=title))
    return Chart("all", f"Latency against {vertical.name}", main.caption, specification, *main.table)


def _main(comparison: NetworkComparison, rows: Sequence[NetworkRow], vertical: Vertical) -> MainRows:
    points = [_point(row, vertical) for row in rows]
    ranked = [point for point, row in zip(points, rows, strict=True) if row.not_ranked is None]
    corners = corners_of(ranked, vertical)
    return MainRows(
        points=tuple(points),
        table=_table(points, vertical),
        caption=_caption(comparison, rows, vertical, has_line=len(corners) > 1),
        vertical=vertical,
        title=vertical.title,
        corners=corners,
        projected=tuple(_range(row, vertical) for row in rows if row.projected_ns is not None),
    )


def _value(row: NetworkRow, vertical: Vertical) -> float | None:
    if vertical.is_size:
        return None if row.size_bytes is None else mb(row.size_bytes)
    return row.accuracy


def _named(row: NetworkRow, vertical: Vertical) -> Row:
    assert row.precision is not None
    return {
        "row": row.name,
        "network": row.network,
        "format": row.format,
        "precision": row.precision.value,
        vertical.key: _value(row, vertical),
    }


def _point(row: NetworkRow, vertical: Vertical) -> Row:
    assert row.p50_ns is not None
    point = {
        **_named(row, vertical),
        "provenance": row.provenance,
        "p50": ms(row.p50_ns),
        "p95": None,
        "front": row.on_front,
    }
    if not vertical.has_interval:
        return point
    low, high = row.accuracy_ci95 or (None, None)
    return {**point, "low": low, "high": high}


def _range(row: NetworkRow, vertical: Vertical) -> Row:
    """Return a row's range that is projected for the device."""
    assert row.projected_ns is not None
    low, high = row.projected_ns
    return {**_named(row, vertical), "provenance": "projected", "low_ms": ms(low), "high_ms": ms(high)}


def _table(points: Sequence[Row], vertical: Vertical) -> Table:
    values = {"accuracy": share("accuracy"), "95 %": ends("low", "high")}
    columns = {
        "p50 ms": milliseconds("p50"),
        **({"size MB": lambda row: written(row["size_mb"], 2)} if vertical.is_size else values),
        "on the front": lambda row: "yes" if row["front"] else "no",
        "provenance": word("provenance"),
    }
    return table_of("network and file", points, columns)


def _caption(
    comparison: NetworkComparison, rows: Sequence[NetworkRow], vertical: Vertical, has_line: bool
) -> str:
    """Return the caption, which describes only what is drawn."""
    sentences = [f"Each point is a file of a network: left is faster, {vertical.better}."]
    has_ranges = any(row.projected_ns is not None for row in rows)
    latency = "the middle of the projected range" if has_ranges else "p50"
    sentences.append(f"Filled points are on the Pareto front of {latency}, {vertical.front}.")
    if has_line:
        sentences.append(f"The dotted line is the front of p50 and {vertical.name} alone.")
    if has_ranges:
        sentences.append(
            f"Bars between diamonds are ranges that are projected for {comparison.profile}, not measurements."
        )
    if all(row.provenance == "proxy" for row in rows):
        sentences.append(f"Triangles are latencies of the proxy, not of {comparison.profile}.")
    if missing := len(comparison.rows) - len(rows):
        sentences.append(
            f"{missing} of {len(comparison.rows)} rows have no latency or {vertical.name}, and are left out."
        )
    if vertical.is_size:
        sentences.append("Accuracy is not drawn, because not all networks have it on the same images.")
    return " ".join(sentences)
