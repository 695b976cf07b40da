"""What every output says of bundles without labels, with several labels, and without classes."""

import base64
import csv
import gzip
import html
import io
import json
import re

import pytest
from making.page_reports import HOSTILE
from making.source_bundle import KINDS
from making.source_report import every_report, source_report
from rich.console import Console

from bench.choose.choosing import Choice, Criteria, choose
from bench.measurements import Skipped
from bench.render.bmf import is_bmf, report_to_bmf
from bench.render.csv_table import to_csv
from bench.render.data_frame import report_to_frame
from bench.render.html.notebook import report_to_notebook
from bench.render.html.page import to_html
from bench.render.junit import report_to_junit
from bench.render.markdown import report_to_markdown
from bench.render.terminal import choice_view, history_view, report_view
from bench.report.schema import MetricValue, Report
from device_profiles.settings import Budget

KIND_NAMES = pytest.mark.parametrize("name", KINDS)


def terminal(report: Report, width: int = 140) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(report_view(report, width))
    for choice, _ in choose([report], Criteria(Budget(source="for tests"))):
        console.print(choice_view(choice))
    console.print(history_view([report, report], width))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def page_of(report: Report, *choices: Choice) -> str:
    """What a page says, without its scripts."""
    return to_html([report], choices).partition("<script")[0]


def said(report: Report) -> str:
    return " ".join(terminal(report).split())


@KIND_NAMES
def test_no_output_says_that_a_source_is_fp32(name: str) -> None:
    """The explanations of columns name both, because one page may hold reports of both."""
    report = source_report(KINDS[name])
    both = r"the fp32 network's( sensitivity| specificity| class)?( on the same images)?,? or the source's"
    page = to_html([report], (), [report, report])
    packed = re.findall('id="charts"[^>]*>([^<]*)<', page)
    charts = gzip.decompress(base64.b64decode(packed[0])).decode()
    charts = charts.replace(r"\u0027", "'").replace(r"\u00f7", "÷")
    shown = (html.unescape(page) + charts, report_to_markdown([report], ()), terminal(report))

    for text in shown:
        assert not re.findall("fp32 network|fp32's", re.sub(both, "", text))
    if report.evaluation is not None and report.evaluation.gap is None:
        assert "accuracy ÷ the source's, 95 % interval" in shown[0]


@KIND_NAMES
@pytest.mark.parametrize("width", [80, 140])
def test_a_terminal_shows_every_kind_and_cuts_nothing(name: str, width: int) -> None:
    shown = terminal(source_report(KINDS[name]), width)

    assert max(map(len, shown.splitlines())) <= width
    assert "torchscript-fp32" in shown
    for word in ("nan", "None", "inf ", "…"):
        assert not re.search(rf"\b{re.escape(word)}", shown), word


@KIND_NAMES
def test_every_file_shows_every_kind(name: str) -> None:
    report = source_report(KINDS[name])
    choices = [choice for choice, _ in choose([report], Criteria(Budget(source="for tests")))]
    page, markdown = page_of(report, *choices), report_to_markdown([report], choices)
    bmf = report_to_bmf([report])

    for text in (
        page.partition("<script")[0],
        markdown,
        report_to_junit([report]),
        report_to_notebook(report),
    ):
        assert "TorchScript needs a network of torch" in text
        assert not re.search(r"\b(nan|None)\b", re.sub(r"<p>None: all .*?</p>|None: all \d", "", text))
    assert is_bmf(bmf.encode())
    assert len(json.loads(bmf)) == 2
    frame = report_to_frame(report, with_controls=False)
    assert len(frame) == 3


def test_conditions_name_the_source_its_input_and_why_there_is_no_accuracy() -> None:
    unlabelled, values, labels = (
        said(source_report(KINDS[name])) for name in ("unlabelled", "values", "labels")
    )

    assert "theirs: theirs.onnx (ONNX file) at 8×8, weights" in unlabelled
    assert "images: crop to 8×8 pixels, bilinear; bgr;" in unlabelled
    assert "(scale from config.json)" in unlabelled
    assert (
        "agreement with the source on 300 of 300 evaluation images, and no accuracy: the samples"
        in unlabelled
    )
    assert "theirs.onnx (ONNX file), age: float32 [1, 1]; signal: float32 [1, 3], weights" in values
    assert "SQNR on 300 of 300 evaluation samples, and no accuracy: the judged output holds" in values
    assert "accuracy on 300 of 300 evaluation images, 3 labels each" in labels


