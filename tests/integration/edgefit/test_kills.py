"""A command that is killed at any moment leaves the earlier result or the new one, and nothing else.

The variable KILLS says how many kills are tried, KILLS_SEED which ones, KILLS_TABLE in which file each gets
a line. The commands take turns; signal and moment are by chance.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from making.command_line import EDGEFIT, SHORT
from making.made_once import made_once
from making.tiny_bundle import make_tiny_bundle
from making.tiny_run import make_tiny_run

from bench.bundle.manifest import read_bundle
from bench.bundle.sidecar import was_written
from bench.choose.ship.shipping import written_files as shipped_files
from bench.filesystem.whole_files import WrittenFiles
from bench.remote.wheelhouse import written_files as wheelhouse_files
from bench.report.files import read_report
from models.run_folder import read_run

KILLS = int(os.environ.get("KILLS", "24"))
SEED = os.environ.get("KILLS_SEED", "0")
TABLE = os.environ.get("KILLS_TABLE")
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
ONLY = ("--only", "onnx-fp32")
QUICK = ("--profile", SHORT, "--quick")
_SECONDS_TO_END = 20


def _ends_with(*ends: bytes) -> Callable[[Path], object]:
    """Return a check of a file of which only the end can be missing."""

    def check(path: Path) -> None:
        assert path.read_bytes().rstrip().endswith(ends)

    return check


@dataclass(frozen=True)
class Command:
    """A command that writes something, in a folder with a run, a bundle and a report."""

    words: Sequence[str | Path]
    """Its words."""
    result: str
    """The name of what it writes."""
    check: Callable[[Path], object]
    """Raises if that is not whole."""
    again: Sequence[str | Path] = ()
    """The words that are added when it is run again."""


def _report(option: str, name: str, *ends: bytes) -> Command:
    return Command(("report", "report.json", option, name), name, _ends_with(*ends))


def _has_all(written: WrittenFiles) -> Callable[[Path], object]:
    """Return a check of a folder whose record names its files."""

    def check(folder: Path) -> None:
        files = written(folder)
        assert files is not None
        assert all((folder / name).is_file() for name in files)

    return check


def _is_true(value: bool) -> None:
    assert value


def _into_folder(check: Callable[[Path], object], *words: str | Path) -> Command:
    return Command(words, "new", check)


COMMANDS: Mapping[str, Command] = {
    "finetune": _into_folder(
        read_run,
        *("finetune", "--data", "synthetic", "--weights", "none", "--image-size", "32", "--epochs", "1"),
        *("--out", "new", "--overwrite"),
    ),
    "export": _into_folder(
        read_bundle,
        *("export", "run", "--formats", "onnx", "--precisions", "fp32", "--out", "new", "--overwrite"),
    ),
    "bench": Command(("bench", "bundle", *QUICK, *ONLY, "--out", "new.json"), "new.json", read_report),
    "resume": Command(
        ("bench", "bundle", *QUICK, "--out", "new.json"), "new.json", read_report, ("--resume",)
    ),
    "check": Command(
        (
            *("check", "bundle", "--baseline", "bundle", "--profile", SHORT, *ONLY),
            *("--seconds", "3", "--markdown", "new.md"),
        ),
        "new.md",
        _ends_with(b""),
    ),
    "ship": _into_folder(
        _has_all(shipped_files),
        *("choose", "report.json", "--min-retention", "0", "--ship", "new", "--overwrite"),
    ),
    "html": _report("--html", "new.html", b"</html>"),
    "csv": _report("--csv", "new.csv", b""),
    "png": _report("--png", "new.png", b"IEND\xaeB`\x82"),
    "junit": _report("--junit", "new.xml", b"</testsuites>", b"</testsuite>"),
    "bmf": _report("--bmf", "new-bmf.json", b"}"),
    "inspect": Command(
        ("inspect", "model/model.onnx", "--write"),
        "model/edgefit.yaml",
        lambda path: _is_true(was_written(path.read_bytes())),
    ),
    "pack": Command(
        ("pack", "bundle", "--for", SHORT, *ONLY, "--out", "new.pyz"), "new.pyz", _ends_with(b"")
    ),
    "wheelhouse": _into_folder(
        _has_all(wheelhouse_files),
        *("wheelhouse", "--python", "3.11", "--formats", "onnx", "--out", "new", "--overwrite"),
    ),
}


def _start(command: Command, folder: Path, *more: str | Path) -> subprocess.Popen[bytes]:
    (folder / "temporary").mkdir(exist_ok=True)
    own = {"TMPDIR": str(folder / "temporary"), "EDGEFIT_CACHE": str(folder / "cache")}
    with (folder / "said").open("wb") as said:
        return subprocess.Popen(
            [*EDGEFIT, *map(str, (*command.words, *more))],
            cwd=folder,
            env={**os.environ, **own, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )


def _material(folder: Path) -> None:
    folder.mkdir()
    make_tiny_run(folder / "run")
    make_tiny_bundle(folder / "bundle")
    (folder / "model").mkdir()
    shutil.copy(folder / "bundle/onnx-fp32/model.onnx", folder / "model")
    bench = Command(("bench", "bundle", *QUICK, *ONLY, "--out", "report.json"), "report.json", read_report)
    assert _start(bench, folder).wait() == 0, (folder / "said").read_text()


@pytest.fixture(scope="session")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_once(tmp_path_factory, "material", _material)


def _once(name: str, material: Path, factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """Return a folder in which a command was run whole, and how long that took."""

    def make(folder: Path) -> None:
        shutil.copytree(material, folder)
        began = time.monotonic()
        code = _start(COMMANDS[name], folder).wait()
        assert code in (0, 10, 12), (folder / "said").read_text()
        (folder / "seconds").write_text(str(time.monotonic() - began))

    whole = made_once(factory, f"whole-{name}", make)
    return whole, float((whole / "seconds").read_text())


def hidden(folder: Path) -> list[str]:
    """Return what killed commands left: beside results, and in the folder for temporary files."""
    unfinished = [path for path in folder.rglob(".*") if path.suffix in (".part", ".old")]
    left = [*unfinished, *folder.glob("temporary/edgefit-*")]
    return sorted(str(path.relative_to(folder)) for path in left)


def alive(folder: Path) -> list[str]:
    """Return the processes that the command started, which are known by their folder for temporary files."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("EDGEFIT_CACHE") == str(folder / "cache"):
                found.append(f"{process.pid} {process.status()} {process.cmdline()}")
        except psutil.Error:
            continue
    return found


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("number", range(KILLS))
def test_a_killed_command_leaves_a_whole_result_and_nothing_else(
    number: int, material: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    chance = random.Random(f"{SEED}-{number}")
    name = list(COMMANDS)[number % len(COMMANDS)]
    command = COMMANDS[name]
    whole, seconds = _once(name, material, tmp_path_factory)
    folder = tmp_path / "work"
    shutil.copytree(whole, folder)
    end, moment_s = chance.choice(SIGNALS), chance.uniform(0, 1.1 * seconds)

    process = _start(command, folder)
    try:
        process.wait(moment_s)
    except subprocess.TimeoutExpired:
        process.send_signal(end)
    code = process.wait(_SECONDS_TO_END)
    said = (folder / "said").read_text()

    deadline = time.monotonic() + _SECONDS_TO_END
    while (left := alive(folder)) and time.monotonic() < deadline:
        time.sleep(0.1)
    at = f"{name}, {end.name} after {moment_s:.1f} of {seconds:.1f} s, ended with {code}"
    if TABLE is not None:
        with Path(TABLE).open("a", encoding="utf-8") as table:
            table.write(f"{at}; left for the next run: {', '.join(hidden(folder)) or 'nothing'}\n")
    assert not left, at
    assert "Traceback" not in said or code == -end, at + said
    command.check(folder / command.result)
    if end is not signal.SIGKILL and code > 0:
        assert not hidden(folder), at

    again = _start(command, folder, *command.again).wait()

    said = (folder / "said").read_text()
    assert again in (0, 10, 12), f"{at}; then {again}: {said}"
    command.check(folder / command.result)
    assert not hidden(folder), at
    shutil.rmtree(folder)
