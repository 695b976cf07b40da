"""A source whose files change while it is exported is noticed, and one that does not change is not."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from making.model_pairs import classifier

from bench.bundle.source_record import SourceKind
from bench.errors import InputError
from export.sources.spec import SourceSpec
from export.unchanged_source import SourceFiles


def _other(path: Path) -> None:
    path.write_bytes(path.read_bytes()[::-1])
    os.utime(path, ns=(0, 1))  # clocks of disks are coarse


def _replaced(path: Path) -> None:
    copy = path.with_name("copy")
    copy.write_bytes(path.read_bytes())
    copy.replace(path)


@pytest.mark.parametrize("change", [_other, _replaced, Path.unlink])
@pytest.mark.parametrize("name", ["model.xml", "model.bin", "weights.pth", "run/run.json"])
def test_a_changed_file_of_a_source_is_named(
    tmp_path: Path, name: str, change: Callable[[Path], None]
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text("{}")
    (tmp_path / "model.xml").write_text('<?xml version="1.0"?><net name="a" version="11"></net>')
    (tmp_path / "model.bin").write_bytes(b"0123")
    (tmp_path / "weights.pth").write_bytes(b"4567")
    specs = (
        SourceSpec(kind=SourceKind.OPENVINO, name=str(tmp_path / "model.xml")),
        SourceSpec(kind=SourceKind.TIMM, name="timm/a", weights=str(tmp_path / "weights.pth")),
        SourceSpec(kind=SourceKind.RUN, name=str(tmp_path / "run")),
    )
    before = [SourceFiles.of(spec) for spec in specs]
    for files in before:
        files.refuse_changed()
    (changed,) = (files for files in before if tmp_path / name in files.states)
    change(tmp_path / name)

    with pytest.raises(InputError, match=f"{name} was changed, replaced or deleted while it was exported"):
        changed.refuse_changed()


def test_files_beside_a_model_are_none_of_its_own(tmp_path: Path) -> None:
    path = classifier(tmp_path / "model.onnx")
    files = SourceFiles.of(SourceSpec(kind=SourceKind.ONNX, name=str(path)))
    (tmp_path / "notes.txt").write_text("new")

    files.refuse_changed()
    assert list(files.states) == [path]
