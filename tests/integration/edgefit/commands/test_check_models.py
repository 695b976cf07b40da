"""`edgefit check` of two model files: real ONNX files side by side, exit codes, and what it writes.

Limits on times are wide open, but for a file that is many times slower.
"""

import json
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest
from making.check_command import ANY_TIME, check, check_here
from making.command_line import SHORT, edgefit_here
from making.model_files import write_onnx
from making.model_pairs import classifier

from bench.gate.findings import Verdict

SHORTLY = ("--seconds", "1", "--profile", SHORT)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return classifier(tmp_path / "old.onnx")


def verdicts(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    return {finding["quantity"]: finding["verdict"] for finding in json.loads(done.stdout)["findings"]}


def said(text: str) -> str:
    return " ".join(text.split())


def test_models_of_two_names_and_formats_pass_and_are_one_pair(old: Path, tmp_path: Path) -> None:
    openvino = pytest.importorskip("openvino")
    converted = tmp_path / "new.xml"
    openvino.save_model(openvino.convert_model(old), converted, compress_to_fp16=False)

    # OpenVINO compiles at loading, which takes much longer than onnxruntime's loading.
    any_format = (*ANY_TIME, "--max-load-slowdown", "99999%", "--max-growth", "900%")
    done = check_here(converted, old, *SHORTLY, *any_format, "--json")

    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["compared"] == "models"
    assert {finding["case"] for finding in document["findings"]} == {"new.xml"}
    assert set(verdicts(done)) == {"latency", "load time", "memory", "size", "outputs"}
    assert verdicts(done)["outputs"] == Verdict.SAME.value
    assert document["candidate"]["models"][0]["name"] == "new.xml"
    assert "new.xml: another format: openvino, was onnx" in document["notes"]
    assert "two model files" in said(done.stderr)


def test_a_slower_model_that_gives_other_classes_blocks_for_every_reader(old: Path, tmp_path: Path) -> None:
    new = classifier(tmp_path / "elsewhere" / "old.onnx", convolutions=40, change=0.05)
    files = [tmp_path / name for name in ("c.md", "c.xml", "c.bmf")]
    written = zip(("--markdown", "--junit", "--bmf"), files, strict=True)

    limits = ("--max-load-slowdown", "9900%", "--max-memory-growth", "900%", "--max-growth", "900%")
    done = check(new, old, *SHORTLY, *limits, "--github", *[word for pair in written for word in pair])

    assert done.returncode == 10, done.stderr
    figures = "0.0 % of inputs (95 % interval 0.0 % to 2.9 %; limit 97 %)"
    assert said(done.stdout).startswith(f"BLOCKED: old.onnx gives the baseline's class for {figures}")
    assert "note: classes were compared on 128 random inputs, which is weak evidence" in said(done.stdout)
    assert "::error title=edgefit%3A old.onnx outputs WORSE::128 of 128 random inputs" in done.stdout
    markdown, junit, bmf = (path.read_text() for path in files)
    assert "| model | latency | load time | memory | size | outputs |" in markdown
    assert "WORSE 0.0% |" in markdown
    failures = [test.get("name") for test in ElementTree.fromstring(junit).iter("testcase") if len(test)]
    assert {"latency", "outputs"} <= set(failures)
    assert json.loads(bmf)["old.onnx"]["agreement"] == {"value": 0.0}


def test_models_with_other_inputs_are_wrong_input_that_names_both(old: Path, tmp_path: Path) -> None:
    done = check_here(classifier(tmp_path / "large.onnx", side=24), old)

    assert done.returncode == 2
    assert "'large.onnx' takes images: float32 [1, 3, 24, 24]" in said(done.stderr)
    assert "'old.onnx' takes images: float32 [1, 3, 16, 16]" in said(done.stderr)


def test_equal_files_are_not_measured_where_that_is_asked_for(old: Path) -> None:
    done = check_here(old, old, "--skip-equal", "--json")

    assert done.returncode == 0, done.stderr
    assert verdicts(done) == {"case": Verdict.SAME.value}
    assert json.loads(done.stdout)["raw"] == []


def test_open_axes_get_their_shape_on_both_sides(tmp_path: Path) -> None:
    new, old = (
        write_onnx(tmp_path / name, ("batch", 3, "height", "width")) for name in ("new.onnx", "old.onnx")
    )

    refused = check_here(new, old)
    done = check_here(new, old, "--shape", "1x3x12x12", "--skip-equal", "--json")

    assert refused.returncode == 2
    assert "--shape images:1x3x224x224" in refused.stderr
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["candidate"]["models"][0]["inputs"][0]["shape"] == [1, 3, 12, 12]


def test_reports_of_two_model_files_are_compared_with_their_outputs(old: Path, tmp_path: Path) -> None:
    new = classifier(tmp_path / "new.onnx", change=0.05)
    for path in (old, new):
        words = ("--quick", "--profile", SHORT, "--out", path.with_suffix(".json"))
        assert edgefit_here("bench", path, *words).returncode == 0

    done = check_here(tmp_path / "new.json", tmp_path / "old.json", "--json")

    assert done.returncode == 10, done.stderr
    assert verdicts(done)["outputs"] == Verdict.WORSE.value
    assert "8 of 8 random inputs changed class" in done.stdout
