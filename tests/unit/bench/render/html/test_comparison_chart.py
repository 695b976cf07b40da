"""The chart of all networks of a comparison."""

import json

from making.compared_report import Row
from making.networks import network, two_networks

from bench.compare.comparing import compare_networks
from bench.measurements import Skipped
from bench.render.html.comparison_chart import comparison_chart
from bench.render.html.drawing import Chart
from bench.report.schema import Report


def drawn(reports: list[Report]) -> Chart:
    chart = comparison_chart(compare_networks(reports))
    assert chart is not None
    return chart


def test_every_file_of_every_network_is_a_point_with_its_network_and_the_front() -> None:
    slower = network("slow", {"onnx-fp32": Row(30, mib=300, size=50_000_000, wrong=50)})

    chart = drawn([*two_networks(), slower])

    assert chart.title == "Latency against accuracy"
    assert [row[0] for row in chart.rows] == [
        "resnet/onnx-fp32",
        "resnet/onnx-int8",
        "mobilenet/onnx-fp32",
        "mobilenet/onnx-int8",
        "slow/onnx-fp32",
    ]
    assert chart.rows[2][1:] == ("10", "0.980", "0.969 to 0.987", "yes", "measured")
    assert chart.rows[4][4] == "no"
    text = json.dumps(chart.specification)
    assert '"domain": ["resnet", "mobilenet", "slow"]' in text
    assert '"line"' in text  # the front
    assert "The dotted line is the front of p50 and accuracy alone." in chart.caption


def test_networks_with_other_images_are_drawn_against_size_and_the_caption_says_why() -> None:
    large = network("large", {"onnx-fp32": Row(20, size=44_000_000), "onnx-int8": Skipped(reason="no")})
    small = network("small", {"onnx-fp32": Row(10)}, samples="8" * 64)

    chart = drawn([large, small])

    assert chart.columns == ("network and file", "p50 ms", "size MB", "on the front", "provenance")
    assert "Accuracy is not drawn, because not all networks have it on the same images." in chart.caption
    assert "1 of 3 rows have no latency or size, and are left out." in chart.caption


def test_a_proxy_is_named_and_drawn_as_one() -> None:
    reports = [network(name, {"onnx-fp32": Row(9)}, provenance="proxy") for name in ("a", "b")]

    chart = drawn(reports)

    assert "Triangles are latencies of the proxy, not of laptop-cpu." in chart.caption
    assert '"triangle-up"' in json.dumps(chart.specification)


def test_without_a_single_latency_there_is_no_chart() -> None:
    reports = [network(name, {"onnx-fp32": Skipped(reason="no")}) for name in ("a", "b")]

    assert comparison_chart(compare_networks(reports)) is None
