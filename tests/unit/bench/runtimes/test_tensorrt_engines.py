"""TensorRT's engines are kept, unless the process that built one was ended."""

from pathlib import Path

import pytest
from making.watching import Watching

from bench.runtimes.tensorrt_engines import engine_folder, whole_engines


@pytest.fixture
def entry(tmp_path: Path) -> Path:
    (tmp_path / "model.onnx").write_bytes(b"a model")
    return tmp_path / "model.onnx"


def build(entry: Path, **engines: str) -> list[str]:
    """Build engines as onnxruntime does, and return what was said before."""
    watching = Watching()
    with whole_engines(entry, watching):
        engine_folder(entry).mkdir(exist_ok=True)
        for name, content in engines.items():
            (engine_folder(entry) / name).write_text(content)
    return watching.sentences


def kept(entry: Path) -> list[str]:
    """Return the engines that the next process finds."""
    with whole_engines(entry, Watching()):
        return sorted(path.name for path in engine_folder(entry).glob("*") if path.suffix != ".json")


def test_engines_are_kept_from_one_run_to_the_next(entry: Path) -> None:
    assert build(entry, fp32="an engine") == []
    assert build(entry, fp16="another") == []

    assert kept(entry) == ["fp16", "fp32"]


def test_an_engine_whose_builder_was_ended_is_built_again(entry: Path) -> None:
    build(entry, fp32="an engine")

    def die() -> None:
        with whole_engines(entry, Watching()):
            (engine_folder(entry) / "fp16").write_text("half of an eng")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        die()

    (said,) = build(entry)
    assert said.startswith(f"{engine_folder(entry)}: TensorRT's engine in it may be incomplete")
    assert kept(entry) == ["fp32"]


@pytest.mark.parametrize("damage", ["", "an eng", "an engine and more"])
def test_an_engine_of_another_size_is_built_again(entry: Path, damage: str) -> None:
    build(entry, fp32="an engine")
    (engine_folder(entry) / "fp32").write_text(damage)

    assert kept(entry) == []


@pytest.mark.parametrize("record", ["", "{", "[]"])
def test_without_its_record_no_engine_counts(entry: Path, record: str) -> None:
    build(entry, fp32="an engine")
    (engine_folder(entry) / "engines.json").write_text(record)

    assert kept(entry) == []


def test_without_a_folder_nothing_is_said(entry: Path) -> None:
    watching = Watching()
    with whole_engines(entry, watching):
        pass

    assert watching.sentences == []
    assert not engine_folder(entry).exists()
