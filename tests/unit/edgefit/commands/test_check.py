"""`edgefit check` where nothing is measured: reports, and what is refused."""

import json
import os
from pathlib import Path
from xml.etree import ElementTree

import pytest
from making.check_command import ONE, check_here
from making.compared_report import Row, made_report
from making.model_pairs import classifier
from making.source_bundle import KINDS, make_source_bundle
from making.tiny_report import HOST

from bench.bundle.manifest import MANIFEST
from bench.report.files import write_report


def edit(bundle: Path, **changes: object) -> Path:
    path = bundle / MANIFEST
    manifest = json.loads(path.read_text())
    manifest["model"].update(changes)
    path.write_text(json.dumps(manifest))
    return bundle


def test_a_corrupt_file_is_wrong_input(bundle_folder: Path, bundle_copy: Path) -> None:
    with (bundle_copy / "onnx-fp32" / "model.onnx").open("ab") as file:
        file.write(b"x")

    done = check_here(bundle_copy, bundle_folder, *ONE)

    assert done.returncode == 2
    assert "is not the exported file" in done.stderr


def test_another_models_bundle_is_wrong_input(bundle_folder: Path, bundle_copy: Path) -> None:
    done = check_here(edit(bundle_copy, classes=["normal", "covid"]), bundle_folder, *ONE)

    assert done.returncode == 2
    assert "'tiny'" in done.stderr


def test_reports_of_another_host_are_exit_code_12(tmp_path: Path) -> None:
    write_report(tmp_path / "a.json", made_report({"onnx-fp32": Row(10)}))
    other = HOST.model_copy(update={"cpu": "Another CPU"})
    write_report(tmp_path / "b.json", made_report({"onnx-fp32": Row(10)}, host=other))

    done = check_here(tmp_path / "b.json", tmp_path / "a.json")

    assert done.returncode == 12
    said_first = (
        "PARTLY COMPARED: memory, size and accuracy of 1 variant, none worse; no latency (CPU differs). "
    )
    assert said(done.stdout).startswith(said_first)
    assert "accept exit code 12." in said(done.stdout)
    assert "CPU 'Another CPU', was 'Test CPU'" in " ".join(done.stdout.split())


def test_a_slower_report_blocks_and_is_written_for_every_reader(tmp_path: Path) -> None:
    write_report(tmp_path / "a.json", made_report({"onnx-fp32": Row(10), "onnx-int8": Row(4)}))
    write_report(tmp_path / "b.json", made_report({"onnx-fp32": Row(15), "onnx-int8": Row(4)}))

    written = [
        ("--markdown", tmp_path / "c.md"),
        ("--junit", tmp_path / "c.xml"),
        ("--bmf", tmp_path / "c.bmf"),
    ]
    done = check_here(
        tmp_path / "b.json", tmp_path / "a.json", "--github", *[word for pair in written for word in pair]
    )

    assert done.returncode == 10
    first = "BLOCKED: onnx-fp32 is 50 % slower (97.5 % interval 50 to 50 %; limit 15 %). "
    assert done.stdout.startswith(first[:70])
    assert "::error title=edgefit check%3A BLOCKED::onnx-fp32 is 50 %25 slower (97.5 %25" in done.stdout
    assert "::error title=edgefit%3A onnx-fp32 latency WORSE::1.500× (1.500 to 1.500)" in done.stdout
    assert f"**{first}".replace("(", "\\(").replace(")", "\\)") in (tmp_path / "c.md").read_text()
    suites = ElementTree.parse(tmp_path / "c.xml").getroot()
    assert [(one.get("name"), one.get("failures")) for one in suites] == [
        ("edgefit check", "1"),
        ("onnx-fp32", "1"),
        ("onnx-int8", "0"),
    ]
    (failure,) = suites[0].iter("failure")
    assert failure.get("message", "").startswith(first)
    measures = json.loads((tmp_path / "c.bmf").read_text())["onnx-fp32"]
    assert measures["latency"] == {"value": 15e6}
    assert measures["latency-ratio"] == pytest.approx({"value": 1.5, "lower_value": 1.5, "upper_value": 1.5})
    assert measures["file-size"] == {"value": 9e6}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--max-slowdown", "5"], "'5' is not a valid percentage; write one such as 5%"),
        (["--max-growth", "-1%"], "'-1%' is not a valid percentage"),
        (["--markdown", "b.md", "--junit", "./b.md"], "two of these name the same file"),
        (["--min-retention", "nan"], "less than or equal to 1"),
        (["--only", "onnx-int4"], "unknown variant 'onnx-int4'"),
        (
            ["--markdown", "a.json"],
            "already exists and was not written by edgefit; choose another --markdown",
        ),
    ],
)
def test_wrong_use_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write_report(tmp_path / "a.json", made_report({"onnx-fp32": Row(10)}))

    done = check_here(Path("a.json"), Path("a.json"), *words)

    assert done.returncode == 2
    assert sentence in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["--only", "onnx-fp32"], "--only"),
        (["--min-retention", "0.99"], "--min-retention"),
    ],
)
def test_an_option_of_bundles_does_not_apply_to_model_files(
    tmp_path: Path, words: list[str], option: str
) -> None:
    model = classifier(tmp_path / "model.onnx")

    done = check_here(model, model, *words)

    assert done.returncode == 2
    assert f"{option}: it does not apply to a model file; leave it out" in said(done.stderr)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--shape", "1x3x8x8"], "--shape: it does not apply to a bundle; leave it out"),
        (["--min-sqnr", "9"], "--min-sqnr: it applies where there is no accuracy, and 'tiny' has labels"),
    ],
)
def test_an_option_of_model_files_does_not_apply_to_bundles(
    bundle_folder: Path, words: list[str], sentence: str
) -> None:
    done = check_here(bundle_folder, bundle_folder, *words)

    assert done.returncode == 2
    assert sentence in said(done.stderr)


