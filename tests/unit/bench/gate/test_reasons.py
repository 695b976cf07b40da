"""The gate's reasons are whole sentences, also where a side gave none."""

import pytest

from bench.gate import reasons


@pytest.mark.parametrize(
    ("baseline", "candidate", "sentence"),
    [
        ("no device", "no device", "it runs on neither side: no device"),
        (None, None, "it runs on neither side: no reason is known"),
        ("no device", None, "it runs on neither side (baseline: no device; candidate: no reason is known)"),
    ],
)
def test_what_runs_on_neither_side_has_each_sides_reason(
    baseline: str | None, candidate: str | None, sentence: str
) -> None:
    assert reasons.runs_nowhere(baseline, candidate) == sentence
