"""The demo is five commands, printed as they can be repeated by hand."""

import dataclasses
import json
import re
from pathlib import Path

import pytest
import typer
from making.compared_report import Row, made_report
from making.tiny_report import make_report

from bench.errors import InputError
from bench.install_command import install_command
from bench.report.files import write_report
from bench.runtimes.formats import FORMATS
from edgefit.app import _run_command
from edgefit.commands.demo import left_out, make_demo, shares, steps, undecided_variants


def decided(_report: Path) -> list[str]:
    """What a demo finds whose choice is decided."""
    return []


def test_each_step_uses_the_result_of_the_one_before() -> None:
    finetune, export, bench, report, choose = steps(Path("d"))

    assert finetune[0:3] == ["finetune", "--data", "synthetic"]
    assert "bundled" in finetune
    assert export[:2] == ["export", "d/run"]
    assert export[2:4] == ["--formats", "torchscript,onnx,openvino"]
    assert export[4:6] == ["--precisions", "fp32,int8"]
    assert bench[:2] == ["bench", "d/bundle"]
    assert choose == ["choose", "d/report.json"]
    assert report[:4] == ["report", "d/report.json", "--html", "d/report.html"]


def test_the_demo_measures_enough_processes_for_an_interval() -> None:
    _, _, bench, *_ = steps(Path("d"))

    assert "--quick" not in bench
    assert "--seconds" in bench


def test_the_demo_leaves_out_what_needs_a_further_extra_and_says_how_to_add_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rare = dataclasses.replace(FORMATS["onnx"], title="Rare", build_extra="build-rare")
    monkeypatch.setitem(FORMATS, "rare", rare)

    assert "rare" not in steps(Path("d"))[1][3]
    assert f"to export Rare as well: {install_command('build-rare')}" in left_out(Path("d"))
    assert "to export fp16 as well: edgefit export d/run --out BUNDLE" in left_out(Path("d"))


def test_every_step_is_printed_as_it_is_run(capsys: pytest.CaptureFixture[str]) -> None:
    ran: list[list[str]] = []

    def run(words: list[str]) -> int:
        ran.append(words)
        return 0

    make_demo(run, decided)(out=Path("d"), overwrite=True)

    printed = capsys.readouterr().out
    assert ran == steps(Path("d"), overwrite=True)
    for words in ran:
        assert f"$ edgefit {' '.join(words)}" in printed
    assert Path("d/report.html").resolve().as_uri() in printed.replace("\n", "")


def test_the_share_of_each_step_is_printed_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    make_demo(lambda _arguments: 0, decided)(out=Path("d"))

    printed = capsys.readouterr().out
    assert re.search(r"the demo took \d+ s:\n  finetune +\d+ s +\d+%\n  export ", printed)


def test_shares_stand_below_each_other() -> None:
    assert shares({"finetune": 30, "export": 60.4, "choose": 0}) == [
        "the demo took 90 s:",
        "  finetune    30 s   33%",
        "  export      60 s   67%",
        "  choose       0 s    0%",
    ]


def test_variants_that_are_not_decided_are_measured_again_by_themselves() -> None:
    ran: list[list[str]] = []

    def run(words: list[str]) -> int:
        ran.append(words)
        return 0

    make_demo(run, lambda _report: ["onnx-int8", "openvino-int8"])(out=Path("d"))

    bench, report, choose = ran[5:]
    assert bench[:2] == ["bench", "d/bundle"]
    assert bench[-4:] == ["--only", "onnx-int8,openvino-int8", "--out", "d/again.json"]
    assert report[:5] == ["report", "d/report.json", "d/again.json", "--html", "d/report.html"]
    assert choose == ["choose", "d/report.json", "d/again.json"]


def test_only_the_chosen_variant_and_those_near_to_it_are_undecided(tmp_path: Path) -> None:
    noise = (0.7, 1.3) * 4
    near = {"onnx-fp32": Row(30), "onnx-fp16": Row(10), "onnx-int8": Row(10.2, noise=noise)}
    write_report(tmp_path / "near.json", made_report(near))
    write_report(tmp_path / "far.json", made_report({"onnx-fp32": Row(30), "onnx-fp16": Row(10)}))

    assert sorted(undecided_variants(tmp_path / "near.json")) == ["onnx-fp16", "onnx-int8"]
    assert undecided_variants(tmp_path / "far.json") == []


def test_a_failing_step_ends_the_demo_with_its_exit_code() -> None:
    ran: list[str] = []

    def fail(words: list[str]) -> int:
        ran.append(words[0])
        return 4

    with pytest.raises(typer.Exit) as end:
        make_demo(fail, decided)(out=Path("d"))

    assert end.value.exit_code == 4
    assert ran == ["finetune"]


def test_with_json_the_results_of_the_steps_go_to_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_report(tmp_path / "report.json", make_report())

    make_demo(lambda _arguments: print("a table") or 0, decided)(out=tmp_path, as_json=True)

    printed = capsys.readouterr()
    assert json.loads(printed.out)["name"] == "tiny"
    assert "a table" in printed.err


def test_a_quiet_step_does_not_silence_those_after_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_report(tmp_path / "report.json", make_report())

    first = _run_command(["report", str(tmp_path / "report.json"), "--quiet"])
    quiet = capsys.readouterr().out
    second = _run_command(["choose", str(tmp_path / "report.json")])

    assert (first, quiet, second) == (0, "", 0)
    assert capsys.readouterr().out.startswith("laptop-cpu: ")


@pytest.mark.parametrize(
    "name", ["report.json", "again.json", "report.html", "run/notes.txt", "bundle/notes.txt"]
)
@pytest.mark.parametrize("overwrite", [False, True])
def test_what_is_in_the_way_of_a_later_step_stops_the_demo_before_the_first(
    tmp_path: Path, name: str, overwrite: bool
) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")

    with pytest.raises(InputError, match=str(tmp_path / name.partition("/")[0])):
        make_demo(lambda _: pytest.fail("no step must run"))(tmp_path, overwrite)

    assert (tmp_path / name).read_text() == "mine"
