"""Reports as JUnit XML and as Bencher Metric Format."""

import json
from xml.etree import ElementTree

from making.page_reports import three_reports

from bench.render.bencher import is_bmf, to_bmf
from bench.render.junit import to_junit, was_junit


def test_junit_has_a_test_for_each_row_and_a_failure_for_each_that_failed() -> None:
    text = to_junit(three_reports())

    suites = ElementTree.fromstring(text).findall("testsuite")
    assert [suite.get("tests") for suite in suites] == ["6", "2", "1"]
    assert [suite.get("failures") for suite in suites] == ["1", "0", "0"]
    assert [suite.get("skipped") for suite in suites] == ["1", "0", "0"]
    (failure,) = suites[0].findall("testcase/failure")
    assert failure.get("type") == "crash"
    assert was_junit(text.encode())


def test_bmf_has_latency_in_nanoseconds_with_its_interval_and_says_what_it_is() -> None:
    text = to_bmf(three_reports())

    document = json.loads(text)
    latency = document["onnx-int8, laptop-cpu, measured"]["latency"]
    assert latency["lower_value"] < latency["value"] == 4e6 < latency["upper_value"]
    assert document["onnx-int8, laptop-cpu, measured"]["file-size"]["value"] == 2_500_000
    assert "onnx-fp32, raspberry-pi-5, proxy" in document
    assert len(document) == 7
    assert is_bmf(text.encode())
