"""What a source is, by how it is written and by a file's content."""

from pathlib import Path

import pytest

from bench.errors import InputError
from export.sources.recognising import recognise


def test_a_model_file_of_which_nothing_is_made_says_what_takes_it(tmp_path: Path) -> None:
    path = tmp_path / "model.param"
    path.write_text("7767517\n1 1\nInput in0 0 1 in0\n")
    path.with_suffix(".bin").write_bytes(b"")

    with pytest.raises(InputError, match=r"measures ncnn files, and makes nothing of them; .*edgefit bench"):
        recognise(str(path), None)
