"""The report's file: raw values are the truth, and a summary that is not theirs is refused."""

import json
import os
import re
from pathlib import Path
from typing import NoReturn

import pytest
from making.compared_report import Row, made_report
from making.model_report import every_kind, model_report
from making.source_bundle import KINDS
from making.source_report import source_report
from making.tiny_report import MS, completed, make_report

from bench.bundle.variants import Precision
from bench.errors import InputError, ReportMismatchError
from bench.measurements import Outcome
from bench.report.figures import with_independent_labels
from bench.report.files import read_report, to_json, write_report
from bench.report.schema import Report
from bench.report.summaries import References, summarise


def change(path: Path, value: object, *keys: str | int) -> None:
    content = json.loads(path.read_text())
    inner = content
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    path.write_text(json.dumps(content))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "report.json"
    write_report(path, make_report())
    return path


def test_a_report_reads_back_what_was_written(path: Path) -> None:
    assert read_report(path) == make_report()


def test_the_file_has_the_keys_of_the_contract(path: Path) -> None:
    content = json.loads(path.read_text())

    assert content["schema"] == 2
    assert {"tool", "created", "name", "host", "profile", "bundle", "runs"} <= content.keys()
    row = content["runs"][0]
    assert row.keys() >= {"case", "variant", "config", "provenance", "outcome", "summary", "warnings"}
    assert row["config"] == {"threads": 2, "variables": "", "provider": "cpu", "batch": 1}
    outcome, summary = row["outcome"], row["summary"]
    percentiles = {f"{name}_ns" for name in ("p50", "p90", "p95", "p99", "mean", "min", "max", "p50_ci95")}
    assert summary["latency"].keys() >= percentiles
    sizes = {f"{name}_bytes" for name in ("runtime", "loaded", "peak", "device", "proportional")}
    assert outcome["memory"].keys() == sizes
    assert summary["accuracy"].keys() >= {
        "images",
        "top1",
        "auc",
        "agreement",
        "retention",
        "mcnemar_p",
        "flips",
        "sqnr_db",
    }
    assert outcome["status"] == "completed"
    assert outcome["processes"][0]["blocks"][0].keys() >= {"position", "ns"}
    assert row["precision"] == "fp32"
    assert summary["precision_ran"].keys() >= {"share_of_macs", "evidence"}
    assert [row["variant"] for row in content["runs"][-2:]] == ["null", "control"]


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (("latency", "p50_ns"), 0.5),
        (("latency", "samples"), 3),
        (("accuracy", "top1"), 1.0),
        (("accuracy", "flips"), [1, 2]),
        (("accuracy", "retention", "ci95"), [0.99, 1.0]),
        (("load_ns",), 0.1),
        (("relative_to_control", "ratio"), 0.1),
        (("relative_to_fp32",), None),
        (("precision_ran", "share_of_macs", "int8"), 0.5),
        (("energy_per_inference_j",), 1.0),
        (("file_cache",), "cold"),
    ],
)
def test_a_summary_changed_by_hand_is_refused_and_named(
    path: Path, keys: tuple[str, ...], value: object
) -> None:
    change(path, value, "runs", 1, "summary", *keys)

    with pytest.raises(
        ReportMismatchError, match=rf"onnx-int8: 'summary.{'.'.join(keys)}' does not match the measurements"
    ):
        read_report(path)


def older_report_of_labels() -> Report:
    """A report of several labels as it was written when each of them counted as independent."""
    report = source_report(KINDS["labels"], error=0.4)
    runs = []
    for run in report.runs:
        if run.summary is not None and run.summary.accuracy is not None and report.evaluation is not None:
            assert run.completed is not None
            assert run.completed.logits is not None
            older = with_independent_labels(run.summary.accuracy, run.completed.logits, report.evaluation)
            run = run.model_copy(update={"summary": run.summary.model_copy(update={"accuracy": older})})
        runs.append(run)
    return report.model_copy(update={"runs": tuple(runs)})


