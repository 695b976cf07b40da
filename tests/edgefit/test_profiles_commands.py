"""`edgefit profiles`: what is known of devices, what this machine is, and a calibration of it."""

import json
from pathlib import Path

import pytest

from bench.harness import calibration
from bench.harness.calibration import Durations
from device_profiles.loading import load_profile
from edgefit.__main__ import run

Out = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "profiles"
    folder.mkdir()
    monkeypatch.setenv("EDGEFIT_PROFILES", str(folder))
    return folder


def test_the_list_holds_what_comes_along_and_ones_own(own_folder: Path, capsys: Out) -> None:
    (own_folder / "shop-floor.yaml").write_text("extends: raspberry-pi-5\nname: shop-floor\n")

    assert run(["profiles", "list", "--json"]) == 0

    listed = {one["name"]: one["file"] for one in json.loads(capsys.readouterr().out)}
    assert {"laptop-cpu", "raspberry-pi-4", "jetson-agx-orin"} <= listed.keys()
    assert listed["shop-floor"] == str(own_folder / "shop-floor.yaml")


def test_a_profile_is_shown_with_kind_and_source_and_what_its_int8_will_gain(capsys: Out) -> None:
    assert run(["profiles", "show", "raspberry-pi-4"]) == 0

    shown = capsys.readouterr().out
    assert "no int8 dot product: expect int8 to be 1.0 to 1.5 times as fast as fp32" in shown
    assert "1800 MHz" in shown
    assert "datasheet" in shown
    assert "https://www.raspberrypi.com/documentation" in shown


def test_what_is_not_found_and_what_can_only_be_stood_in_for_is_said(capsys: Out) -> None:
    assert run(["profiles", "show", "jetson-nano"]) == 0
    assert run(["profiles", "show", "raspberry-pi-5"]) == 0

    shown = capsys.readouterr().out
    assert "can only be stood in for: JetPack 4" in shown
    assert "not found" in shown


def test_detect_says_what_this_machine_is_or_what_is_nearest_and_what_differs(capsys: Out) -> None:
    assert run(["profiles", "detect", "--json"]) == 0

    found = json.loads(capsys.readouterr().out)
    assert found["host"]["cpu"]
    assert found["matches"] or found["nearest"]["differs"]


def test_calibration_writes_a_profile_that_describes_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Out
) -> None:
    monkeypatch.setattr(calibration, "FULL", Durations(rate_s=0.01, load_s=0.05))
    out = tmp_path / "my-desk.yaml"

    assert run(["profiles", "calibrate", "--out", str(out), "--json"]) == 0

    profile = load_profile(str(out))
    assert json.loads(capsys.readouterr().out)["name"] == profile.name == "my-desk"
    assert {rate.kind for rate in profile.rates if rate.runtime} == {"measured"}
    assert run(["profiles", "show", str(out)]) == 0


@pytest.mark.parametrize(
    ("name", "words"),
    [("My_Board.yaml", "gives the profile no name"), ("board.txt", "gives the profile no name")],
)
def test_a_file_that_can_be_no_profile_is_refused_before_anything_is_measured(
    name: str, words: str, tmp_path: Path, capsys: Out
) -> None:
    assert run(["profiles", "calibrate", "--out", str(tmp_path / name)]) == 2

    assert words in capsys.readouterr().err


def test_a_file_of_something_else_is_not_written_over(tmp_path: Path, capsys: Out) -> None:
    (tmp_path / "notes.yaml").write_text("shopping: [milk]\n")

    assert run(["profiles", "calibrate", "--out", str(tmp_path / "notes.yaml")]) == 2

    assert "holds something else" in capsys.readouterr().err
    assert (tmp_path / "notes.yaml").read_text() == "shopping: [milk]\n"


def test_a_broken_file_of_ones_own_is_named_and_the_others_are_listed(own_folder: Path, capsys: Out) -> None:
    (own_folder / "broken.yaml").write_text("name: [unclosed")

    assert run(["profiles", "list"]) == 0
    assert run(["profiles", "detect"]) == 0

    said = " ".join(capsys.readouterr().out.split())
    assert "warning: left out: " in said
    assert "broken.yaml: cannot be read as YAML" in said
    assert "raspberry-pi-zero-2w" in said


def test_the_name_of_another_profile_is_refused_before_anything_is_measured(
    tmp_path: Path, capsys: Out
) -> None:
    assert run(["profiles", "calibrate", "--out", str(tmp_path / "raspberry-pi-5.yaml")]) == 2

    assert "a profile is called 'raspberry-pi-5' already" in capsys.readouterr().err


def test_a_profile_written_by_hand_is_not_written_over(tmp_path: Path, capsys: Out) -> None:
    (tmp_path / "mine.yaml").write_text("extends: laptop-cpu\nname: mine\n")

    assert run(["profiles", "calibrate", "--out", str(tmp_path / "mine.yaml")]) == 2

    assert "holds something else" in capsys.readouterr().err
