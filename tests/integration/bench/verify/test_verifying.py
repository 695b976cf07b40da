"""`edgefit report --verify` on reports that were really measured, as they are and changed by hand."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from making.command_line import edgefit_here
from making.faulty_plan import SHORT, Silent
from making.made_once import made_once
from making.short_benchmark import PROFILE
from making.tiny_bundle import make_tiny_bundle

from bench.bundle.manifest import Bundle, read_bundle
from bench.harness.plan import controls_of
from bench.report.files import write_report
from bench.run.benchmark import benchmark
from bench.run.model_set import ModelSet
from bench.run.request import BenchmarkRequest
from bench.verify.document import VerifiedReport
from bench.verify.verifying import verify_file
from device_profiles.loading import load_profile
from device_profiles.profile import Profile
from edgefit.values import now

TOOL = "0"
BOARD = load_profile("raspberry-pi-4").model_copy(update={"sampling": SHORT, "quick": SHORT})
Change = Callable[[dict[str, Any]], None]


def make_reports(folder: Path) -> None:
    """Measure a bundle here, the same one as a proxy, and two model files."""
    bundle = read_bundle(make_tiny_bundle(folder / "bundle"))
    only = ("onnx-fp32", "openvino-fp32")
    files = [folder / "bundle" / artifact.entry for artifact in bundle.manifest.artifacts[1:]]
    with pytest.MonkeyPatch.context() as patch, ModelSet(files, {}) as models:
        patch.setattr("bench.harness.calibration._SHORT_RATE_S", 0.05)
        measure(folder / "measured.json", bundle, PROFILE, only)
        # Nobody looks at the second control of the others.
        patch.setattr("bench.run.benchmark.controls_of", lambda *words: controls_of(*words)[:1])
        measure(folder / "proxy.json", bundle, BOARD, ("onnx-fp32",))
        measure(folder / "models.json", models, PROFILE)


def measure(path: Path, subject: Bundle | ModelSet, profile: Profile, only: tuple[str, ...] = ()) -> None:
    request = BenchmarkRequest(tool=TOOL, created=now(), only=only)
    write_report(path, benchmark(subject, profile, request, Silent()))


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a bundle and the reports of `make_reports`, not to be changed."""
    return made_once(tmp_path_factory, "verified-reports", make_reports)


def verified(path: Path, bundle: Path | None = None, tool: str = TOOL) -> VerifiedReport:
    moment = datetime.now(timezone.utc)
    return verify_file(path, None if bundle is None else read_bundle(bundle), tool, moment)


def changed(reports: Path, name: str, tmp_path: Path, change: Change) -> Path:
    """A copy of a report, changed by hand."""
    document = json.loads((reports / f"{name}.json").read_text())
    change(document)
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(document))
    return path


def moved(document: dict[str, Any], *keys: str | int, value: Any) -> None:
    """Set a value in a document."""
    *path, last = keys
    for key in path:
        document = document[key]  # type: ignore[index]
    document[last] = value  # type: ignore[index]


@pytest.mark.parametrize("name", ["measured", "proxy", "models"])
def test_an_honest_report_holds_in_every_part(reports: Path, name: str) -> None:
    bundle = None if name == "models" else reports / "bundle"
    # The files were measured before their folder got its final name.
    found = verified(reports / f"{name}.json", bundle)

    assert found.wrong == ()
    unchecked = {part.part for part in found.parts if part.status == "not checked"}
    assert unchecked == (
        {"measurements"} if name != "models" else {"measurements", "predictions", "model files"}
    )
    (timed,) = [part for part in found.parts if part.part == "timed outputs"]
    assert timed.checked is not None
    assert "all are equal" in timed.checked


def with_other_inputs(document: dict[str, Any]) -> None:
    """Say of both model files that they had other inputs."""
    for run in document["runs"][:2]:
        run["outcome"]["inputs_sha256"] = "0"


