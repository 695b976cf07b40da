"""An error at the edge of the process becomes one sentence that claims no more than is known."""

import errno
from pathlib import Path

import pytest

from bench.errors import InputError
from edgefit import app
from edgefit.command_line import run
from edgefit.errors import disk_sentence
from edgefit.jobs import export_run
from edgefit.progress import Silence
from export.options import ExportOptions

SPACE_SENTENCE = (
    "a file, or what the output goes to, cannot be read or written (No space left on device); check its "
    "permissions, and the free space"
)


def test_a_full_disk_is_one_sentence_that_does_not_say_that_nothing_was_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/there/report.csv")

    monkeypatch.setattr(app, "app", fail)

    assert run(["doctor"]) == 2
    assert capsys.readouterr().err == (
        "edgefit: /there/report.csv cannot be read or written (No space left on device); "
        "check its permissions, and the free space\n"
    )


def test_a_bundle_cannot_be_written_into_the_folder_of_the_data(tmp_path: Path) -> None:
    options = ExportOptions(source="model.onnx", formats=("onnx",), precisions=("fp32",), data=str(tmp_path))

    with pytest.raises(InputError, match=r"bundle lies in the data, .*; choose a folder outside of it"):
        export_run(options, tmp_path / "bundle", None, False, Silence())
    assert not (tmp_path / "bundle").exists()


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']"),
            "no folder for temporary files is here, or can be written; set TMPDIR to a writable folder",
        ),
        (
            FileNotFoundError(errno.ENOENT, "No such file or directory", "/proc/meminfo"),
            "/proc/meminfo is missing, which edgefit reads: mount /proc, with all that it has",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            SPACE_SENTENCE,
        ),
    ],
)
def test_a_folder_that_every_process_has_and_this_one_lacks_is_named(error: OSError, sentence: str) -> None:
    assert disk_sentence(error) == sentence


def test_a_deleted_current_folder_is_a_sentence_and_another_missing_file_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    missing = FileNotFoundError(errno.ENOENT, "No such file or directory")
    assert disk_sentence(missing) is None

    def gone() -> str:
        raise missing

    monkeypatch.setattr("os.getcwd", gone)
    assert disk_sentence(FileNotFoundError(errno.ENOENT, "No such file or directory", "x.json")) is None
    assert disk_sentence(missing) == (
        "the folder that edgefit was started in is deleted; go to another one, and run edgefit there"
    )


@pytest.mark.parametrize(
    ("ended_by", "code"), [(SystemExit(129), 129), (SystemExit(143), 143), (KeyboardInterrupt(), 130)]
)
@pytest.mark.parametrize("number", [errno.EIO, errno.EPIPE, errno.EBUSY])
def test_what_fails_after_a_signal_does_not_hide_it(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    ended_by: BaseException,
    code: int,
    number: int,
) -> None:
    def draw_on_a_gone_terminal(*_: object, **__: object) -> None:
        try:
            raise ended_by
        finally:
            raise OSError(number, "the end of a bar")

    monkeypatch.setattr(app, "app", draw_on_a_gone_terminal)

    assert run(["doctor"]) == code
    assert ("the end of a bar" in capsys.readouterr().err) == (number == errno.EBUSY)
