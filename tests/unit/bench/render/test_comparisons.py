"""A comparison of networks as it is shown: on a terminal, in Markdown and on the page."""

import io

import pytest
from making.compared_report import Row
from making.networks import network, two_networks
from rich.console import Console

from bench.compare.comparing import compare_networks
from bench.measurements import Skipped
from bench.render.comparison_markdown import comparison_to_markdown, was_comparison_markdown
from bench.render.comparison_view import comparison_view
from bench.render.html.page import to_html, was_html
from bench.report.schema import Report


def drawn(reports: list[Report], width: int, baseline: str | None = None) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(comparison_view(compare_networks(reports, baseline), reports, width))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [80, 140])
def test_a_terminal_shows_figures_ratios_and_the_front_and_cuts_no_cell(width: int) -> None:
    text = drawn(two_networks(), width)
    lines = [line.rstrip() for line in text.splitlines()]

    assert max(map(len, lines)) <= width
    assert "…" not in text
    assert lines[0] == "resnet, mobilenet: measured together for laptop-cpu on Test CPU"
    row = next(line for line in lines if line.startswith("* mobilenet/onnx-fp32"))
    assert row.split()[2:5] == ["10.00", "1.7", "100"]
    assert row.endswith("measured")
    assert ("310.00" in row) is (width == 140)
    ratios = next(line for line in lines if line.startswith("mobilenet/onnx-fp32  "))
    assert "2.00× (1.96–2.04)" in ratios
    assert "−2.0 (−2.9 to −1.1)" in ratios
    assert "4.89×" in ratios
    whole = " ".join(text.split())
    assert "on the Pareto front of p50, memory, size and accuracy: resnet/onnx-fp32" in whole
    assert (
        "mobilenet/onnx-fp32 against resnet/onnx-fp32: 4.89× smaller, 2.00× faster (1.96 to 2.04; measured), "
        "2.00× less memory, at −2.0 (−2.9 to −1.1) points of accuracy on 1000 images"
    ) in whole


def test_what_is_worse_is_said_with_its_own_words_and_interval() -> None:
    text = " ".join(drawn(two_networks(), 140, "mobilenet").split())

    assert (
        "resnet/onnx-fp32 against mobilenet/onnx-fp32: 4.89× larger, 2.00× slower (1.96 to 2.04; measured), "
        "2.00× more memory, at +2.0 (+1.1 to +2.9) points of accuracy on 1000 images"
    ) in text


def test_what_is_not_compared_is_said_with_its_reason() -> None:
    skipped = Skipped(reason="no such runtime here")
    few = Row(20, noise=(1.0,))
    large = network("large", {"onnx-fp32": few, "onnx-int8": Row(9), "openvino-fp32": skipped})
    small = network("small", {"onnx-fp32": few, "openvino-fp32": Row(8)}, samples="8" * 64)

    text = " ".join(drawn([large, small], 140).split())

    assert "not compared: small/openvino-fp32: large/openvino-fp32 was skipped" in text
    assert "the front does not judge accuracy, because not all networks have accuracy on the same" in text
    assert "note: the accuracy of small is not compared with large's: evaluated on other images" in text
    assert "no interval of times as fast: small/onnx-fp32: its report has too few processes for an" in text
    assert "large: openvino-fp32 skipped: no such runtime here" in text
    assert "the same size" in text


def test_of_many_rows_those_on_the_front_have_sentences_and_a_shared_warning_is_said_once() -> None:
    formats = ("onnx-fp32", "onnx-int8", "openvino-fp32", "openvino-int8")
    large = network("large", {name: Row(500 + number) for number, name in enumerate(formats)})
    others = [
        network(name, {each: Row(8 + number, mib=90 + number) for number, each in enumerate(formats)})
        for name in ("small", "tiny")
    ]
    warned = [
        report.model_copy(update={"warnings": ("the machine is warm",)}) for report in (large, others[0])
    ]

    text = " ".join(drawn([*warned, others[1]], 140).split())
    slower = " ".join(drawn([others[0], large], 140).split())

    assert "small/onnx-fp32 against large/onnx-fp32: the same size, 62.50× faster" in text
    assert "small/onnx-int8 against" not in text
    assert text.count("the machine is warm") == 1
    assert "warning: large; small: the machine is warm" in text
    assert "0.016× (0.016–0.016)" in slower


def test_markdown_has_both_tables_and_escapes_names() -> None:
    reports = two_networks()
    named = reports[1].model_copy(update={"name": "small|*net*"})
    text = comparison_to_markdown(compare_networks([reports[0], named]), [reports[0], named])

    assert was_comparison_markdown(text.encode())
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.replace("\\|", "").count("|") for line in rows[:6]}) == 1
    assert len({line.replace("\\|", "").count("|") for line in rows[6:]}) == 1
    assert len(rows) == 10
    assert "small|*net*" not in text
    assert "2.00× (1.96–2.04)" in text


def test_the_page_has_the_comparison_in_the_place_of_the_choice() -> None:
    reports = two_networks()
    named = reports[1].model_copy(update={"name": "<b>small</b>"})

    page = to_html([reports[0], named], (), comparison=compare_networks([reports[0], named]))

    assert was_html(page.encode())
    assert "Networks side by side" in page
    assert "What to ship" not in page
    assert "<b>small" not in page
    assert "2.00× (1.96–2.04)" in page
    assert 'data-chart="compared"' in page
    assert "Latency against accuracy, all networks" in page
