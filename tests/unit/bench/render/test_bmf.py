"""Reports and checks in Bencher Metric Format."""

import json

import pytest
from making.checks import checked, report
from making.compared_report import Row
from making.page_reports import three_reports

from bench.measurements import Skipped
from bench.render.bmf import check_to_bmf, is_bmf, report_to_bmf, was_check_bmf


def test_bmf_has_latency_in_nanoseconds_with_its_interval() -> None:
    text = report_to_bmf(three_reports())

    document = json.loads(text)
    latency = document["onnx-int8, laptop-cpu, measured"]["latency"]
    assert latency["lower_value"] < latency["value"] == 4e6 < latency["upper_value"]
    assert document["onnx-int8, laptop-cpu, measured"]["file-size"]["value"] == 2_500_000
    assert "onnx-fp32, raspberry-pi-5, proxy" in document
    assert len(document) == 7
    assert is_bmf(text.encode())
    assert is_bmf(b"{}")
    assert not is_bmf(b'{"dependencies": {}}')
    assert not is_bmf(b"[" * 100_000)


def test_bencher_gets_no_measure_of_what_does_not_run() -> None:
    before = report(onnx_fp32=Row(10), onnx_int8=Row(4))
    found = checked(report(onnx_fp32=Row(10), onnx_int8=Skipped(reason="no runtime")), before)

    document = check_to_bmf(found)

    assert json.loads(document).keys() == {"onnx-fp32"}
    assert json.loads(document)["onnx-fp32"]["latency-ratio"]["value"] == pytest.approx(1.0)
    assert was_check_bmf(document.encode())
    assert not was_check_bmf(b"no JSON")