def test_an_older_report_of_labels_gets_the_intervals_of_images(tmp_path: Path) -> None:
    older, present = older_report_of_labels(), source_report(KINDS["labels"], error=0.4)
    write_report(tmp_path / "labels.json", older)

    found = read_report(tmp_path / "labels.json")

    assert found.runs != older.runs
    assert found.runs == present.runs
    change(tmp_path / "labels.json", [0.99, 1.0], "runs", 1, "summary", "accuracy", "retention", "ci95")
    with pytest.raises(ReportMismatchError, match=r"summary\.accuracy\.retention\.ci95"):
        read_report(tmp_path / "labels.json")


def test_a_sample_changed_by_hand_is_refused(path: Path) -> None:
    change(path, [1, 1, 1, 1], "runs", 0, "outcome", "processes", 0, "blocks", 0, "ns")

    with pytest.raises(ReportMismatchError, match="latency"):
        read_report(path)


def test_a_failed_row_may_not_carry_numbers(path: Path) -> None:
    change(path, "failed", "runs", 0, "outcome", "status")

    with pytest.raises(InputError, match=r"runs\.0\.outcome\.stage. is missing"):
        read_report(path)

    died = {"status": "failed", "stage": "load", "kind": "crash", "message": "died"}
    change(path, died, "runs", 0, "outcome")
    with pytest.raises(
        ReportMismatchError, match="onnx-fp32: its status is failed, but 'summary' says otherwise"
    ):
        read_report(path)


def test_a_completed_row_without_its_summary_is_refused(path: Path) -> None:
    change(path, None, "runs", 0, "summary")

    with pytest.raises(
        ReportMismatchError, match="onnx-fp32: its status is completed, but 'summary' says otherwise"
    ):
        read_report(path)


def test_a_row_under_another_name_than_its_variant_and_provider_give_is_refused(path: Path) -> None:
    change(path, "onnx-fp16", "runs", 0, "case")

    with pytest.raises(ReportMismatchError, match="'case' must be 'onnx-fp32'"):
        read_report(path)


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (("runs", 0, "outcome", "logits"), [[1.0, 2.0]]),
        (("runs", 0, "outcome", "processes", 0, "blocks"), []),
        (("evaluation", "positive_class"), 7),
    ],
)
def test_measurements_that_do_not_fit_together_are_refused(
    path: Path, keys: tuple[str | int, ...], value: object
) -> None:
    change(path, value, *keys)

    with pytest.raises(ReportMismatchError, match=r"report\.json: onnx-fp32: "):
        read_report(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "not valid JSON"),
        ("{}", "is missing"),
        ("[1]", "input should be an object"),
        ("[" * 100_000, "not valid JSON"),
        ('{"schema": 2}', "schema|missing"),
    ],
)
def test_a_file_that_is_no_report_is_refused(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "r.json").write_text(content)

    with pytest.raises(InputError, match=words):
        read_report(tmp_path / "r.json")


@pytest.mark.parametrize("reach", [0.0, -1.0])
def test_a_projection_whose_factor_has_no_range_is_refused(tmp_path: Path, reach: float) -> None:
    path = tmp_path / "r.json"
    write_report(path, made_report({"onnx-fp32": Row(10)}))
    factor = {"what": "clock", "value": 1.0, "reach": reach}
    projected = {
        "low_ns": 1.0,
        "high_ns": 2.0,
        "basis_ns": 1.0,
        "basis": "a",
        "factors": [factor],
        "basis_precision": "fp32",
    }
    change(path, projected, "runs", 0, "projection")

    with pytest.raises(ReportMismatchError, match=r"do not fit together|not what its basis"):
        read_report(path)


def test_only_a_report_is_ever_overwritten(path: Path, tmp_path: Path) -> None:
    write_report(path, make_report(name="second"))
    (tmp_path / "thesis.json").write_text("{}")

    with pytest.raises(InputError, match="was not written by edgefit"):
        write_report(tmp_path / "thesis.json", make_report())

    assert read_report(path).name == "second"
    assert (tmp_path / "thesis.json").read_text() == "{}"


def test_a_report_of_an_older_edgefit_may_be_overwritten_too(path: Path) -> None:
    path.write_text(json.dumps({"schema": 0, "tool": "0.0.1", "bundle": {}, "runs": []}))

    write_report(path, make_report(name="second"))

    assert read_report(path).name == "second"


def test_a_report_is_one_json_document() -> None:
    assert json.loads(to_json(make_report()))["name"] == "tiny"