def test_a_limit_of_accuracy_does_not_apply_to_a_bundle_without_labels(tmp_path: Path) -> None:
    bundle = make_source_bundle(tmp_path / "bundle", KINDS["unlabelled"])

    done = check_here(bundle, bundle, "--min-retention", "0.9")

    assert done.returncode == 2
    assert "--min-retention: 'theirs' has no accuracy, because it has no labels or" in said(done.stderr)


def test_a_model_file_is_compared_with_nothing_else(bundle_folder: Path, tmp_path: Path) -> None:
    model = classifier(tmp_path / "model.onnx")
    write_report(tmp_path / "a.json", made_report({"onnx-fp32": Row(10)}))

    with_bundle, with_report = (
        check_here(model, bundle_folder),
        check_here(tmp_path / "a.json", model),
    )

    assert (with_bundle.returncode, with_report.returncode) == (2, 2)
    assert f"{model} is a model file and {bundle_folder} is a bundle; give two" in said(with_bundle.stderr)
    assert f"make a report with: edgefit bench {model} --out" in said(with_report.stderr)


def test_a_pipe_and_a_link_to_nothing_are_said_to_be_such(tmp_path: Path) -> None:
    model, pipe, link = classifier(tmp_path / "model.onnx"), tmp_path / "pipe", tmp_path / "link.onnx"
    os.mkfifo(pipe)
    link.symlink_to(tmp_path / "nowhere.onnx")

    folder = tmp_path / "films"
    folder.mkdir()

    assert "is a pipe, not a file" in check_here(pipe, model).stderr
    assert "/dev/zero: is a device, not a file" in check_here(Path("/dev/zero"), folder).stderr
    assert "films: is an empty folder, not a bundle" in said(check_here(model, folder).stderr)
    assert "is a symbolic link to" in check_here(link, model).stderr


def said(text: str) -> str:
    return " ".join(text.split())


def test_a_bundle_and_a_report_are_not_compared(bundle_folder: Path, tmp_path: Path) -> None:
    write_report(tmp_path / "a.json", made_report({"onnx-fp32": Row(10)}))

    done = check_here(bundle_folder, tmp_path / "a.json")

    assert done.returncode == 2
    assert (
        "give two model files, two bundles, or two reports (make a report with: edgefit bench" in done.stderr
    )
    assert check_here(tmp_path / "nowhere", bundle_folder).returncode == 2
