"""Charts with a line for each row: memory, size, accuracy and precision, and their data. Pure."""

from collections.abc import Mapping, Sequence

import altair as alt

from bench.lists_in_words import some_of
from bench.render.columns import column_of
from bench.render.html.drawing import (
    Chart,
    Kinds,
    Row,
    Rows,
    Specification,
    colour_by_format,
    completed,
    data,
    ends,
    finished,
    height_of,
    legend,
    limit,
    named,
    number,
    share,
    table_of,
    tooltip,
    variants,
    word,
)
from bench.render.text import noun_of
from bench.report.retention import MARGIN
from bench.report.schema import Accuracy, Evaluation, Report
from bench.units import mib

_OF_PARTS = {"peak": "#9ecae1", "loaded": "#4a9cc9", "runtime": "#0072b2"}
_OF_PRECISIONS = {"fp32": "#0072b2", "fp16": "#56b4e9", "bf16": "#009e73", "int8": "#d55e00"}
_OF_MEASURES = {"agreement": "#0072b2", "cosine": "#d55e00"}
_OTHER = "#777777"


def memory(report: Report) -> Chart | None:
    """Draw the memory of each row: with the runtime alone, after loading, and at its peak."""
    rows = _memory_rows(report)
    if not rows.points:
        return None
    x = alt.X("mib:Q", title="resident memory, MiB", stack=None)
    bars = _bars(rows, x, _parts("part", "when", _OF_PARTS))
    return Chart("memory", "Memory", rows.caption, bars, *rows.table)


def _memory_rows(report: Report) -> Rows:
    """Return the resident memory with the runtime imported, the artifact loaded, and at the peak."""
    points: list[Row] = []
    table: list[Row] = []
    for run in completed(report):
        assert run.completed is not None
        memory, row = run.completed.memory, named(run)
        sizes = {
            "peak": memory.peak_bytes,
            "loaded": memory.loaded_bytes,
            "runtime": memory.runtime_bytes,
            "proportional": memory.proportional_bytes,
            "device": memory.device_bytes,
        }
        in_mib = {part: None if size is None else mib(size) for part, size in sizes.items()}
        table.append({**row, **in_mib})
        points += [
            {**row, "part": part, "mib": in_mib[part], "order": order}
            for order, part in enumerate(("peak", "loaded", "runtime"))
            if in_mib[part] is not None
        ]
    return Rows(
        points=tuple(points),
        table=table_of(
            noun_of(report),
            table,
            {
                "runtime MiB": number("runtime", 0),
                "loaded MiB": number("loaded", 0),
                "peak MiB": number("peak", 0),
                "proportional MiB": number("proportional", 0),
                "device MiB": number("device", 0),
            },
        ),
        caption=f"Each bar is a {noun_of(report)} in a process of its own: the runtime alone, loaded, and "
        "the peak.",
    )


def sizes(report: Report, kinds: Kinds) -> Chart | None:
    """Draw each artifact's size."""
    rows = _size_rows(report)
    if not rows.points:
        return None
    bars = _bars(rows, alt.X("mb:Q", title="size, MB (10⁶ bytes)"), colour_by_format(kinds))
    return Chart("size", "Size", rows.caption, bars, *rows.table)


def _size_rows(report: Report) -> Rows:
    """Return the size of each artifact in bytes."""
    points: list[Row] = [
        {**named(run), "mb": column_of("size_mb").value(run), "bytes": run.size_bytes}
        for run in variants(report)
        if run.size_bytes is not None
    ]
    return Rows(
        points=tuple(points),
        table=table_of(noun_of(report), points, {"size MB": number("mb", 2), "bytes": word("bytes")}),
        caption=f"Each bar is all files of a {noun_of(report)}; its runtime is not counted.",
    )


def retention(report: Report, kinds: Kinds) -> Chart | None:
    """Draw the retention of each row."""
    if report.evaluation is None or report.evaluation.gap is not None:
        return None
    rows = _retention_rows(report, report.evaluation.images)
    if not rows.points:
        return None
    base = alt.Chart(data(rows.points)).encode(y=_named(rows.points), color=colour_by_format(kinds))
    title = f"accuracy ÷ the {_reference(report)}'s (retention)"
    x = alt.X("retention:Q", title=title, scale=alt.Scale(zero=False))
    layers = [
        base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q"), x2="high:Q"),
        base.mark_point(filled=True, size=70, opacity=1).encode(x=x, tooltip=tooltip(rows.points)),
    ]
    least = report.profile.budget.retention
    if least is not None:
        layers += limit("x", least, f"retention limit {least:g} (margin {MARGIN:g})", align="left")
    chart = alt.layer(*layers).properties(height=height_of(rows.points))
    return Chart("accuracy", "Accuracy", rows.caption, finished(chart), *rows.table)


