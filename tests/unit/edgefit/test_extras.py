"""A command whose extra is not installed says which packages are missing and what installs them."""

from importlib import metadata
from pathlib import Path

import pytest
from making.films import Remembering

from bench.errors import MissingRuntimeError
from bench.install_command import install_command
from edgefit.extras import require_extra
from edgefit.jobs import finetune_network
from models.options import FinetuneOptions


def test_an_installed_extra_is_no_error() -> None:
    require_extra("build", "edgefit export")


def test_missing_packages_are_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        if name in ("nncf", "scipy"):
            raise metadata.PackageNotFoundError(name)
        return "1"

    monkeypatch.setattr(metadata, "version", version)

    with pytest.raises(MissingRuntimeError) as error:
        require_extra("build", "edgefit export")

    assert error.value.exit_code == 3
    assert str(error.value) == (
        "edgefit export needs packages that are missing: nncf, scipy; install them with: "
        + install_command("build")
    )


def test_a_network_of_timm_without_timm_says_what_installs_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def version(name: str) -> str:
        if name == "timm":
            raise metadata.PackageNotFoundError(name)
        return "1"

    monkeypatch.setattr(metadata, "version", version)
    options = FinetuneOptions(data="synthetic", arch="timm/resnet18")

    with pytest.raises(
        MissingRuntimeError, match=r"--arch timm/resnet18 needs packages .* timm; install them with"
    ):
        finetune_network(options, tmp_path / "run", None, overwrite=False, progress=Remembering())

    assert list(tmp_path.iterdir()) == []
