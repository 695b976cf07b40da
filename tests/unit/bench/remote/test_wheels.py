"""What the device part needs on a board, and wheels that were kept when the power was lost."""

from pathlib import Path

import pytest
from making.power_loss import PowerLoss, quick_syncing  # noqa: F401 - used by every test
from making.watching import Watching
from packaging.requirements import Requirement

from bench.remote import wheel_cache
from bench.remote.wheel_cache import cached_wheels
from bench.remote.wheels import Platform, device_requirements

PI = Platform("3.11", "2.36", "aarch64")


def test_a_board_needs_the_packages_of_the_device_part_alone() -> None:
    requirements = device_requirements(["onnx"])

    names_needed = {Requirement(text).name for text in requirements}
    assert names_needed == {"numpy", "onnxruntime", "psutil", "pydantic", "pyyaml"}


def test_kept_wheels_are_whole_after_a_loss_of_power_or_downloaded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def download(_platform: object, _needs: object, folder: Path, *_: object) -> list[Path]:
        for name in ("a.whl", "b.whl"):
            (folder / name).write_bytes(b"content of " + name.encode())
        return sorted(folder.iterdir())

    def kept(cache: Path, watching: Watching) -> list[bytes]:
        monkeypatch.setenv("EDGEFIT_CACHE", str(cache))
        return [wheel.read_bytes() for wheel in cached_wheels(PI, ["runtime"], watching)]

    monkeypatch.setattr(wheel_cache, "download_wheels", download)
    (tmp_path / "disk").mkdir()
    loss = PowerLoss(tmp_path / "disk")
    loss.run(lambda: kept(tmp_path / "disk", Watching()))

    whole = [b"content of a.whl", b"content of b.whl"]
    for left in loss.at_any_step(tmp_path / "left"):
        assert kept(left, Watching()) == whole
    for left in loss.at_the_end(tmp_path / "end"):
        monkeypatch.setattr(wheel_cache, "download_wheels", None)
        assert kept(left, Watching()) == whole
