"""`edgefit choose` as a user meets it, and what --ship refuses."""

import json
from pathlib import Path

import pytest
from making.command_line import edgefit_here
from making.compared_report import Row, bundle, made_report, report_of
from making.model_report import every_kind, model_report
from making.shippable import make_tensor_bundle

from bench.bundle.manifest import read_bundle
from bench.report.files import write_report


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "r.json"
    rows = {"onnx-fp32": Row(10), "onnx-int8": Row(4, size=2_500_000)}
    write_report(path, made_report(rows))
    return path


def test_it_prints_the_choice_and_the_reason_against_the_other(report: Path) -> None:
    done = edgefit_here("choose", report)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("laptop-cpu: onnx-int8, p50 4 ms")
    assert "onnx-fp32" in done.stdout
    assert "2.50× the latency" in done.stdout


def test_flags_override_the_budget_and_no_fit_is_exit_code_11(report: Path) -> None:
    done = edgefit_here("choose", report, "--max-p95-ms", "2", "--json")

    assert done.returncode == 11
    (choice,) = json.loads(done.stdout)["choices"]
    assert choice["chosen"] is None
    assert choice["budget"]["p95_ms"] == 2
    assert choice["budget"]["source"].startswith("the command line; the rest: ")
    (nearest,) = choice["nearest"]
    assert nearest.startswith(
        "the limit of p95 latency is met by 0 of 2 candidates; the nearest is onnx-int8: "
        "p95 latency 4 ms is 2 ms (+100.0%)"
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--prefer", "speed"], "unknown preference 'speed'"),
        (["--max-size-mb", "0"], "no variant can meet a limit of 0"),
        (["--min-retention", "99"], "less than or equal to 1"),
        (["--max-p95-ms", "inf"], "'inf' is not a valid limit"),
        (["--overwrite"], "apply to --ship only"),
        (["nowhere.json"], "nowhere.json: no such report"),
    ],
)
def test_wrong_use_is_one_sentence(report: Path, words: list[str], sentence: str) -> None:
    done = edgefit_here("choose", report, *words)

    assert done.returncode == 2
    assert sentence in done.stderr


def test_ship_finds_the_bundle_near_the_report_and_refuses_another(
    bundle_folder: Path, tmp_path: Path
) -> None:
    measured = report_of(bundle_folder, "onnx-fp32")
    moved = bundle_folder.rename(tmp_path / "moved")
    words = ("choose", measured, "--min-retention", "0")

    near = edgefit_here(*words, "--ship", tmp_path / "a")
    moved.rename(tmp_path.parent / f"{tmp_path.name}-away")
    gone = edgefit_here(*words, "--ship", tmp_path / "b")

    assert near.returncode == 0, near.stderr
    assert gone.returncode == 2
    assert "give its folder with --bundle" in gone.stderr
    assert not (tmp_path / "b").exists()


def test_ship_says_what_the_example_is_given_and_what_was_written(tmp_path: Path) -> None:
    made, ship = make_tensor_bundle(tmp_path / "bundle"), tmp_path / "ship"
    measured = bundle(sha256=read_bundle(made.folder).sha256, folder=str(made.folder))
    row = Row(10, provider="CPUExecutionProvider")
    write_report(tmp_path / "r.json", made_report({"onnx-fp32": row}, bundle=measured))

    done = edgefit_here("choose", tmp_path / "r.json", "--ship", ship)

    assert done.returncode == 0, done.stderr
    said = " ".join((done.stdout + done.stderr).split())
    assert f"written: {ship}, with onnx-fp32, classify.py, requirements.txt and CARD.md" in said
    assert f"python {ship / 'classify.py'} INPUTS.npz" in said


def test_ship_replaces_only_what_an_earlier_one_copied(bundle_folder: Path, tmp_path: Path) -> None:
    measured, taken = report_of(bundle_folder, "onnx-fp32"), tmp_path / "taken"
    taken.mkdir()
    (taken / "mine.txt").write_text("mine")

    done = edgefit_here("choose", measured, "--min-retention", "0", "--ship", taken, "--overwrite")

    assert done.returncode == 2
    assert "already contains something else; choose another --ship" in done.stderr
    assert [one.name for one in taken.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--min-retention", "0.99"], "so there is no retention to limit"),
        (["--prefer", "accuracy"], "so there is no accuracy to choose by"),
        (["--ship", "product"], "measured model files, and --ship copies from a bundle"),
    ],
)
def test_what_model_files_do_not_have_is_one_sentence(
    tmp_path: Path, words: list[str], sentence: str
) -> None:
    write_report(tmp_path / "r.json", model_report(every_kind()))

    done = edgefit_here("choose", tmp_path / "r.json", *words)

    assert done.returncode == 2
    assert sentence in " ".join(done.stderr.split())


def test_model_files_are_chosen_among_without_advice_to_ship(tmp_path: Path) -> None:
    write_report(tmp_path / "r.json", model_report(every_kind()))

    done = edgefit_here("choose", tmp_path / "r.json")

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(
        "laptop-cpu: net.int8.onnx, p50 4 ms (4 to 4, measured)\n  accuracy was not compared"
    )
    assert "--ship" not in done.stdout + done.stderr
