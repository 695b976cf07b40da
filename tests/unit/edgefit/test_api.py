"""`import edgefit`: its signatures, its results, its errors. Nothing is measured here."""

import csv
import errno
import io
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from making.api_signatures import functions, written_signature
from making.compared_report import Row, made_report
from making.repository import ROOT
from making.tiny_report import make_report

import edgefit
from bench.bundle.model_graph import ModelGraph, OperatorCount
from bench.bundle.sidecar import SidecarPreprocess
from bench.bundle.variants import Precision
from bench.inspect.inspection import InspectedPreprocess, ModelInspection
from bench.render.csv_table import to_csv
from bench.report.files import parse_report, write_report
from edgefit import api
from edgefit.errors import python_errors
from edgefit.own_packages import require_own

PAGE = (ROOT / "docs" / "api.md").read_text()


@pytest.fixture
def report() -> edgefit.Report:
    return edgefit.Report.of(made_report({"onnx-fp32": Row(10), "onnx-int8": Row(4, size=2_500_000)}))


def test_the_page_has_every_signature_and_no_other() -> None:
    blocks = re.findall(r"^```python\n(edgefit\.\w+\(\n.*?)\n```", PAGE, re.MULTILINE | re.DOTALL)

    assert sorted(blocks) == [written_signature(name) for name in sorted(functions())]


def test_every_name_is_on_the_page_and_documented() -> None:
    assert edgefit.__all__ == api.__all__
    assert set(edgefit.__all__) <= set(dir(edgefit))
    for name in edgefit.__all__:
        assert getattr(edgefit, name).__doc__
        assert re.search(rf"\b{name}\b", PAGE), name
    with pytest.raises(AttributeError, match="has no attribute 'bensh'"):
        _ = edgefit.bensh  # type: ignore[attr-defined]


def test_a_report_is_the_same_document_with_views(report: edgefit.Report) -> None:
    record = parse_report(report.to_json().encode(), Path("r.json"))

    assert record.model_dump() == report.model_dump()
    assert edgefit.Report.of(report) is report
    assert repr(report) == "<Report 'tiny': profile laptop-cpu, 2 completed>"
    assert "onnx-int8" in str(report)
    assert "\x1b" not in str(report)


def test_a_frame_has_the_columns_of_the_csv_file_and_its_conditions(report: edgefit.Report) -> None:
    frame, everything = report.to_pandas(), report.to_pandas(controls=True)
    header, *lines = csv.reader(io.StringIO(to_csv([report])))

    assert list(frame.columns) == header
    assert list(everything.variant) == [line[header.index("variant")] for line in lines]
    assert list(frame.variant) == ["onnx-fp32", "onnx-int8"]
    assert list(frame.p50_ms) == [10.0, 4.0]
    assert frame.energy_mj.dtype == "float64"
    assert any("profile laptop-cpu on Test CPU" in line for line in frame.attrs["conditions"])
    with_warning = report.model_copy(update={"warnings": ("close other programs",)})
    assert with_warning.to_pandas().attrs["warnings"] == ["close other programs"]


def test_what_a_notebook_shows_has_conditions_and_warnings_and_is_escaped() -> None:
    record = make_report()
    name = "<script>alert(1)</script>"
    shown = edgefit.Report.of(record.model_copy(update={"warnings": (name,)}))._repr_html_()

    assert "profile laptop-cpu on Test CPU" in shown
    assert "&lt;script&gt;alert(1)" in shown
    assert "<script" not in shown
    assert len(shown) < 20_000


def test_a_check_of_reports_has_views(report: edgefit.Report) -> None:
    slower = made_report({"onnx-fp32": Row(15), "onnx-int8": Row(4, size=2_500_000)})
    checked = edgefit.check(slower, report)

    frame = checked.to_pandas()
    (worse,) = frame[frame.verdict == "WORSE"].itertuples()

    assert checked.exit_code == 10
    assert (worse.case, worse.quantity, worse.baseline, worse.unit) == ("onnx-fp32", "latency", 10e6, "ns")
    assert worse.interval_low == pytest.approx(1.5)
    assert "BLOCKED: onnx-fp32 is 50 % slower (" in checked._repr_html_()
    assert repr(checked).startswith("<Checked: BLOCKED")
    assert str(checked).startswith("BLOCKED")
    assert '"findings"' in checked.to_json()
    assert "15 %" in frame.attrs["conditions"][0]


