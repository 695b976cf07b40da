"""Every document says that a newer edgefit wrote it, and is read with a byte-order mark and in UTF-16."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from making.tiny_report import make_report

from bench.bundle.manifest import read_bundle
from bench.bundle.sidecar import read_sidecar
from bench.report.files import read_report, to_json
from device_profiles.loading import read_profile
from models.run_folder import read_run

REMEDY = "update edgefit: pip install --upgrade edgefit"
MARKED = ("utf-8-sig", "utf-16")


@pytest.fixture(params=["report", "manifest", "run"])
def document(
    request: pytest.FixtureRequest, tmp_path: Path, bundle_folder: Path, run_folder: Path
) -> tuple[Path, Callable[[], object]]:
    """A JSON document, and what reads it."""
    if request.param == "report":
        path = tmp_path / "report.json"
        path.write_text(to_json(make_report()))
        return path, lambda: read_report(path)
    kind = {"manifest": bundle_folder, "run": run_folder}[request.param]
    folder = Path(shutil.copytree(kind, tmp_path / request.param))
    read: Callable[[Path], object] = read_bundle if request.param == "manifest" else read_run
    return folder / f"{request.param}.json", lambda: read(folder)


def changed(path: Path, **keys: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **keys}))


def test_a_newer_schema_is_named_with_the_remedy(document: tuple[Path, Callable[[], object]]) -> None:
    path, read = document
    changed(path, schema=3, tool="99.0", surprise=1)

    with pytest.raises(Exception, match="newer edgefit") as caught:
        read()

    said = f"{path} was written by a newer edgefit (99.0, schema 3; this one reads up to 2); {REMEDY}"
    assert str(caught.value).startswith(said)


def test_a_fault_in_a_document_of_a_newer_version_is_its_remedy(
    document: tuple[Path, Callable[[], object]],
) -> None:
    path, read = document
    changed(path, tool="99.0", surprise=1)

    with pytest.raises(Exception, match="surprise") as caught:
        read()

    assert "a newer edgefit wrote it (99.0; this one is " in str(caught.value)
    assert REMEDY in str(caught.value)


def test_an_unknown_key_of_this_version_is_no_update(document: tuple[Path, Callable[[], object]]) -> None:
    path, read = document
    changed(path, surprise=1)

    with pytest.raises(Exception, match="surprise") as caught:
        read()

    assert "newer" not in str(caught.value)


@pytest.mark.parametrize("encoding", MARKED)
def test_a_document_is_read_with_a_mark(document: tuple[Path, Callable[[], object]], encoding: str) -> None:
    path, read = document
    path.write_text(path.read_text(), encoding=encoding)

    read()


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text("extends: laptop-cpu\nname: mine\n")
    return path


@pytest.mark.parametrize("encoding", MARKED)
def test_a_profile_is_read_with_a_mark(profile: Path, encoding: str) -> None:
    profile.write_text(profile.read_text(), encoding=encoding)

    assert read_profile(profile).name == "mine"


def test_a_profile_in_another_encoding_is_named(profile: Path) -> None:
    profile.write_bytes("name: mine\nextends: laptop-cpu # für mich\n".encode("latin-1"))

    with pytest.raises(Exception, match=r"neither in UTF-8 nor in UTF-16 \(byte 0xfc in line 2\)"):
        read_profile(profile)


@pytest.mark.parametrize("added", ["quantum: 1", "sampling:\n  quantum: 1"])
def test_a_key_like_none_may_be_of_a_newer_edgefit(profile: Path, added: str) -> None:
    profile.write_text(f"{profile.read_text()}{added}\n")

    with pytest.raises(Exception, match=f"if the profile is for a newer edgefit, {REMEDY}"):
        read_profile(profile)


def test_a_key_with_a_slip_is_no_update(profile: Path) -> None:
    profile.write_text(f"{profile.read_text()}samplin: {{}}\n")

    with pytest.raises(Exception, match="did you mean 'sampling'") as caught:
        read_profile(profile)

    assert "newer" not in str(caught.value)


def test_a_profile_of_a_later_schema_is_named(profile: Path) -> None:
    profile.write_text(f"{profile.read_text()}schema: 3\n")

    with pytest.raises(Exception, match="was written by a newer edgefit"):
        read_profile(profile)


@pytest.mark.parametrize("encoding", MARKED)
def test_a_sidecar_is_read_with_a_mark(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "edgefit.yaml").write_text("model: a.onnx\n", encoding=encoding)

    assert read_sidecar(tmp_path / "edgefit.yaml").model == "a.onnx"


def test_a_key_of_a_sidecar_like_none_may_be_of_a_newer_edgefit(tmp_path: Path) -> None:
    (tmp_path / "edgefit.yaml").write_text("quantum: 1\n")

    with pytest.raises(Exception, match=f"if the sidecar is for a newer edgefit, {REMEDY}"):
        read_sidecar(tmp_path / "edgefit.yaml")
