"""The tables of each class: figures, a confusion matrix, or of many classes the most frequent confusions."""

import pytest
from making.compared_report import Row, made_report
from making.source_bundle import KINDS
from making.source_report import source_report

from bench.report.class_markdown import class_markdown
from bench.report.class_tables import class_tables
from bench.report.schema import Report

NAMES = (
    "adipose",
    "background",
    "debris",
    "lymphocytes",
    "mucus",
    "smooth muscle",
    "mucosa",
    "a|b, c",
    "ü <i>",
)
LABELS = tuple(index % 9 for index in range(180))


def nine(lost: int = 4, given: int = 2) -> Report:
    """Nine classes of 20 images; int8 takes all images of one class for another one."""
    answers = tuple(given if label == lost else label for label in LABELS)
    rows = {"onnx-fp32": Row(10, answers=LABELS), "onnx-fp16": Row(9, answers=LABELS)}
    rows["onnx-int8"] = Row(4, answers=answers)
    return made_report(rows, labels=LABELS, classes=NAMES)


def many() -> Report:
    """A thousand classes of two images, each second image taken for the next class."""
    labels = tuple(index % 1000 for index in range(2000))
    answers = tuple((label + 1) % 1000 if at >= 1000 else label for at, label in enumerate(labels))
    rows = {"onnx-fp32": Row(10, answers=answers)}
    return made_report(rows, labels=labels, classes=tuple(f"kind {index}" for index in range(1000)))


def test_variants_with_the_same_figures_share_a_table_with_the_reference() -> None:
    same, other = class_tables(nine(), 20)

    assert same.whose == "fp32 network, onnx-fp32, onnx-fp16"
    assert other.whose == "onnx-int8"
    assert same.columns == other.columns == NAMES


def test_the_matrix_says_for_which_class_a_lost_one_is_taken() -> None:
    _, int8 = class_tables(nine(), 20)

    lost, debris = int8.rows[4], int8.rows[2]
    assert (lost.title, lost.images) == ("4 mucus", 20)
    assert lost.figures[:3] == ("0.000", "–", "0.000")
    assert [cell.count for cell in lost.cells] == [0, 0, 20, 0, 0, 0, 0, 0, 0]
    assert (lost.cells[2].share, lost.cells[2].is_right, lost.cells[4].is_right) == (1.0, False, True)
    assert debris.figures[:2] == ("1.000", "0.500")


def test_of_a_thousand_classes_the_worst_are_shown_and_the_others_counted() -> None:
    (table,) = class_tables(many(), 20)[1:]

    assert (table.columns, len(table.rows), table.left_out) == ((), 40, 960)
    assert (len(table.pairs), table.pairs_left_out) == (20, 980)
    assert all(row.cells == () for row in table.rows)
    lines = class_markdown(table, "images")
    assert "960 more classes" in "\n".join(lines)
    assert lines[-1] == "- 980 more pairs of classes"
    assert len(lines) < 80


def test_markdown_has_a_row_for_each_class_and_escapes_its_name() -> None:
    _, int8 = class_tables(nine(), 12)

    lines = class_markdown(int8, "images")

    assert lines[0] == "| class | images | recall | precision | F1 | AUC |"
    assert "| 4 mucus | 0 | 0 | 20 | 0 | **0** | 0 | 0 | 0 | 0 |" in lines
    assert r"7 a\|b, c" in "\n".join(lines)
    assert "<i>" not in "\n".join(lines)
    assert {line.count("|") - line.count(r"\|") for line in lines[-9:]} == {11}


def test_a_class_without_images_has_no_row_and_keeps_its_column() -> None:
    labels = tuple(0 if label == 4 else label for label in LABELS)
    report = made_report({"onnx-fp32": Row(10, answers=labels)}, labels=labels, classes=NAMES)

    (table,) = class_tables(report, 20)

    assert [row.index for row in table.rows] == [0, 1, 2, 3, 5, 6, 7, 8]
    assert {len(row.cells) for row in table.rows} == {9}


@pytest.mark.parametrize("kind", ["unlabelled", "labels", "values"])
def test_without_labelled_classes_there_is_no_table(kind: str) -> None:
    assert class_tables(source_report(KINDS[kind]), 20) == ()


def test_a_class_without_a_name_is_called_by_its_index_once() -> None:
    unnamed = next(
        name for name, kind in KINDS.items() if kind.output == "classes" and kind.labelled and not kind.names
    )

    assert class_tables(source_report(KINDS[unnamed]), 20)[0].rows[0].title == "class 0"
