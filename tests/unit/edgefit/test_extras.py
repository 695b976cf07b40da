"""A command whose extra is not installed says which packages are missing and what installs them."""

from importlib import metadata

import pytest

from bench.errors import MissingRuntimeError
from bench.install_command import install_command
from edgefit.extras import require_extra


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
