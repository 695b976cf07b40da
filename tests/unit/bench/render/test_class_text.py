"""What every output says of nine classes and of a thousand."""

import pytest
from making.checks import checked
from making.compared_report import Row, made_report

from bench.choose.choosing import Criteria, choose
from bench.errors import InputError
from bench.gate.document import Checked
from bench.gate.headline import headline
from bench.render.class_text import class_lines
from bench.render.html.page import to_html
from bench.render.markdown import report_to_markdown
from bench.report.schema import Report
from device_profiles.settings import Budget

NAMES = (*(f"kind {index}" for index in range(8)), "a name, with a comma and <signs>")
LABELS = tuple(index % 9 for index in range(180))


def nine(labels: tuple[int, ...] = LABELS, lost: int = 4) -> Report:
    """Nine classes; int8 takes all images of one for class 2."""
    answers = tuple(2 if label == lost else label for label in labels)
    rows = {"onnx-fp32": Row(10, answers=labels), "onnx-int8": Row(4, answers=answers)}
    return made_report(rows, labels=labels, classes=NAMES)


def test_the_most_confused_classes_are_named_with_the_variant_and_what_the_reference_does() -> None:
    assert class_lines(nine()) == [
        "most confused classes: 'kind 4' taken for 'kind 2': 20 of 20 (onnx-int8; the fp32 network 0)"
    ]


def test_a_class_without_images_is_said() -> None:
    labels = tuple(0 if label in (4, 5) else label for label in LABELS)

    assert class_lines(nine(labels, lost=9)) == [
        "none of the evaluation images is of 'kind 4', 'kind 5'; means over classes leave them out"
    ]


def test_two_classes_have_sensitivity_and_no_such_line() -> None:
    assert class_lines(made_report({"onnx-int8": Row(4, wrong=10)}, labels=(0,) * 90 + (1,) * 10)) == []


def test_the_page_has_a_matrix_with_counts_and_shares() -> None:
    page = to_html([nine()], [])

    assert '<h2 id="classes">What each class is taken for</h2>' in page
    assert '<td class="wrong" style="--share:1.00">20<small>100%</small></td>' in page
    assert '<th scope="row">8 a name, with a comma and &lt;signs&gt;</th>' in page
    assert "<signs>" not in page
    assert page.count('<div class="devices wide">') == 2  # a matrix of nine classes in half a page is cut off


def test_a_page_of_a_thousand_classes_is_hardly_larger_than_one_of_two() -> None:
    labels = tuple(range(1000))
    answers = tuple((label + 1) % 1000 for label in labels)
    rows = {"onnx-fp32": Row(10, answers=answers)}
    many = made_report(rows, labels=labels, classes=tuple(f"kind {index}" for index in labels))

    page, small = to_html([many], []), to_html([made_report({"onnx-fp32": Row(10, wrong=1000)})], [])

    assert len(page) < len(small) + 60_000
    assert "960 more classes are in the report" in page
    assert "980 more pairs of classes are confused" in page


def test_markdown_folds_the_tables_of_each_class() -> None:
    markdown = report_to_markdown([nine()], [])

    assert "<details><summary>Each class</summary>" in markdown
    assert "**onnx-int8**" in markdown
    assert "| 4 kind 4 | 0 | 0 | 20 | 0 | **0** | 0 | 0 | 0 | 0 |" in markdown


def test_a_class_of_nine_that_is_lost_is_named_by_check_and_by_choose() -> None:
    before = made_report({"onnx-int8": Row(4, answers=LABELS)}, labels=LABELS, classes=NAMES)
    after = nine()
    ((choice, _),) = choose([after], Criteria(Budget(retention=0.99)))
    found: Checked = checked(after, before)

    assert found.exit_code == 10
    assert "'kind 4'" in headline(found)
    assert choice.chosen == "onnx-fp32"
    int8 = next(row for row in choice.candidates if row.name == "onnx-int8")
    assert "class 'kind 4': recall 0.00 instead of 1.00 on 20 images" in int8.reason


def test_two_networks_of_many_classes_that_differ_are_told_by_the_first_that_differs() -> None:
    names = tuple(f"kind {index}" for index in range(40))
    other = (*names[:30], "another", *names[31:])
    before, after = (
        made_report({"onnx-fp32": Row(4, answers=(0, 1))}, labels=(0, 1), classes=classes)
        for classes in (names, other)
    )

    with pytest.raises(InputError, match="with 'another' as class 30, and 'tiny' has 40 classes"):
        checked(after, before)
