"""An option that no source could make good is refused before the source is opened, which takes long."""

from pathlib import Path
from typing import Any

import pytest

from bench.errors import InputError
from export.options import ExportOptions
from export.preparing import prepare
from export.source_runner import SourceRunner
from models.errors import InputError as ModelsInputError
from models.progress import Silent


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"data": "nowhere"}, r"--data nowhere: there is no such file or folder"),
        ({"data": "/dev/zero"}, r"--data /dev/zero: is neither a file nor a folder"),
        ({"classes": "nowhere.txt"}, r"--classes nowhere\.txt: there is no such file"),
        ({"classes": "a,a"}, r"--classes"),
        ({"activation": "relu"}, r"unknown activation 'relu'"),
        ({"preprocess": "imagnet"}, r"--preprocess imagnet: is neither"),
    ],
)
def test_a_wrong_option_is_refused_before_the_source_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: dict[str, Any], said: str
) -> None:
    monkeypatch.setattr(SourceRunner, "describe", lambda *_: pytest.fail("the source must not be opened"))
    options = ExportOptions("timm/any", **{"data": str(tmp_path), **wrong})

    with SourceRunner(1, 60.0) as runner, pytest.raises((InputError, ModelsInputError), match=said):
        prepare(options, runner, Silent())