WRONG: dict[str, tuple[str, Change, str]] = {
    "a size": (
        "measured",
        lambda document: moved(document, "runs", 0, "size_bytes", value=1),
        "its size is 1 bytes",
    ),
    "a provenance": (
        "measured",
        lambda document: moved(document, "runs", 1, "provenance", value="proxy"),
        "provenance is proxy, and the machine makes it measured",
    ),
    "a proxy that poses as the device": (
        "proxy",
        lambda document: moved(document, "proxy", value=None),
        "'proxy' is null, and the machine makes provenance proxy",
    ),
    "a date": (
        "measured",
        lambda document: moved(document, "created", value="2999-01-01T00:00:00+00:00"),
        "which is in the future",
    ),
    "a date that is none": (
        "measured",
        lambda document: moved(document, "created", value="soon"),
        "no time of ISO 8601",
    ),
    "threads": (
        "measured",
        lambda document: moved(document, "runs", 0, "config", "threads", value=4),
        "measured with 4 threads, and the profile gives 1 thread here",
    ),
    "a batch": (
        "measured",
        lambda document: moved(document, "runs", 0, "config", "batch", value=4),
        "batch is 4, and the file's is 1",
    ),
    "a runtime": (
        "measured",
        lambda document: moved(document, "runs", 0, "outcome", "runtime", value="torch 2.0"),
        "ran on torch 2.0, and onnx runs on onnxruntime",
    ),
    "a median": (
        "measured",
        lambda document: moved(document, "runs", 0, "summary", "latency", "p50_ns", value=1.0),
        "'summary.latency.p50_ns' does not match",
    ),
    "an accuracy": (
        "measured",
        lambda document: moved(document, "runs", 0, "summary", "accuracy", "top1", value=1.0),
        "'summary.accuracy.top1' does not match",
    ),
    "a ratio": (
        "measured",
        lambda document: moved(document, "runs", 0, "summary", "relative_to_control", "ratio", value=0.1),
        "'summary.relative_to_control.ratio' does not match",
    ),
    "an image that was left out": (
        "measured",
        lambda document: moved(document, "evaluation", "pack_images", value=41),
        "40 images were evaluated, and 41 are planned",
    ),
    "a class": (
        "measured",
        lambda document: moved(document, "bundle", "classes", value=["NORMAL", "COVID"]),
        "'bundle.classes' is ('NORMAL', 'COVID')",
    ),
    "another bundle": (
        "measured",
        lambda document: moved(document, "bundle", "sha256", value="0" * 64),
        "the report is of bundle 00000000, and ",
    ),
    "a warning": (
        "measured",
        lambda document: moved(document, "runs", 0, "warnings", value=[]),
        'onnx-fp32: there is no warning "no interval of the median: 1 processes are too few',
    ),
    "a nearest published figure": (
        "proxy",
        lambda document: moved(document, "runs", 0, "projection", value={"reason": "none"}),
        "onnx-fp32: 'projection' is not what profile and published figures give",
    ),
    "a memory limit": (
        "proxy",
        lambda document: moved(document, "proxy", "memory_limit_bytes", value=1),
        "'proxy.memory_limit_bytes' is not that of the profile",
    ),
    "the end of sampling": (
        "measured",
        lambda document: moved(document, "runs", 0, "outcome", "ended", value="interval narrow enough"),
        "sampling ended because 'interval narrow enough'",
    ),
    "a large difference of a timed output": (
        "measured",
        lambda document: moved(
            document, "runs", 0, "outcome", "processes", 0, "blocks", 0, "output_difference", value=0.5
        ),
        "a timed inference's output differs by 0.5, and no warning says so",
    ),
    "the time of a block": (
        "measured",
        lambda document: moved(
            document, "runs", 0, "outcome", "processes", 0, "blocks", 0, "counters", "elapsed_ns", value=1
        ),
        " ns in a block of 1 ns",
    ),
    "a plan": (
        "measured",
        lambda document: moved(document, "profile", "sampling", "block_samples", value=2),
        "a block of 4 samples, of 1 to 2",
    ),
    "the inputs of a model file": (
        "models",
        with_other_inputs,
        "its outputs are of other inputs than 'models' names",
    ),
    "the size of a model file": (
        "models",
        lambda document: moved(document, "runs", 0, "size_bytes", value=1),
        "its format, precision or size is not that of its file in 'models'",
    ),
    "a machine without cores": (
        "proxy",
        lambda document: moved(document, "host", "physical_cores", value=0),
        "conditions: its values do not fit together (",
    ),
    "a format that is none": (
        "proxy",
        lambda document: moved(document, "runs", 0, "format", value="tflite"),
        "onnx-fp32: 'tflite' is no format",
    ),
    "a row that was left out": (
        "measured",
        lambda document: document["runs"].pop(0),
        "blocks were measured and are in no row, and no row failed",
    ),
    "a control that was left out": (
        "proxy",
        lambda document: moved(
            document, "runs", value=[run for run in document["runs"] if run["variant"] != "null"]
        ),
        "blocks were measured and are in no row, and no row failed",
    ),
    "blocks that were left out": (
        "models",
        lambda document: document["runs"][0]["outcome"]["processes"][0]["blocks"].pop(0),
        "blocks were measured and are in no row, and no row failed",
    ),
    "a size that was left out": (
        "measured",
        lambda document: moved(document, "runs", 0, "size_bytes", value=None),
        "it has no size, and its files have ",
    ),
    "a share": (
        "measured",
        lambda document: moved(document, "runs", 0, "outcome", "processes", 0, "cached_share", value=7.0),
        "a share of 7 of its file was in the cache",
    ),
    "a negative difference": (
        "measured",
        lambda document: moved(
            document, "runs", 0, "outcome", "processes", 0, "blocks", 0, "output_difference", value=-1.0
        ),
        "a difference of outputs is negative",
    ),
    "a key": ("measured", lambda document: moved(document, "fast", value=True), "unknown key 'fast'"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_report_that_was_changed_by_hand_does_not_hold(reports: Path, what: str, tmp_path: Path) -> None:
    name, change, words = WRONG[what]

    found = verified(changed(reports, name, tmp_path, change), reports / "bundle")

    assert any(words in sentence for sentence in found.wrong), found.wrong


def test_every_mismatch_is_named_and_not_the_first_alone(reports: Path, tmp_path: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        for run in document["runs"][:2]:
            run["summary"]["latency"]["p50_ns"] = 1.0

    found = verified(changed(reports, "measured", tmp_path, change))

    assert [sentence.split(":")[1].strip() for sentence in found.wrong] == ["onnx-fp32", "openvino-fp32"]


def test_labels_and_reference_are_those_of_the_bundle(reports: Path, tmp_path: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        document["evaluation"]["reference_logits"][3] = [9.0, -9.0]

    path = changed(reports, "measured", tmp_path, change)
    found = verified(path, reports / "bundle")

    # Agreement follows from the reference, so that the summaries do not match either.
    assert any("summary.accuracy" in sentence for sentence in found.wrong)


def test_a_model_file_that_is_another_now_does_not_match(reports: Path, tmp_path: Path) -> None:
    other, same = tmp_path / "other.onnx", tmp_path / "same.onnx"
    measured = reports / "bundle" / "onnx-fp32" / "model.onnx"
    same.write_bytes(measured.read_bytes())
    other.write_bytes(measured.read_bytes() + b"\x62\x00")  # an empty domain more

    def at(path: Path) -> Path:
        return changed(
            reports,
            "models",
            tmp_path,
            lambda report: moved(report, "models", "models", 0, "path", value=str(path)),
        )

    assert verified(at(same)).holds
    assert any("is not the file that was measured" in sentence for sentence in verified(at(other)).wrong)


@pytest.mark.parametrize("path", ["/nowhere/model.onnx", "x" * 999, "/x\0y"])
def test_a_model_file_that_is_not_here_is_not_checked(reports: Path, path: str, tmp_path: Path) -> None:
    report = changed(
        reports,
        "models",
        tmp_path,
        lambda document: moved(document, "models", "models", 0, "path", value=path),
    )

    found = verified(report)

    assert found.holds
    assert "is not here" in gaps_of(found, "model files")


def gaps_of(found: VerifiedReport, name: str) -> str:
    """What of a part was not checked."""
    return "; ".join(gap for part in found.parts if part.part == name for gap in part.not_checked)


def test_a_bundle_of_which_a_report_is_not_is_not_passed_over(reports: Path) -> None:
    found = verified(reports / "models.json", reports / "bundle")

    assert "of no bundle" in gaps_of(found, "model files")


def test_what_of_a_bundle_has_no_row_is_named(reports: Path) -> None:
    found = verified(reports / "measured.json", reports / "bundle")

    assert "torchscript-fp32: in the bundle, and no row" in gaps_of(found, "bundle")


def test_a_profile_that_has_the_name_of_another_is_no_proof_of_a_device(
    reports: Path, tmp_path: Path
) -> None:
    own = json.loads(load_profile("laptop-cpu").model_dump_json())

    def gaps_with(name: str) -> str:
        profile = {**own, "name": name}
        path = changed(reports, "measured", tmp_path, lambda report: moved(report, "profile", value=profile))
        return gaps_of(verified(path), "conditions")

    assert gaps_with("laptop-cpu") == ""
    assert "the profile raspberry-pi-5, which is not" in gaps_with("raspberry-pi-5")


def test_what_another_version_worded_is_not_compared(reports: Path, tmp_path: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        document["runs"][0]["warnings"] = []

    found = verified(changed(reports, "measured", tmp_path, change), tool="1")

    (warnings,) = [part for part in found.parts if part.part == "warnings"]
    assert found.holds
    assert warnings.status == "not checked"


def test_reports_of_schema_1_hold() -> None:
    folder = Path(__file__).parents[3] / "data" / "schema1"

    for path in sorted(folder.glob("report*.json")):
        assert verified(path).wrong == ()


def test_a_date_is_compared_with_this_machines_clock(reports: Path) -> None:
    path = reports / "measured.json"
    earlier = datetime.now(timezone.utc) - timedelta(days=3)

    assert any("in the future" in sentence for sentence in verify_file(path, None, TOOL, earlier).wrong)


def test_the_command_names_each_mismatch_in_a_line_and_ends_with_2(reports: Path, tmp_path: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        document["runs"][0]["size_bytes"] = 1
        document["runs"][0]["config"]["threads"] = 4

    path = changed(reports, "measured", tmp_path, change)
    bundle = str(reports / "bundle")

    result = edgefit_here("report", str(path), "--verify", "--bundle", bundle, "--json")

    assert result.returncode == 2
    lines = [line for line in result.stderr.splitlines() if line.startswith("wrong: ")]
    assert len(lines) == 2
    (document,) = json.loads(result.stdout)["reports"]
    assert [part["wrong"] for part in document["parts"] if part["wrong"]] != []


def test_the_command_ends_with_0_if_all_holds(reports: Path) -> None:
    path = str(reports / "measured.json")

    result = edgefit_here("report", path, "--verify", "--bundle", str(reports / "bundle"))

    assert result.returncode == 0, result.stderr
    assert f"{path}: holds in " in result.stdout


def test_verify_writes_nothing_else(reports: Path, tmp_path: Path) -> None:
    result = edgefit_here(
        "report", str(reports / "measured.json"), "--verify", "--html", str(tmp_path / "page.html")
    )

    assert result.returncode == 2
    assert not (tmp_path / "page.html").exists()
