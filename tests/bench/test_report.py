"""The report's file: raw values are the truth, and a summary that is not theirs is refused."""

import json
from pathlib import Path

import pytest
from making.compared_report import Row, made_report
from making.tiny_report import completed, make_report

from bench.errors import InputError, ReportMismatchError
from bench.report.files import read_report, to_json, write_report
from bench.report.summaries import References
from bench.run.rows import raw_of


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
    assert row["latency_ms"].keys() >= {"p50", "p90", "p95", "p99", "mean", "min", "max", "p50_ci95"}
    assert row["memory_mb"].keys() == {"runtime", "loaded", "peak", "device", "proportional"}
    assert row["accuracy"].keys() >= {
        "images",
        "top1",
        "auc",
        "agreement",
        "retention",
        "mcnemar_p",
        "flips",
        "sqnr_db",
    }
    assert row["raw"]["processes"][0]["blocks"][0].keys() >= {"position", "ns"}
    assert row["precision_ran"].keys() >= {"requested", "share_of_macs", "evidence"}
    assert [row["variant"] for row in content["runs"][-2:]] == ["null", "control"]


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (("latency_ms", "p50"), 0.5),
        (("latency_ms", "samples"), 3),
        (("accuracy", "top1"), 1.0),
        (("accuracy", "flips"), [1, 2]),
        (("accuracy", "retention", "ci95"), [0.99, 1.0]),
        (("memory_mb", "peak"), 1.0),
        (("load_ms",), 0.1),
        (("relative_to_control",), 0.1),
        (("precision_ran", "share_of_macs", "int8"), 0.5),
        (("energy_reason",), "none"),
        (("sampling_ended",), "time limit"),
        (("file_cache",), "cold"),
    ],
)
def test_a_summary_changed_by_hand_is_refused_and_named(
    path: Path, keys: tuple[str, ...], value: object
) -> None:
    change(path, value, "runs", 1, *keys)

    with pytest.raises(
        ReportMismatchError, match=rf"onnx-int8: '{'.'.join(keys)}' is not what its raw values give"
    ):
        read_report(path)


def test_a_sample_changed_by_hand_is_refused(path: Path) -> None:
    change(path, [1, 1, 1, 1], "runs", 0, "raw", "processes", 0, "blocks", 0, "ns")

    with pytest.raises(ReportMismatchError, match="latency_ms"):
        read_report(path)


def test_a_failed_row_may_not_carry_numbers(path: Path) -> None:
    change(path, "failed", "runs", 0, "status")

    with pytest.raises(ReportMismatchError, match="'status' is failed"):
        read_report(path)

    change(path, None, "runs", 0, "raw")
    with pytest.raises(ReportMismatchError, match="is failed, and yet has figures"):
        read_report(path)


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (("runs", 0, "raw", "logits"), [[1.0, 2.0]]),
        (("runs", 0, "raw", "processes", 0, "blocks"), []),
        (("evaluation", "positive_class"), 7),
    ],
)
def test_raw_values_that_do_not_fit_together_are_refused(
    path: Path, keys: tuple[str | int, ...], value: object
) -> None:
    change(path, value, *keys)

    with pytest.raises(ReportMismatchError, match=r"report\.json: onnx-fp32: "):
        read_report(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [("", "not valid JSON"), ("{}", "is missing"), ("[1]", "the file"), ('{"schema": 2}', "schema|missing")],
)
def test_a_file_that_is_no_report_is_refused(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "r.json").write_text(content)

    with pytest.raises(InputError, match=words):
        read_report(tmp_path / "r.json")


def test_only_a_report_is_ever_overwritten(path: Path, tmp_path: Path) -> None:
    write_report(path, make_report(name="second"))
    (tmp_path / "thesis.json").write_text("{}")

    with pytest.raises(InputError, match="holds something else"):
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
    on_cpu, on_gpu = raw_of(completed(10)), raw_of(completed(2))
    raws = {("onnx-fp32", "cpu"): on_cpu, ("onnx-fp32", "gpu"): on_gpu}

    assert References.of("onnx", "gpu", raws).fp32 is on_gpu
    assert References.of("onnx", "cpu", raws).fp32 is on_cpu
    assert References.of("onnx", "npu", raws).fp32 is None


def test_the_interval_of_the_median_is_in_milliseconds_as_the_median_is() -> None:
    (run, _) = made_report({"onnx-fp32": Row(10, moods=(0.9, 1.0, 1.0, 1.0, 1.1))}).runs

    assert run.latency_ms is not None
    assert run.latency_ms.p50_ci95 is not None
    low, high = run.latency_ms.p50_ci95
    assert 8 < low < run.latency_ms.p50 < high < 12


def test_a_report_of_before_that_has_that_interval_in_nanoseconds_is_read(tmp_path: Path) -> None:
    made = made_report({"onnx-fp32": Row(10, moods=(0.9, 1.0, 1.0, 1.0, 1.1))})
    path = tmp_path / "old.json"
    write_report(path, made)
    ends = json.loads(path.read_text())["runs"][0]["latency_ms"]["p50_ci95"]
    change(path, [end * 1e6 for end in ends], "runs", 0, "latency_ms", "p50_ci95")

    assert read_report(path).runs[0].latency_ms == made.runs[0].latency_ms
