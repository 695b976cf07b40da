"""`edgefit profiles calibrate` on this very machine."""

import json
from pathlib import Path

import pytest

from bench.harness import calibration
from bench.harness.calibration import Durations
from device_profiles.loading import load_profile
from edgefit.command_line import run

pytestmark = pytest.mark.usefixtures("own_profiles")
Out = pytest.CaptureFixture[str]


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