def _retention_rows(report: Report, images: int) -> Rows:
    """Return the retention of each row with its interval."""
    points: list[Row] = []
    for run in completed(report):
        if run.accuracy is None:
            continue
        retention = run.accuracy.retention
        low, high = (None, None) if retention is None or retention.ci95 is None else retention.ci95
        points.append(
            {
                **named(run),
                "retention": None if retention is None else retention.value,
                "low": low,
                "high": high,
                "top1": run.accuracy.top1,
                "balanced": run.accuracy.balanced_accuracy,
                "auc": run.accuracy.macro_auc if run.accuracy.auc is None else run.accuracy.auc,
                "f1": run.accuracy.f1,
                "sensitivity": run.accuracy.sensitivity,
                "specificity": run.accuracy.specificity,
                "agreement": run.accuracy.agreement,
                "flips": len(run.accuracy.flips),
                "mcnemar_p": run.accuracy.mcnemar_p,
            }
        )
    return Rows(
        points=tuple(points),
        table=table_of(
            noun_of(report),
            points,
            {
                "accuracy": share("top1"),
                "retention": share("retention"),
                "95 %": ends("low", "high"),
                "balanced": share("balanced"),
                "AUC": share("auc"),
                "F1": share("f1"),
                "sensitivity": share("sensitivity"),
                "specificity": share("specificity"),
                "agreement": share("agreement"),
                "changed class": word("flips"),
                "McNemar p": number("mcnemar_p", 3),
            },
        ),
        caption=f"Each point is a variant's accuracy ÷ the {_reference(report)}'s, on the very file that was "
        f"timed, with its 95 % interval over {images} images.{_of_labels(report)}{_of_positive(report)}",
    )


def _reference(report: Report) -> str:
    return "reference" if report.bundle is None else report.bundle.reference


def _of_positive(report: Report) -> str:
    name = report.positive_name
    return "" if name is None else f" Sensitivity is about the positive class, '{name}'."


def _of_labels(report: Report) -> str:
    if report.evaluation is None or report.evaluation.output.kind != "labels":
        return ""
    return " Each label of each image counts as one answer, and all as independent."


def by_label(report: Report) -> Chart | None:
    """Draw the area under the curve of each label, of an output with several labels."""
    rows = _label_rows(report)
    if not rows.points:
        return None
    x = alt.X("auc:Q", title="area under the ROC curve", scale=alt.Scale(zero=False))
    chart = alt.Chart(data(rows.points)).mark_point(filled=True, size=60, opacity=0.8)
    encoded = chart.encode(
        x=x,
        y=_named(rows.points),
        color=alt.Color("case:N", title="variant", legend=legend()),
        tooltip=tooltip(rows.points),
    )
    finished_chart = finished(encoded.properties(height=height_of(rows.points)))
    return Chart("labels", "Each label", rows.caption, finished_chart, *rows.table)


def _label_rows(report: Report) -> Rows:
    """Return the figures of each label of each row."""
    table: list[Row] = [
        {
            **named(run),
            "case": run.case,
            "row": report.bundle.class_name(figures.label),
            **figures.model_dump(),
        }
        for run in completed(report)
        if run.accuracy is not None and report.bundle is not None
        for figures in run.accuracy.by_label
    ]
    return Rows(
        points=tuple(row for row in table if row["auc"] is not None),
        table=table_of(
            "label",
            table,
            {
                "variant": word("case"),
                "images with it": word("positives"),
                "AUC": share("auc"),
                "sensitivity": share("sensitivity"),
                "specificity": share("specificity"),
                "F1": share("f1"),
            },
        ),
        caption="Each point is a variant's area under the curve for one label; a label that all images have, "
        "or none, has no point.",
    )


def agreement(report: Report, kinds: Kinds) -> Chart | None:
    """Draw how near each row is to the source, where there is no accuracy."""
    if report.evaluation is None or report.evaluation.gap is None:
        return None
    is_by_class = report.evaluation.output.kind != "values"
    rows = _agreement_rows(report, report.evaluation, "agreement" if is_by_class else "sqnr_db")
    if not rows.points:
        return None
    title = "share of answers with the source's class" if is_by_class else "SQNR of the values, dB"
    bars = _bars(rows, alt.X("value:Q", title=title), colour_by_format(kinds))
    return Chart("agreement", "Agreement with the source", rows.caption, bars, *rows.table)


def _answers(figures: Accuracy) -> Row:
    """Return what a row's answers have: classes and how many changed, or values and their cosine."""
    if figures.agreement is None:
        return {"cosine": figures.cosine, "sqnr_db": figures.sqnr_db}
    return {"agreement": figures.agreement, "flips": len(figures.flips), "sqnr_db": figures.sqnr_db}


def _agreement_rows(report: Report, evaluation: Evaluation, key: str) -> Rows:
    """Return the agreement of each row, or its SQNR where the output holds no classes."""
    table: list[Row] = [
        {**named(run), "value": getattr(run.accuracy, key), **_answers(run.accuracy)}
        for run in completed(report)
        if run.accuracy is not None
    ]
    by_class = {"agreement": share("agreement"), "changed class": word("flips")}
    by_value = {"cosine": number("cosine", 6)}
    exact = " A row that is exactly equal has no bar." if key == "sqnr_db" else ""
    return Rows(
        points=tuple(row for row in table if row["value"] is not None),
        table=table_of(
            noun_of(report),
            table,
            {
                **(by_class if key == "agreement" else by_value),
                "SQNR dB": number("sqnr_db", 1, "exact"),
            },
        ),
        caption=f"Each bar compares a variant with the source on {evaluation.images} inputs, on the very "
        f"file that was timed. There is no accuracy: {evaluation.gap}.{exact}",
    )