def test_a_choice_of_reports_has_views(report: edgefit.Report, tmp_path: Path) -> None:
    write_report(tmp_path / "r.json", report)

    (choice,) = edgefit.choose([report])

    assert edgefit.choose(tmp_path / "r.json")[0].chosen == choice.chosen == "onnx-int8"
    assert list(choice.to_pandas().result) == ["chosen", "worse"]
    assert "2.50× the latency" in choice._repr_html_()
    assert repr(choice) == f"<Choice {choice.headline}>"
    assert str(choice).startswith(choice.headline)
    assert '"chosen":"onnx-int8"' in choice.to_json()
    assert edgefit.read_report(tmp_path / "r.json").name == report.name


def test_an_inspection_has_views(tmp_path: Path) -> None:
    operators = (
        OperatorCount(operator="Conv", count=2, macs=30),
        OperatorCount(operator="MatMul", count=1, macs=10),
    )
    shown = edgefit.Inspection.of(inspection(tmp_path / "a<b.onnx", operators))

    assert shown.to_pandas().share_of_macs.tolist() == [0.75, 0.25]
    assert shown.to_pandas().attrs["conditions"][0].endswith("a<b.onnx: onnx, fp32 by its graph")
    assert "a&lt;b.onnx" in shown._repr_html_()
    assert '"operators"' in shown.to_json()
    assert str(shown).splitlines()[0].endswith("a<b.onnx")
    assert repr(shown).endswith("onnx, fp32>")


def inspection(path: Path, operators: tuple[OperatorCount, ...]) -> ModelInspection:
    graph = ModelGraph(
        producer=None,
        ir_version=9,
        opsets=(),
        operators=operators,
        parameters=100,
        precision=Precision.FP32,
    )
    found = InspectedPreprocess(
        input=None,
        values=SidecarPreprocess(),
        channels=None,
        sources=(),
        missing=(),
        remedy=None,
        conflicts=(),
    )
    return ModelInspection(
        path=str(path),
        format="onnx",
        size_bytes=1,
        sha256="0" * 64,
        inputs=(),
        outputs=(),
        graph=graph,
        macs=40,
        macs_missing=None,
        preprocess=found,
        classes=None,
    )


def test_without_pandas_a_frame_says_what_to_install(
    report: edgefit.Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)

    with pytest.raises(edgefit.MissingRuntimeError, match="install it with: pip install pandas"):
        report.to_pandas()


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: edgefit.bench("nowhere.onnx"), "nowhere.onnx"),
        (lambda: edgefit.bench([]), "no model is given"),
        (lambda: edgefit.bench("a.onnx", profile="nowhere"), "nowhere"),
        (lambda: edgefit.bench("a.onnx", shape=(1, 0)), "is not a shape"),
        (lambda: edgefit.bench("a.onnx", shape={"x": (1.5,)}), "is not a shape"),  # type: ignore[dict-item]
        (lambda: edgefit.bench("a.onnx", sustained=0.1), "sustained 0.1 is out of range"),
        (lambda: edgefit.check("a.json", "b.json"), "a.json: no such model file, bundle or report"),
        (lambda: edgefit.check(make_report(), make_report(), max_slowdown=5), "from 0 to 1"),
        (lambda: edgefit.choose([]), "no report is given"),
        (lambda: edgefit.choose(make_report(), prefer="speed"), "unknown preference 'speed'"),
        (lambda: edgefit.choose(make_report(), max_p95_ms=0), "no variant can meet a limit of 0"),
        (lambda: edgefit.read_report("nowhere.json"), "nowhere.json: no such report"),
        (lambda: edgefit.read_report("/proc/1/environ/x"), "is a file, not a folder"),
        (lambda: edgefit.export("nowhere", "bundle", formats=["onx"]), "unknown format 'onx'"),
        (lambda: edgefit.finetune("nowhere", "run", arch="resnet"), "resnet"),
    ],
)
def test_every_error_has_one_base_class_and_one_sentence(
    call: Callable[[], object], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(edgefit.EdgefitError, match=re.escape(sentence)) as raised:
        call()

    assert raised.value.exit_code in (2, 3)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_an_error_of_edgefit_and_a_crash_stays_what_it_is() -> None:
    with (
        pytest.raises(edgefit.InputError, match="free some space there"),
        python_errors(),
    ):
        raise OSError(errno.ENOSPC, "No space left on device", "/there/report.json")
    with pytest.raises(ZeroDivisionError), python_errors():
        _ = 1 / 0


def test_a_file_in_the_way_of_a_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "export.py").write_text("raise AssertionError('it was imported')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "export", raising=False)

    with pytest.raises(ImportError, match=r"'export'.*export\.py under this name; rename"):
        require_own("bench", "export")
