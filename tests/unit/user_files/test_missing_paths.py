"""A path at which there is nothing: what the shell left in it, or a slip, is said with what to type."""

from pathlib import Path

import pytest

from user_files.missing_paths import missing_hint


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "model.onnx").touch()
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "film.png").touch()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "the path is empty"),
        ("-", "does not read standard input"),
        ("https://example.org/model.onnx", "it is an address: download the file"),
        (Path("https://example.org/model.onnx"), "it is an address: download the file"),
        ("s3://bucket/photos", "it is an address"),
        ("file:///data/model.onnx", "give the path alone: /data/model.onnx"),
        ("C:\\data\\model.onnx", "in WSL, give /mnt/c/data/model.onnx"),
        ("D:/data/model.onnx", "in WSL, give /mnt/d/data/model.onnx"),
        ("$MODELS/model.onnx", "did not replace the variable"),
        ("model.onnx ", "blank or quotes around it: give model.onnx"),
        (" model.onnx", "blank or quotes around it: give model.onnx"),
        ("'model.onnx'", "blank or quotes around it: give model.onnx"),
        ("“model.onnx”", "blank or quotes around it: give model.onnx"),
        ("photos\\film.png", "it has backslashes: give photos/film.png"),
        ("*.pt", "the shell found no file for this pattern"),
        ("photos/[0-9].png", "the shell found no file for this pattern"),
        ("Model.ONNX", "did you mean model.onnx?"),
        ("modle.onnx", "did you mean model.onnx?"),
        ("photos/flim.png", "did you mean photos/film.png?"),
        ("elsewhere/deep/model.onnx", "there is no folder elsewhere"),
        ("model.onnx/graph", "model.onnx is a file, not a folder"),
    ],
)
def test_a_slip_is_named_with_what_to_type(typed: str | Path, said: str) -> None:
    hint = missing_hint(typed)
    assert hint is not None
    assert said in hint


def test_a_home_that_the_shell_left_is_given_whole(tmp_path: Path) -> None:
    assert str(missing_hint("~/model.onnx")).endswith(f"give {tmp_path}/model.onnx")


def test_a_name_like_nothing_has_no_hint() -> None:
    assert missing_hint("report.json") is None