def precision(report: Report) -> Chart | None:
    """Draw the precisions in which each row ran."""
    rows = _precision_rows(report)
    if not rows.points:
        return None
    ran = dict.fromkeys(row["precision"] for row in rows.points)
    x = alt.X("share:Q", title="share of multiply-accumulates", axis=alt.Axis(format=".0%"))
    bars = _bars(
        rows, x, _parts("precision", "ran in", {kind: _OF_PRECISIONS.get(kind, _OTHER) for kind in ran})
    )
    return Chart("precision", "Proof of precision", rows.caption, bars, *rows.table)


def _precision_rows(report: Report) -> Rows:
    """Return the precisions of each row's multiply-accumulates, from the runtime's executed graph."""
    points: list[Row] = []
    table: list[Row] = []
    for run in completed(report):
        ran = None if run.summary is None else run.summary.precision_ran
        if ran is None or ran.share_of_macs is None:
            continue
        shares = ran.share_of_macs
        row = named(run)
        points += [{**row, "precision": kind, "share": part} for kind, part in shares.items()]
        text = ", ".join(f"{kind} {part:.1%}" for kind, part in shares.items())
        table.append({**row, "shares": text, "evidence": ran.evidence})
    return Rows(
        points=tuple(points),
        table=table_of(
            noun_of(report),
            table,
            {
                "requested": word("precision"),
                "ran in": word("shares"),
                "read from": word("evidence"),
            },
        ),
        caption=_precision_caption(report, table),
    )


def _precision_caption(report: Report, shown: Sequence[Row]) -> str:
    sentence = "Each bar is what ran, by the runtime's own executed graph, whatever the file is called."
    names = {row["row"] for row in shown}
    missing = [run.case for run in completed(report) if run.case not in names]
    return f"{sentence} Left out, for its graph gives no shapes: {some_of(missing)}." if missing else sentence


def outputs(report: Report) -> Chart | None:
    """Draw how alike each model file's outputs are to the reference's."""
    rows = _output_rows(report)
    if not rows.points:
        return None
    lowest = min(0.0, *(row["alike"] for row in rows.points))
    x = alt.X(
        "alike:Q", title="agreement or cosine with the reference", scale=alt.Scale(domain=[lowest, 1.0])
    )
    bars = _bars(rows, x, _parts("measure", "measure", _OF_MEASURES))
    return Chart("outputs", "Outputs compared with the reference", rows.caption, bars, *rows.table)


def _output_rows(report: Report) -> Rows:
    """Return each compared output: its agreement, or its cosine where it has not the shape of classes."""
    points: list[Row] = []
    table: list[Row] = []
    for run in completed(report):
        outputs = () if run.outputs is None else run.outputs.outputs
        for output in outputs:
            name = f"{run.case}: {output.name}" if len(outputs) > 1 else run.case
            row = {**named(run), "row": name}
            table.append({**row, **output.model_dump(), "output": output.name})
            measure = "cosine" if output.agreement is None else "agreement"
            alike = output.cosine if output.agreement is None else output.agreement
            if alike is not None:
                points.append({**row, "alike": alike, "measure": measure})
    return Rows(
        points=tuple(points),
        table=table_of(
            noun_of(report),
            table,
            {
                "output": word("output"),
                "items": lambda row: "–" if row["items"] is None else str(row["items"]),
                "agreement": share("agreement"),
                "cosine": number("cosine", 6),
                "SQNR dB": number("sqnr_db", 1),
                "largest difference": lambda row: f"{row['largest_difference']:.3g}",
            },
        ),
        caption=f"Each bar is an output compared with {report.reference_case}'s on the same inputs: the "
        "share of items with the same class, or the cosine similarity without classes; 1 is equal.",
    )


def _bars(rows: Rows, x: alt.X, colour: alt.Color) -> Specification:
    """Draw a bar for each row. Parts that have an order overlap in the bar."""
    chart = alt.Chart(data(rows.points)).mark_bar(height=14)
    encoded = chart.encode(x=x, y=_named(rows.points), color=colour, tooltip=tooltip(rows.points))
    if "order" in rows.points[0]:
        encoded = encoded.encode(order=alt.Order("order:O"))
    return finished(encoded.properties(height=height_of(rows.points)))


def _parts(field: str, title: str, colours: Mapping[str, str]) -> alt.Color:
    """Return the colours of a bar's parts."""
    scale = alt.Scale(domain=list(colours), range=list(colours.values()))
    return alt.Color(f"{field}:N", title=title, sort=list(colours), scale=scale, legend=legend())


def _named(points: Sequence[Row]) -> alt.Y:
    names = list(dict.fromkeys(row["row"] for row in points))
    return alt.Y("row:N", title=None, sort=names, axis=alt.Axis(labelLimit=150))
