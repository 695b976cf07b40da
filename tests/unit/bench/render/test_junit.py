"""Reports and checks as JUnit XML."""

from xml.etree import ElementTree

from making.checks import checked, report
from making.compared_report import Row
from making.page_reports import three_reports

from bench.render.junit import check_to_junit, report_to_junit, was_check_junit, was_report_junit


def test_junit_has_a_test_for_each_row_and_a_failure_for_each_that_failed() -> None:
    text = report_to_junit(three_reports())

    suites = ElementTree.fromstring(text).findall("testsuite")
    assert [suite.get("tests") for suite in suites] == ["6", "2", "1"]
    assert [suite.get("failures") for suite in suites] == ["1", "0", "0"]
    assert [suite.get("skipped") for suite in suites] == ["1", "0", "0"]
    (failure,) = suites[0].findall("testcase/failure")
    assert failure.get("type") == "crash"
    assert was_report_junit(text.encode())


def test_a_new_variant_is_skipped_in_junit() -> None:
    candidate = report(onnx_fp32=Row(10), onnx_int8=Row(4))

    document = check_to_junit(checked(candidate, report(onnx_fp32=Row(10))))
    suites = {suite.get("name"): suite for suite in ElementTree.fromstring(document)}

    assert suites["onnx-int8"].get("skipped") == "1"
    assert was_check_junit(document.encode())
    assert not was_check_junit(b"<testsuites/>")