def test_a_budget_of_retention_is_said_to_be_unchecked_without_labels() -> None:
    unlabelled, labelled = source_report(KINDS["unlabelled"]), source_report(KINDS["three classes"])

    assert unlabelled.profile.budget.retention is not None
    assert "was not checked, because there is no accuracy: the samples have no labels" in said(unlabelled)
    assert "was not checked" not in said(labelled)


def test_columns_are_those_that_the_output_has() -> None:
    heads = {name: next(csv.reader(io.StringIO(to_csv([report])))) for name, report in every_report().items()}

    assert {name for name, head in heads.items() if "macro_auc" in head} == {
        "labels",
        "seven classes",
        "three classes",
    }
    assert [name for name, head in heads.items() if "top5" in head] == ["seven classes"]
    assert [name for name, head in heads.items() if "cosine" in head] == ["values"]
    assert [name for name, head in heads.items() if "auc[finding 1]" in head] == ["labels"]


def test_what_stands_in_for_accuracy_is_in_markdown_and_says_exact() -> None:
    markdown = report_to_markdown([source_report(KINDS["values"])], [])

    assert "| cosine | SQNR dB |" in markdown
    assert re.search(r"\| onnx-fp32 .* 1\.0000 \| exact \|", markdown)


def test_junit_says_how_near_the_source_a_row_is() -> None:
    assert "SQNR 43.4 dB with the source on 300 images" in report_to_junit(
        [source_report(KINDS["unlabelled"])]
    )


def test_the_page_shows_changed_images_of_labels_and_of_unlabelled_ones() -> None:
    labels = page_of(source_report(KINDS["labels"]))
    unlabelled = page_of(source_report(KINDS["unlabelled"]))

    assert "of 900 labels of 300 images" in labels
    assert re.search(r"image \d+, (not )?finding \d: the source says (not )?finding \d; onnx-int8", labels)
    assert "Each label" in labels
    assert re.search(r"image \d+: the source says finding \d; onnx-int8 finding \d", unlabelled)
    assert "Agreement with the source" in unlabelled
    assert "Images that changed their class" not in page_of(source_report(KINDS["values"]))


def test_a_class_without_a_name_has_a_number() -> None:
    page = page_of(source_report(KINDS["seven classes"]))

    assert re.search(r"image \d+, class \d: the source says class \d; onnx-int8 class \d", page)


def test_a_metric_of_the_users_own_is_a_column_everywhere() -> None:
    report = source_report(KINDS["three classes"])
    metric = MetricValue(name="ours.metrics:kappa", value=0.123, reference=0.5)
    runs = tuple(
        run.model_copy(update={"metrics": (metric,)}) if run.accuracy is not None else run
        for run in report.runs
    )
    report = report.model_copy(update={"runs": runs})

    assert "kappa" in terminal(report)
    assert "| kappa |" in report_to_markdown([report], [])
    _, row, *_ = csv.DictReader(io.StringIO(to_csv([report])))
    assert row["ours.metrics:kappa"] == "0.123"
    assert 'data-key="ours.metrics:kappa" data-value="0.123"' in page_of(report)
    assert report_to_frame(report, with_controls=False)["ours.metrics:kappa"].tolist()[:2] == [0.123] * 2


def test_hostile_names_of_classes_and_reasons_are_escaped() -> None:
    report = source_report(KINDS["labels"])
    assert report.bundle is not None
    bundle = report.bundle.model_copy(update={"classes": (HOSTILE, "a|b", "c")})
    runs = tuple(
        run.model_copy(update={"outcome": Skipped(reason=HOSTILE)}) if run.status == "skipped" else run
        for run in report.runs
    )
    report = report.model_copy(update={"bundle": bundle, "runs": runs})

    assert "<script>alert(1)" not in page_of(report)
    assert "<script>" not in report_to_markdown([report], [])
    assert "<script>" not in report_to_notebook(report)
