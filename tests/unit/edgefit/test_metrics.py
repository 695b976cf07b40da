"""`--metric`: the user's function is imported and tried before anything is measured, and its errors are one
sentence."""

from collections.abc import Callable
from pathlib import Path

import pytest
from making.source_bundle import KINDS, make_source_bundle
from making.source_report import source_report
from typer.testing import CliRunner

from bench.bundle.manifest import read_bundle
from bench.errors import InputError
from bench.remote.board_run import BoardRequest
from bench.remote.fleet import BoardResult, OnReports
from bench.remote.targets import Target, parse_targets
from bench.report.files import read_report, write_report
from bench.run.request import BenchmarkRequest
from edgefit.app import app
from edgefit.boards import measure_boards
from edgefit.metrics import Metric, metrics_of, try_metrics, with_metrics
from edgefit.terminal import Output

SOURCE = """
import numpy as np

def right(y_true, y_score):
    predicted = y_score.argmax(axis=1) if y_score.ndim > y_true.ndim else (y_score > 0.5).astype(int)
    return (predicted == y_true).mean()

def raises(y_true, y_score):
    raise ValueError("no such average")

def many(y_true, y_score):
    return [0.5, 0.5]

def nothing(y_true, y_score):
    return float("nan")

NUMBER = 3
"""


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module of the user's in the current folder."""
    name = f"theirs_{abs(hash(tmp_path))}"
    (tmp_path / f"{name}.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    return name


@pytest.mark.parametrize("name", ["labels", "one sigmoid", "seven classes", "three classes"])
def test_each_row_and_the_source_have_its_value(module: str, name: str, tmp_path: Path) -> None:
    report = with_metrics(source_report(KINDS[name], 0.05), metrics_of([f"{module}:right"] * 2))
    rows = [run for run in report.runs if run.accuracy is not None]

    for run in rows:
        (metric,) = run.metrics
        assert run.accuracy is not None
        assert metric.name == f"{module}:right"
        assert metric.value == pytest.approx(run.accuracy.top1)
        assert metric.reference == rows[0].metrics[0].value
    write_report(tmp_path / "r.json", report)
    assert read_report(tmp_path / "r.json") == report


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        ("raises", "raised ValueError: no such average"),
        ("many", r"returned \[0\.5, 0\.5\]; it must return one finite number for y_true \[40\]"),
        ("nothing", "returned nan; it must return one finite number"),
    ],
)
def test_what_a_function_does_wrong_is_said_before_anything_is_measured(
    module: str, tmp_path: Path, function: str, sentence: str
) -> None:
    bundle = read_bundle(make_source_bundle(tmp_path / "bundle", KINDS["three classes"]))

    with pytest.raises(InputError, match=f"--metric {module}:{function}: {sentence}"):
        try_metrics(metrics_of([f"{module}:{function}"]), bundle)


@pytest.mark.parametrize(
    ("suffix", "sentence"),
    [
        ("", r"is not package\.module:function"),
        (":", r"is not package\.module:function"),
        (":missing", "has no function 'missing'"),
        (":NUMBER", "has no function 'NUMBER'"),
        (".inner:right", "raised ModuleNotFoundError"),
    ],
)
def test_a_name_that_is_no_function_is_refused(module: str, suffix: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        Metric.named(f"{module}{suffix}")


@pytest.mark.parametrize(("name", "because"), [("unlabelled", "no labels"), ("values", "no classes")])
def test_a_bundle_without_accuracy_has_no_metric(
    module: str, tmp_path: Path, name: str, because: str
) -> None:
    bundle = read_bundle(make_source_bundle(tmp_path / "bundle", KINDS[name]))

    with pytest.raises(InputError, match=f"has no accuracy, because .*{because}; leave it out"):
        try_metrics(metrics_of([f"{module}:right"]), bundle)


def test_model_files_have_no_metric(module: str) -> None:
    with pytest.raises(InputError, match="model files are measured without labels"):
        try_metrics(metrics_of([f"{module}:right"]), object())


def test_without_a_metric_nothing_is_opened() -> None:
    report = source_report(KINDS["values"])

    try_metrics((), object())
    assert with_metrics(report, ()) is report


def test_a_report_that_exists_gets_a_metric_when_it_is_shown(module: str, tmp_path: Path) -> None:
    write_report(tmp_path / "r.json", source_report(KINDS["labels"]))

    words = ["report", "r.json", "--metric", f"{module}:right", "--csv", "r.csv"]
    done = CliRunner().invoke(app, words)

    assert done.exit_code == 0, done.output
    assert f",{module}:right," in (tmp_path / "r.csv").read_text()
    assert read_report(tmp_path / "r.json").runs[0].metrics == ()


def test_the_report_of_a_board_gets_its_metrics_here(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = source_report(KINDS["three classes"])
    (target,) = parse_targets(["ssh://pi@board"])

    def measured(
        targets: list[Target],
        _request: object,
        _progress: object,
        on_reports: OnReports,
        show: Callable[[list[BoardResult]], None],
    ) -> None:
        assert on_reports(targets[0], (report,))
        show([BoardResult(targets[0], (report,))])

    monkeypatch.setattr("bench.remote.fleet.measure_fleet", measured)
    request = BoardRequest(
        subject=read_bundle(make_source_bundle(tmp_path / "bundle", KINDS["three classes"])),
        benchmark=BenchmarkRequest(tool="0", created="now"),
        profile=None,
        known_profiles=(),
        with_formats=(),
        wheelhouse=None,
    )

    measure_boards(
        [target], request, {target.name: tmp_path / "r.json"}, Output(False), metrics_of([f"{module}:right"])
    )

    (metric,) = read_report(tmp_path / "r.json").runs[0].metrics
    assert metric.name == f"{module}:right"
