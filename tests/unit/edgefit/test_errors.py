"""An error at the edge of the process becomes one sentence that claims no more than is known."""

import errno
import os
from pathlib import Path

import pytest

from bench.errors import InputError
from edgefit import app
from edgefit.command_line import run
from edgefit.errors import disk_sentence
from edgefit.jobs import export_run, finetune_network
from edgefit.progress import Silence
from export.options import ExportOptions
from models.options import FinetuneOptions

SPACE_SENTENCE = (
    "a file, or what the output goes to, cannot be written (No space left on device); "
    "free some space there, or use another disk"
)


def test_a_full_disk_is_one_sentence_that_does_not_say_that_nothing_was_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/there/report.csv")

    monkeypatch.setattr(app, "app", fail)

    assert run(["doctor"]) == 2
    assert capsys.readouterr().err == (
        "edgefit: /there/report.csv cannot be written (No space left on device); "
        "free some space there, or use another disk\n"
    )


def test_no_result_can_be_written_into_the_folder_of_the_data(tmp_path: Path) -> None:
    options = ExportOptions(source="model.onnx", formats=("onnx",), precisions=("fp32",), data=str(tmp_path))

    with pytest.raises(InputError, match=r"bundle lies in the data, .*; choose a folder outside of it"):
        export_run(options, tmp_path / "bundle", None, False, Silence())
    with pytest.raises(InputError, match=r"run lies in the data, .*; choose a folder outside of it"):
        finetune_network(
            FinetuneOptions(str(tmp_path), weights="none"), tmp_path / "run", None, False, Silence()
        )
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_called_like_generated_data_can_hold_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "synthetic" / "run").mkdir(parents=True)
    (tmp_path / "synthetic" / "run" / "mine").write_text("mine")

    with pytest.raises(InputError, match="run already contains something else"):
        finetune_network(
            FinetuneOptions("synthetic", weights="none"), Path("synthetic/run"), None, True, Silence()
        )


@pytest.mark.parametrize("is_link", [False, True])
def test_a_result_with_a_file_that_is_read_is_not_replaced(
    bundle_folder: Path, tmp_path: Path, is_link: bool
) -> None:
    model = bundle_folder / "onnx-fp32" / "model.onnx"
    given = tmp_path / "model.onnx" if is_link else model
    if is_link:
        given.symlink_to(model)
    options = ExportOptions(source=str(given), formats=("onnx",), precisions=("fp32",))
    refused = "contains .*model.onnx, which is read; choose another --out"

    with pytest.raises(InputError, match=refused):
        export_run(options, bundle_folder, None, True, Silence())
    with pytest.raises(InputError, match=refused):
        finetune_network(
            FinetuneOptions("synthetic", weights=str(given)), bundle_folder, None, True, Silence()
        )
    assert model.exists()


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


def of(number: int, path: str | None = "/there/a") -> OSError:
    return OSError(number, os.strerror(number), *([] if path is None else [path]))


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.EDQUOT, "quota"),
        (errno.EFBIG, "ulimit -f"),
        (errno.EPERM, "permissions"),
        (errno.EROFS, "not read-only"),
        (errno.EIO, "the disk or the network drive fails"),
        (errno.ESTALE, "the disk or the network drive fails"),
        (errno.EMFILE, "ulimit -n"),
        (errno.ENOLCK, "local disk"),
        (errno.ENOTDIR, "check the path"),
        (errno.EEXIST, "check the path"),
        (errno.EUCLEAN, "check it, and the disk that it is on"),
    ],
)
def test_an_error_of_the_system_names_the_file_and_what_to_do(number: int, remedy: str) -> None:
    sentence = disk_sentence(of(number))

    assert sentence is not None
    assert sentence.startswith("/there/a cannot be ")
    assert f"written ({os.strerror(number)}); " in sentence
    assert remedy in sentence


@pytest.mark.parametrize("number", sorted(errno.errorcode))
def test_every_error_of_the_system_is_a_sentence_or_known_as_a_programs_own(number: int) -> None:
    kinds = ("EBADF", "ECHILD", "EFAULT", "EINTR", "EINVAL", "EPIPE", "ESRCH", "ENOENT")
    is_connection = isinstance(of(number), ConnectionError)

    assert (disk_sentence(of(number)) is None) == (errno.errorcode[number] in kinds or is_connection)


@pytest.mark.parametrize(
    "error", [of(errno.EAGAIN, None), of(errno.ENOMEM, None), RuntimeError("can't start new thread")]
)
def test_a_process_that_cannot_be_started_is_a_limit_of_the_user(error: Exception) -> None:
    assert "no further process, thread or memory" in str(disk_sentence(error))


def test_an_error_of_a_library_that_only_looks_like_the_systems_is_none() -> None:
    assert disk_sentence(OSError("cannot identify image file")) is None
    assert disk_sentence(RuntimeError("anything else")) is None


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
