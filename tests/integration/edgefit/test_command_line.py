"""The command line as a user meets it: real processes, exit codes, and what goes to which stream."""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from making.command_line import SHORTLY, edgefit, edgefit_here
from making.shown_commands import commands
from making.tiny_report import make_report

from bench.report.files import write_report
from bench.runtimes.formats import FORMATS
from edgefit.app import COMMANDS

HEAVY: tuple[str, ...] = (
    "altair",
    "importlib.metadata",
    "jinja2",
    "numpy",
    "onnxruntime",
    "openvino",
    "psutil",
    "pydantic",
)
HEAVY += ("rich", "torch", "torchvision", "typer._adapters", "yaml")


def imported_by(lines: list[str], environment: dict[str, str] | None = None) -> set[str]:
    """What one process has imported after these command lines."""
    script = (
        "import contextlib, json, os, sys\n"
        "from edgefit.command_line import run\n"
        "with contextlib.redirect_stdout(sys.stderr):\n"
        f"    for line in {lines!r}:\n"
        "        with contextlib.suppress(SystemExit):\n"
        "            assert run(line.split()) in (0, 2), line\n"
        "print(json.dumps(list(sys.modules)))\n"
    )
    command = [sys.executable, "-c", script]
    asked = os.environ | (environment or {})
    done = subprocess.run(command, env=asked, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_no_help_imports_a_heavy_library() -> None:
    lines = [f"{words.removeprefix('edgefit')} --help" for words, _ in commands()]

    found = imported_by([*lines, "profiles --help"])

    assert found.isdisjoint(HEAVY)
    assert {f"edgefit.commands.{name}" for name in COMMANDS} <= found


@pytest.mark.parametrize("line", ["--help", "--version", "", "bnech"])
def test_the_list_of_commands_imports_none_of_them(line: str) -> None:
    found = imported_by([line])

    assert found.isdisjoint(HEAVY)
    assert [name for name in found if name.startswith("edgefit.commands.")] == []


def test_completing_a_command_imports_none_of_them() -> None:
    asked = {"_EDGEFIT_COMPLETE": "complete_bash", "COMP_WORDS": "edgefit ch", "COMP_CWORD": "1"}

    found = imported_by([""], asked)

    assert found.isdisjoint(HEAVY)
    assert [name for name in found if name.startswith("edgefit.commands.")] == []


def test_every_command_of_the_table_is_in_the_help() -> None:
    text = edgefit("--help").stdout

    for name, line in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(line)}$", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["bnech"], "Did you mean 'bench'"),
        (["bench"], "Missing argument"),
        (["bench", "nowhere"], "nowhere: no such file"),
        (["bench", "nowhere", "--profile", "laptop"], "unknown profile 'laptop'; did you mean 'laptop-cpu'?"),
        (["report", "nowhere.json"], "nowhere.json: no such report"),
        (["profiles", "show", "nothing"], "unknown profile 'nothing'"),
        (["export", "nowhere", "--out", "b"], "nowhere: no such folder"),
        (["finetune", "--data", "nowhere", "--out", "r", "--weights", "none"], "nowhere"),
        (["finetune", "--data", "synthetic", "--out", "r", "--arch", "mobilenet_v3"], "mobilenet_v3"),
    ],
)
def test_wrong_use_is_one_sentence_exit_code_2_and_leaves_nothing(
    tmp_path: Path, words: list[str], sentence: str
) -> None:
    done = edgefit(*words, cwd=tmp_path)

    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_bench_prints_a_table_and_writes_the_report(bundle_folder: Path, tmp_path: Path) -> None:
    done = edgefit("bench", bundle_folder, *SHORTLY, "--only", "onnx-fp32", "--out", tmp_path / "r.json")

    assert done.returncode == 0, done.stderr
    assert re.search(r"^onnx-fp32 .*measured", done.stdout, re.MULTILINE)
    assert "next: edgefit report" in done.stdout
    assert json.loads((tmp_path / "r.json").read_text())["runs"][0]["outcome"]["status"] == "completed"


def test_json_is_one_document_on_stdout_and_the_table_goes_to_stderr(bundle_folder: Path) -> None:
    done = edgefit_here("bench", bundle_folder, *SHORTLY, "--only", "onnx-fp32", "--json")

    assert json.loads(done.stdout)["runs"][0]["variant"] == "onnx-fp32"
    assert "onnx-fp32" in done.stderr


def test_an_error_with_json_is_a_document_too(tmp_path: Path) -> None:
    done = edgefit("bench", tmp_path, "--json")

    assert done.returncode == 2
    assert json.loads(done.stdout)["exit_code"] == 2


def test_a_failed_case_is_exit_code_4_and_the_report_is_written_all_the_same(
    bundle_folder: Path, tmp_path: Path
) -> None:
    model = bundle_folder / "onnx-fp32" / "model.onnx"
    model.write_bytes(b"no model")
    manifest = json.loads((bundle_folder / "manifest.json").read_text())
    onnx = next(one for one in manifest["artifacts"] if one["format"] == "onnx")
    onnx["files"][0] |= {"sha256": hashlib.sha256(b"no model").hexdigest(), "size_bytes": 8}
    (bundle_folder / "manifest.json").write_text(json.dumps(manifest))

    done = edgefit_here("bench", bundle_folder, *SHORTLY, "--only", "onnx-fp32", "--out", tmp_path / "r.json")

    assert done.returncode == 4, done.stderr
    assert "onnx-fp32 failed: error in stage load" in done.stdout
    assert json.loads((tmp_path / "r.json").read_text())["runs"][0]["outcome"]["status"] == "failed"


def test_report_shows_stored_reports_and_writes_csv(tmp_path: Path) -> None:
    write_report(tmp_path / "r.json", make_report())

    done = edgefit("report", tmp_path / "r.json", "--csv", tmp_path / "r.csv")

    assert done.returncode == 0, done.stderr
    assert "onnx-fp32" in done.stdout
    assert (tmp_path / "r.csv").read_text().startswith("report,created,profile,host,case,variant")


def test_doctor_names_the_runtimes_and_the_machine() -> None:
    document = json.loads(edgefit("doctor", "--json").stdout)

    assert document["runtimes"].keys() == FORMATS.keys()
    assert document["host"]["physical_cores"] >= 1


def test_profiles_are_listed_and_shown() -> None:
    assert "laptop-cpu" in edgefit("profiles", "list").stdout
    assert (
        json.loads(edgefit("profiles", "show", "laptop-cpu", "--json").stdout)["threads"] == "physical-cores"
    )


def test_csv_never_replaces_what_is_no_csv_of_ours(tmp_path: Path) -> None:
    report = tmp_path / "r.json"
    write_report(report, make_report())
    before = report.read_text()

    done = edgefit("report", report, "--csv", report)

    assert done.returncode == 2
    assert "was not written by edgefit; choose another --csv" in done.stderr
    assert report.read_text() == before


def test_naming_no_variant_is_wrong_use(bundle_folder: Path) -> None:
    done = edgefit("bench", bundle_folder, "--only", " , ")

    assert done.returncode == 2
    assert "contains no name" in done.stderr


def test_a_reader_that_goes_away_is_no_crash() -> None:
    command = f"{sys.executable} -m edgefit profiles show laptop-cpu | true; echo ${{PIPESTATUS[0]}}"

    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)

    assert done.stdout.strip() in ("0", "141")
    assert "Traceback" not in done.stderr
