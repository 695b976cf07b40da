"""A check as Bencher Metric Format: the candidate's own figures, for a history kept by Bencher. Pure."""

import json

from bench.decide.checked import Checked
from bench.decide.findings import Finding, Quantity
from bench.render.check.headline import of_case, variant_name

_NS_PER_MS = 1e6
_BYTES_PER_MIB = 1 << 20
# Bencher's own measures where it has one (latency in ns, file-size in bytes), and the factor to each.
_MEASURES = {
    Quantity.LATENCY: ("latency", _NS_PER_MS),
    Quantity.LOAD_TIME: ("load-time", _NS_PER_MS),
    Quantity.MEMORY: ("memory", _BYTES_PER_MIB),
    Quantity.SIZE: ("file-size", 1.0),
    Quantity.ACCURACY: ("accuracy", 1.0),
}
_MARK = "latency-ratio"


def to_bmf(checked: Checked) -> str:
    """Return the candidate's figures by variant; `latency-ratio` is candidate ÷ baseline."""
    document = {
        variant_name(findings[0], checked): measures
        for findings in of_case(checked)
        if (measures := _measures(findings))
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def was_bmf(content: bytes) -> bool:
    """Tell whether a file's content is an earlier check's."""
    try:
        document = json.loads(content)
    except ValueError:
        return False
    known = {name for name, _ in _MEASURES.values()} | {_MARK}
    return (
        isinstance(document, dict)
        and bool(document)
        and all(isinstance(measures, dict) and measures.keys() <= known for measures in document.values())
    )


def _measures(findings: list[Finding]) -> dict[str, dict[str, float]]:
    measures: dict[str, dict[str, float]] = {}
    for one in findings:
        if one.candidate is None or one.quantity not in _MEASURES:
            continue
        name, factor = _MEASURES[one.quantity]
        measures[name] = {"value": one.candidate * factor}
        if one.quantity is Quantity.LATENCY and one.ratio is not None and one.interval is not None:
            low, high = one.interval
            measures[_MARK] = {"value": one.ratio, "lower_value": low, "upper_value": high}
    return measures