def test_a_row_is_compared_with_the_fp32_of_its_own_provider() -> None:
    on_cpu, on_gpu = completed(10), completed(2)
    outcomes: dict[str, Outcome] = {"onnx-fp32": on_cpu, "onnx-fp32@gpu": on_gpu}

    assert References.of("onnx", "gpu", outcomes).fp32 is on_gpu
    assert References.of("onnx", "cpu", outcomes).fp32 is on_cpu
    assert References.of("onnx", "npu", outcomes).fp32 is None


class _Unlistable(dict[str, Outcome]):
    """A run's outcomes, which must not be looked through for each of its rows."""

    def items(self) -> NoReturn:
        raise AssertionError


def test_a_row_of_a_bundle_is_summarised_without_looking_through_all_others() -> None:
    references = References.of("onnx", "cpu", _Unlistable({"onnx-fp32": completed(10)}))

    summary = summarise(completed(2), Precision.INT8, None, references)

    assert summary.outputs is None
    assert summary.relative_to_fp32 is not None


def test_the_interval_of_the_median_is_in_nanoseconds_as_the_median_is() -> None:
    (run, _) = made_report({"onnx-fp32": Row(10, noise=(0.9, 1.0, 1.0, 1.0, 1.1))}).runs

    assert run.summary is not None
    latency = run.summary.latency
    assert latency.p50_ci95_ns is not None
    low, high = latency.p50_ci95_ns
    assert 8 * MS < low < latency.p50_ns < high < 12 * MS


@pytest.mark.parametrize("content", [b"\x08\x08\x12\x07pytorch", b"", b"created,host\n"])
def test_a_file_that_is_no_json_document_says_how_to_get_a_report(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)

    with pytest.raises(
        InputError, match=r"model\.onnx: is an? .*, (but )?not a report, .*: edgefit bench .* --out"
    ):
        read_report(path)


@pytest.mark.parametrize("name", KINDS)
def test_a_report_of_every_kind_reads_back_what_was_written(tmp_path: Path, name: str) -> None:
    report = source_report(KINDS[name])
    write_report(tmp_path / "r.json", report)

    assert read_report(tmp_path / "r.json") == report


def test_an_older_report_gets_the_figures_that_did_not_exist(path: Path) -> None:
    content = json.loads(path.read_text())
    figures = content["runs"][0]["summary"]["accuracy"]
    for name in ("decisions", "cosine", "balanced_accuracy", "macro_auc", "top5", "f1", "by_label"):
        del figures[name]
    for name in ("auc_ci95", "without_images", "confused", "confused_pairs"):
        del figures[name]
    for name in ("precision", "f1", "auc"):
        del figures["by_class"][0][name]
    del content["evaluation"]["output"]
    path.write_text(json.dumps(content))

    assert read_report(path) == make_report()


@pytest.mark.parametrize("name", ["f1", "balanced_accuracy", "decisions"])
def test_a_newer_figure_that_was_changed_is_refused_too(path: Path, name: str) -> None:
    change(path, 3, "runs", 0, "summary", "accuracy", name)

    with pytest.raises(ReportMismatchError, match=rf"'summary\.accuracy\.{name}' does not match"):
        read_report(path)


@pytest.mark.parametrize("name", ["precision", "f1", "auc", "recall"])
def test_a_figure_of_a_class_that_was_changed_is_refused_too(path: Path, name: str) -> None:
    change(path, 0.25, "runs", 0, "summary", "accuracy", "by_class", 0, name)

    with pytest.raises(ReportMismatchError, match=r"'summary\.accuracy\.by_class' does not match"):
        read_report(path)


def test_a_metric_of_the_users_own_is_read_as_it_is(path: Path) -> None:
    change(path, [{"name": "ours:kappa", "value": 0.5, "reference": 0.75}], "runs", 0, "metrics")

    (metric,) = read_report(path).runs[0].metrics

    assert (metric.name, metric.value, metric.reference) == ("ours:kappa", 0.5, 0.75)


