"""Charts of latency: of many samples some are drawn."""

import pytest
from making.compared_report import Row, made_report

from bench.render.html.latency_charts import _samples


@pytest.mark.parametrize(("every", "strokes"), [(1, 360), (7, 53)])
def test_of_many_samples_every_so_manieth_is_drawn_with_both_ends(every: int, strokes: int) -> None:
    report = made_report({"onnx-fp32": Row(10, noise=(0.9, 1.0, 1.1))})

    (row,) = _samples(report, every).points

    assert len(row["ms"]) == strokes
    assert (row["ms"][0], row["ms"][-1]) == (9, 11)
