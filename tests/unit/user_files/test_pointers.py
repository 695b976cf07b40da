from pathlib import Path

import pytest

from user_files.pointers import pointer_at

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
ANNEX = b"/annex/objects/SHA256E-s3--aa.png\n"
DVC = b"outs:\n- md5: 4d7a\n  path: model.onnx\n"


@pytest.mark.parametrize(
    ("content", "remedy"),
    [(LFS, "git lfs pull"), (ANNEX, "git annex get"), (DVC, "dvc pull")],
    ids=["Git LFS", "git-annex", "DVC"],
)
def test_a_pointer_says_how_to_get_the_file_itself(tmp_path: Path, content: bytes, remedy: str) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(content)

    found = pointer_at(path)

    assert found is not None
    assert "not the file itself" in found.what
    assert remedy in found.remedy


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", b"a line\n" * 5])
def test_any_other_file_is_no_pointer_of(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "image.png"
    path.write_bytes(content)

    assert pointer_at(path) is None
