"""`edgefit profiles`: what is known of devices, what this machine is, and a calibration of it."""

import json
from pathlib import Path

import pytest

from edgefit.command_line import run

pytestmark = pytest.mark.usefixtures("own_profiles")
Out = pytest.CaptureFixture[str]


def test_the_list_holds_what_comes_along_and_ones_own(own_profiles: Path, capsys: Out) -> None:
    (own_profiles / "shop-floor.yaml").write_text("extends: raspberry-pi-5\nname: shop-floor\n")

    assert run(["profiles", "list", "--json"]) == 0

    listed = {one["name"]: one["file"] for one in json.loads(capsys.readouterr().out)}
    assert {"laptop-cpu", "raspberry-pi-4", "jetson-agx-orin"} <= listed.keys()
    assert listed["shop-floor"] == str(own_profiles / "shop-floor.yaml")


def test_a_profile_is_shown_with_kind_and_source_and_what_its_int8_will_gain(capsys: Out) -> None:
    assert run(["profiles", "show", "raspberry-pi-4"]) == 0

    shown = capsys.readouterr().out
    assert "no int8 dot product; expect int8 to be 1.0 to 1.5 times as fast as fp32" in " ".join(
        shown.split()
    )
    assert "1800 MHz" in shown
    assert "datasheet" in shown
    assert "https://www.raspberrypi.com/documentation" in shown


def test_what_is_not_known_and_what_needs_a_proxy_is_said(capsys: Out) -> None:
    assert run(["profiles", "show", "jetson-nano"]) == 0
    assert run(["profiles", "show", "raspberry-pi-5"]) == 0

    shown = capsys.readouterr().out
    assert "edgefit cannot run on it, so every latency is a proxy: JetPack 4" in shown
    assert "not found" in shown


def test_detect_names_this_machine_or_the_nearest_device(capsys: Out) -> None:
    assert run(["profiles", "detect", "--json"]) == 0

    found = json.loads(capsys.readouterr().out)
    assert found["host"]["cpu"]
    assert found["matches"] or found["nearest"]["differs"]


@pytest.mark.parametrize("name", ["My_Board.yaml", "board.txt"])
def test_a_wrong_profile_name_is_refused_before_measuring(name: str, tmp_path: Path, capsys: Out) -> None:
    assert run(["profiles", "calibrate", "--out", str(tmp_path / name)]) == 2

    assert f"{name}' is not a valid file name for a profile" in capsys.readouterr().err


def test_a_file_of_something_else_is_not_written_over(tmp_path: Path, capsys: Out) -> None:
    (tmp_path / "notes.yaml").write_text("shopping: [milk]\n")

    assert run(["profiles", "calibrate", "--out", str(tmp_path / "notes.yaml")]) == 2

    assert "was not written by edgefit" in capsys.readouterr().err
    assert (tmp_path / "notes.yaml").read_text() == "shopping: [milk]\n"


def test_a_broken_file_of_ones_own_is_named_and_the_others_are_listed(
    own_profiles: Path, capsys: Out
) -> None:
    (own_profiles / "broken.yaml").write_text("name: [unclosed")

    assert run(["profiles", "list"]) == 0
    assert run(["profiles", "detect"]) == 0

    said = " ".join(capsys.readouterr().out.split())
    assert "warning: this profile is skipped: " in said
    assert "broken.yaml cannot be read as YAML" in said
    assert "raspberry-pi-zero-2w" in said


def test_the_name_of_another_profile_is_refused_before_anything_is_measured(
    tmp_path: Path, capsys: Out
) -> None:
    assert run(["profiles", "calibrate", "--out", str(tmp_path / "raspberry-pi-5.yaml")]) == 2

    assert "another profile has the name 'raspberry-pi-5'" in capsys.readouterr().err


def test_a_profile_written_by_hand_is_not_written_over(tmp_path: Path, capsys: Out) -> None:
    (tmp_path / "mine.yaml").write_text("extends: laptop-cpu\nname: mine\n")

    assert run(["profiles", "calibrate", "--out", str(tmp_path / "mine.yaml")]) == 2

    assert "was not written by edgefit" in capsys.readouterr().err
