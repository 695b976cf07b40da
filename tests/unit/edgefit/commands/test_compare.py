"""`edgefit compare` of what was measured before, and what it refuses before it measures anything."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from making.command_line import edgefit_here
from making.compared_report import Row
from making.networks import network, two_networks

import edgefit
from bench.compare.comparing import compare_networks
from bench.compare.folder import write_comparison
from bench.report.files import write_report
from bench.report.schema import Report
from user_files.hashes import sha256_of


def folder_of(path: Path, reports: list[Report]) -> Path:
    path.mkdir()
    write_comparison(path, compare_networks(reports), reports)
    return path


def test_a_folder_is_shown_again_with_another_baseline_and_files(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "comparison", two_networks())
    page, text, table = tmp_path / "c.html", tmp_path / "c.md", tmp_path / "c.csv"

    done = edgefit_here(
        "compare", folder, "--baseline", "mobilenet", "--html", page, "--markdown", text,
        "--csv", table, "--json",
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["schema"], document["baseline"]) == (1, "mobilenet")
    assert "resnet/onnx-fp32 against mobilenet/onnx-fp32" in " ".join(done.stderr.split())
    assert "Networks side by side" in page.read_text()
    assert text.read_text().startswith("<!-- edgefit compare -->")
    assert "mobilenet/onnx-int8" in table.read_text()


def test_the_reports_of_a_folder_are_shown_by_report_and_compared_again(tmp_path: Path) -> None:
    reports = sorted((folder_of(tmp_path / "comparison", two_networks()) / "reports").iterdir())

    shown = edgefit_here("report", *reports)
    compared = edgefit_here("compare", *reports)

    assert shown.returncode == 0, shown.stderr
    assert compared.returncode == 0, compared.stderr
    assert "* mobilenet/onnx-int8" in compared.stdout


def test_networks_without_a_common_variant_end_with_12(tmp_path: Path) -> None:
    large = network("large", {"onnx-fp32": Row(9), "onnx-int8": Row(9)})
    small = network("small", {"openvino-fp32": Row(9)})

    done = edgefit_here("compare", folder_of(tmp_path / "comparison", [large, small]))

    assert done.returncode == 12
    assert "not compared: small/openvino-fp32: large has no openvino-fp32" in done.stdout
    assert "next: give networks that have the same variants" in done.stdout


def test_an_option_of_boards_is_refused_without_one(tmp_path: Path) -> None:
    done = edgefit_here("compare", tmp_path, tmp_path, "--with", "torchscript")

    assert done.returncode == 2
    assert "it applies to boards only; add --on ssh://host" in " ".join(done.stderr.split())


def test_python_gives_the_same_comparison_with_its_reports(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "comparison", two_networks())

    comparison = edgefit.compare(folder, baseline="mobilenet")

    assert comparison.baseline == "mobilenet"
    assert [report.name for report in comparison.network_reports] == ["resnet", "mobilenet"]
    assert "on the Pareto front" in str(comparison)
    assert repr(comparison) == "<NetworkComparison: resnet, mobilenet: baseline mobilenet>"
    frame = comparison.to_pandas()
    assert list(frame.name) == [row.name for row in comparison.rows]
    assert frame.against_times_as_fast_ci95_low.notna().sum() == 2
    assert "against" not in frame
    assert json.loads(comparison.to_json())["networks"] == ["resnet", "mobilenet"]
    assert "<pre>" in comparison._repr_html_()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--resume",), "which is exported anew each time; export it with: edgefit export "),
        (("--baseline", "rum"), "did you mean 'run'"),
        (("--only", "onnx-fp32", "--baseline", "run/onnx-int8"), "unknown baseline 'run/onnx-int8'"),
        (("--only", "onnx-fp33"), "did you mean 'onnx-fp32'"),
    ],
)
def test_what_is_wrong_is_said_before_a_run_folder_is_exported(
    bundle_folder: Path, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "run.json").write_text(json.dumps({"schema": 1, "arch": "resnet18", "training": {}}))

    done = edgefit_here("compare", bundle_folder, run, *words)

    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def change_weights(run: Path, _bundle: Path) -> None:
    with (run / "model.safetensors").open("ab") as file:
        file.write(b"x")


def rename_class(run: Path, _bundle: Path) -> None:
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**record, "classes": ["a", "b" * 1001]}))


def remove_images(run: Path, _bundle: Path) -> None:
    (run / "images.npz").unlink()


def replace_pack(_run: Path, bundle: Path) -> None:
    """Put an archive in the place of the pack, with the hash that the manifest then has."""
    manifest = json.loads((bundle / "manifest.json").read_text())
    record = manifest["pack"]["file"]
    (bundle / record["path"]).write_bytes(b"PK" + bytes(100))
    again = sha256_of(bundle / record["path"])
    (bundle / "manifest.json").write_text(
        json.dumps({**manifest, "pack": {**manifest["pack"], "file": {**record, "sha256": again}}})
    )


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (change_weights, "model.safetensors: is damaged"),
        (rename_class, "so no bundle can hold it"),
        (remove_images, "images.npz is missing from the run folder"),
        (replace_pack, "evaluation.npz: is damaged"),
    ],
)
def test_a_damaged_network_is_found_before_another_is_exported(
    run_folder: Path,
    bundle_folder: Path,
    tmp_path: Path,
    spoil: Callable[[Path, Path], None],
    message: str,
) -> None:
    run = Path(shutil.copytree(run_folder, tmp_path / "run"))
    spoil(run, bundle_folder)

    done = edgefit_here("compare", run_folder, bundle_folder, run, "--only", "onnx-fp32")

    assert done.returncode == 2
    assert message in done.stderr
    assert "is exported as" not in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("BUNDLE",), "is the only network"),
        (("BUNDLE", "BUNDLE"), "is given twice"),
        (("BUNDLE", "COPY", "--baseline", "bundel"), "did you mean 'bundle'"),
        (("BUNDLE", "COPY", "--baseline", "copy/onnx-int8"), "unknown baseline 'copy/onnx-int8'"),
        (("BUNDLE", "COPY", "--only", "onnx-fp23"), "did you mean 'onnx-fp32'"),
        (("BUNDLE", "COPY", "--shape", "1x3x32x32"), "--shape: it applies to model files"),
        (("BUNDLE", "COPY", "--out", "BUNDLE"), "--out"),
        (("BUNDLE", "REPORT"), "is a result of edgefit, and is not measured with the others"),
        (("REPORT", "REPORT"), "'tiny' was not measured together"),
        (("BUNDLE", "no-such-bundle"), "no-such-bundle"),
        (("BUNDLE", "COPY", "--on", "a", "--on", "b"), "compared on one board at a time; give one, such as"),
        (("BUNDLE", "--on", "a"), "is the only network"),
        (("BUNDLE", "COPY", "--on", "a", "--baseline", "bundel"), "did you mean 'bundle'"),
        (("FOLDER", "--on", "a"), "--on: what was compared before is not measured again"),
        (("FOLDER", "--out", "x"), "--out: what was compared before is not measured again"),
        (("FOLDER", "--only", "onnx-fp32"), "--only: what was compared before is not measured again"),
        (("FOLDER", "--profile", "auto"), "--profile: what was compared before is not measured again"),
        (("FOLDER", "--quick"), "--quick: what was compared before is not measured again"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_a_sentence(
    bundle_folder: Path, bundle_copy: Path, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    report = tmp_path / "report.json"
    write_report(report, network("tiny", {"onnx-fp32": Row(9)}, joint_run=None))
    folder = folder_of(tmp_path / "comparison", two_networks())
    given = {
        "BUNDLE": str(bundle_folder),
        "COPY": str(bundle_copy),
        "REPORT": str(report),
        "FOLDER": str(folder),
    }

    done = edgefit_here("compare", *(given.get(word, word) for word in words))

    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