@pytest.mark.parametrize("value", [10**400, 10**30, 2**63, -1, True, 0.5])
@pytest.mark.parametrize(
    "keys",
    [
        ("outcome", "processes", 0, "blocks", 0, "ns", 0),
        ("outcome", "processes", 0, "load_ns"),
        ("outcome", "memory", "peak_bytes"),
        ("outcome", "executed", "operators", 0, "macs"),
        ("size_bytes",),
    ],
    ids=lambda keys: str(keys[-1]),
)
def test_a_whole_number_that_cannot_be_is_refused_by_its_key(
    path: Path, keys: tuple[str | int, ...], value: object
) -> None:
    change(path, value, "runs", _row(path), *keys)

    with pytest.raises(InputError, match=re.escape(".".join(map(str, keys)))) as caught:
        read_report(path)

    assert "remove the quotes" not in str(caught.value)


def test_energy_of_no_inference_is_refused(path: Path) -> None:
    energy = {"method": "m", "domain": "d", "inferences": 0, "seconds": 1.0, "joules": 1.0, "idle_watts": 1.0}
    change(path, energy, "runs", _row(path), "outcome", "energy")

    with pytest.raises(InputError, match=r"energy\.inferences: input should be greater than 0"):
        read_report(path)


@pytest.mark.parametrize("value", [1e308, -1e308, 1e155])
def test_values_that_overflow_are_one_sentence(path: Path, value: float) -> None:
    change(path, value, "runs", _row(path), "outcome", "logits", 0, 0)

    with pytest.raises(ReportMismatchError, match=r"the measurements do not fit together \([^\n]*\)"):
        read_report(path)


def test_a_case_with_two_rows_is_refused(path: Path) -> None:
    rows = json.loads(path.read_text())["runs"]
    change(path, [*rows, rows[0]], "runs")

    with pytest.raises(InputError, match=f"{rows[0]['case']} has 2 rows"):
        read_report(path)


def test_a_key_that_occurs_twice_is_refused_by_its_name(path: Path) -> None:
    path.write_text(path.read_text().replace('"load_ns":', '"load_ns":1,"load_ns":', 1))

    with pytest.raises(InputError, match="the key 'load_ns' occurs twice"):
        read_report(path)


@pytest.mark.parametrize("value", [True, 1.0, "1", None, 10**400, 10**30, -1])
def test_a_schema_that_is_no_schema_is_refused_by_its_key(path: Path, value: object) -> None:
    change(path, value, "schema")

    with pytest.raises(InputError, match=r"report\.json: schema: "):
        read_report(path)


@pytest.mark.parametrize("target", ["/dev/zero", "pipe", "/proc/self/mem", "huge"])
def test_what_has_no_end_is_refused_at_once(tmp_path: Path, target: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(10 << 30)

    with pytest.raises(InputError, match=r"is a device or pipe|cannot be read|has more than 1024 MiB"):
        read_report(tmp_path / target)


def _row(path: Path) -> int:
    rows = json.loads(path.read_text())["runs"]
    return next(index for index, row in enumerate(rows) if row["variant"] == "onnx-fp32")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("reference_logits", [], "the same number of values for each image"),
        ("reference_logits", [[], [], [], []], "the same number of values for each image"),
        ("reference_logits", [[1.0], [1.0, 2.0]], "the same number of values for each image"),
        ("labels", [0, 1], "'labels' are of 2 images, and 'reference_logits' of 4"),
    ],
)
def test_an_evaluation_that_does_not_fit_together_is_refused_also_if_no_row_completed(
    path: Path, key: str, value: object, said: str
) -> None:
    for row in range(len(json.loads(path.read_text())["runs"])):
        change(path, {"status": "skipped", "reason": "not here"}, "runs", row, "outcome")
        change(path, None, "runs", row, "summary")
    change(path, value, "evaluation", key)

    with pytest.raises(InputError, match=rf"evaluation: .*{said}"):
        read_report(path)


@pytest.mark.parametrize("key", ["loaded_bytes", "peak_bytes"])
def test_a_process_without_memory_is_refused(path: Path, key: str) -> None:
    change(path, 0, "runs", _row(path), "outcome", "memory", key)

    with pytest.raises(InputError, match=rf"memory\.{key}: input should be greater than 0"):
        read_report(path)


def test_a_row_of_a_model_file_that_is_not_listed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "models.json"
    write_report(path, model_report(every_kind()))
    change(path, "other.onnx", "models", "models", 0, "name")

    with pytest.raises(ReportMismatchError, match="no model file of 'models' has the name 'net"):
        read_report(path)
