"""The page's table of the recall of each class."""

from making.compared_report import Row, made_report
from making.source_bundle import KINDS
from making.source_report import source_report

from bench.choose.choosing import Criteria, choose
from bench.render.html.page import to_html
from bench.render.html.recalls import recalls_of
from device_profiles.settings import Budget

LABELS = (0,) * 400 + (1,) * 4
REPORT = made_report(
    {"onnx-int8": Row(4, answers=(0,) * 404), "onnx-fp32": Row(10, answers=LABELS)},
    labels=LABELS,
    classes=("healthy", "<ill>"),
)


def test_the_positive_class_comes_first_and_a_loss_is_marked() -> None:
    recalls = recalls_of(REPORT)

    assert recalls is not None
    ill, healthy = recalls.rows
    assert (ill.name, ill.is_positive, ill.images, ill.reference) == ("<ill>", True, 4, "1.000")
    assert [(cell.text, cell.is_lost) for cell in ill.cells] == [("0.000", True), ("1.000", False)]
    assert not any(cell.is_lost for cell in healthy.cells)


def test_the_page_shows_the_table_and_escapes_its_names() -> None:
    choices = [choice for choice, _ in choose([REPORT], Criteria(Budget()))]

    page = to_html([REPORT], choices)

    assert '<h2 id="recalls">Recall of each class</h2>' in page
    assert '<th scope="row">&lt;ill&gt; (positive)</th><td>4</td><td>1.000</td>' in page
    assert '<td class="lost">0.000 lost</td>' in page
    assert "<ill>" not in page


def test_few_classes_are_columns_and_many_are_rows() -> None:
    rows = {name: Row(4, answers=LABELS) for name in ("onnx-fp32", "onnx-fp16", "onnx-int8")}
    report = made_report(rows, labels=LABELS, classes=("healthy", "ill"))

    page = to_html([report], [])

    assert '<th scope="col">ill (positive), 4 images</th><th scope="col">healthy, 400 images</th>' in page
    assert '<tr><th scope="row">onnx-int8</th><td>1.000</td><td>1.000</td></tr>' in page


def test_of_many_classes_those_that_are_lost_are_shown() -> None:
    labels = tuple(place % 100 for place in range(1000))
    answers = tuple(0 if label == 99 else label for label in labels)
    names = tuple(f"kind {index}" for index in range(100))
    report = made_report({"onnx-int8": Row(4, answers=answers)}, labels=labels, classes=names)

    recalls = recalls_of(report)

    assert recalls is not None
    assert recalls.rows[0].name == "kind 99"
    assert (len(recalls.rows), recalls.left_out, recalls.has_lost) == (40, 60, True)


def test_there_is_no_table_without_labels() -> None:
    assert recalls_of(source_report(KINDS["unlabelled"])) is None
