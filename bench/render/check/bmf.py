"""A check as Bencher Metric Format: the candidate's own figures, for a history kept by Bencher. Pure."""

from bench.gate.document import Checked
from bench.gate.findings import Finding, Quantity
from bench.render.bencher import ACCURACY, LATENCY, LOAD_TIME, MEMORY, SIZE, Measures, is_bmf, to_text
from bench.render.check.headline import of_case, variant_name

_MEASURES = {
    Quantity.LATENCY: LATENCY,
    Quantity.LOAD_TIME: LOAD_TIME,
    Quantity.MEMORY: MEMORY,
    Quantity.SIZE: SIZE,
    Quantity.ACCURACY: ACCURACY,
}
_MARK = "latency-ratio"


def to_bmf(checked: Checked) -> str:
    """Return the candidate's figures by variant; `latency-ratio` is candidate ÷ baseline."""
    return to_text(
        {
            variant_name(findings[0], checked): measures
            for findings in of_case(checked)
            if (measures := _measures(findings))
        }
    )


def was_bmf(content: bytes) -> bool:
    """Tell whether a file's content is an earlier check's."""
    return is_bmf(content, [_MARK])


def _measures(findings: list[Finding]) -> Measures:
    measures: Measures = {}
    for one in findings:
        if one.candidate is None or one.quantity not in _MEASURES:
            continue
        name, factor = _MEASURES[one.quantity]
        measures[name] = {"value": one.candidate * factor}
        if one.quantity is Quantity.LATENCY and one.ratio is not None and one.interval is not None:
            low, high = one.interval
            measures[_MARK] = {"value": one.ratio, "lower_value": low, "upper_value": high}
    return measures
