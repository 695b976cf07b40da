"""Bencher Metric Format: its words for what edgefit measures, and reports in it. Pure."""

import json
from collections.abc import Sequence

from bench.render.sentences import row_names
from bench.render.titles import titles_of
from bench.report.schema import Report, Run

_NS_PER_MS = 1e6
_BYTES_PER_MIB = 1 << 20
# Bencher's own measures where it has one (latency in ns, file-size in bytes), and the factor to each.
LATENCY = ("latency", _NS_PER_MS)
LOAD_TIME = ("load-time", _NS_PER_MS)
MEMORY = ("memory", _BYTES_PER_MIB)
SIZE = ("file-size", 1.0)
ACCURACY = ("accuracy", 1.0)
MEASURES = (LATENCY, LOAD_TIME, MEMORY, SIZE, ACCURACY)

Measures = dict[str, dict[str, float]]


def to_bmf(reports: Sequence[Report]) -> str:
    """Return every completed row's figures, by variant, device and what its latency is."""
    document = {
        f"{row_names(report)[run.case]}, {title}, {run.provenance}": _measures(run)
        for report, title in zip(reports, titles_of(reports), strict=True)
        for run in report.runs
        if run.is_variant and run.status == "completed"
    }
    return to_text(document)


def to_text(document: dict[str, Measures]) -> str:
    """Return a document in this format as text."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def is_bmf(content: bytes, marks: Sequence[str] = ()) -> bool:
    """Tell whether a file's content has these measures, or those of `marks`, and no other."""
    try:
        document = json.loads(content)
    except ValueError:
        return False
    known = {name for name, _ in MEASURES} | set(marks)
    return (
        isinstance(document, dict)
        and bool(document)
        and all(isinstance(measures, dict) and measures.keys() <= known for measures in document.values())
    )


def _measures(run: Run) -> Measures:
    assert run.latency_ms is not None
    assert run.memory_mb is not None
    memory = run.memory_mb.loaded if run.memory_mb.peak is None else run.memory_mb.peak
    values = {
        LATENCY: run.latency_ms.p50,
        LOAD_TIME: run.load_ms,
        MEMORY: memory,
        SIZE: run.size_bytes,
        ACCURACY: None if run.accuracy is None else run.accuracy.top1,
    }
    found = {name: {"value": value * factor} for (name, factor), value in values.items() if value is not None}
    if run.latency_ms.p50_ci95 is not None:
        name, factor = LATENCY
        low, high = run.latency_ms.p50_ci95
        found[name] |= {"lower_value": low * factor, "upper_value": high * factor}
    return found
