"""A measurement on a board, in a process of its own: `python -m bench.remote.job_process FOLDER`.

It reads the request that lies there, tells of its progress in a file, and leaves a report. Whoever started it
may be gone meanwhile.
"""

import json
import signal
import sys
import traceback
from functools import partial
from pathlib import Path
from types import FrameType
from typing import NoReturn

from bench.bundle.manifest import read_bundle
from bench.errors import BenchError, BoardError
from bench.filesystem.whole_files import write_whole
from bench.remote.request import BUNDLE, ENDED, EVENTS, REPORT, REQUEST, Ended, Request
from bench.report.files import write_report
from bench.run.benchmark import BenchmarkOptions, benchmark

_CRASHED = 1


class Events:
    """Progress as lines of JSON in a file, which somebody may be reading."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")

    def begin(self, task: str, total: int) -> None:
        """Start a task of `total` steps."""
        self._tell({"begin": [task, total]})

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Finish some steps."""
        self._tell({"advance": [steps, note]})

    def say(self, sentence: str) -> None:
        """Say something that stays on the screen."""
        self._tell({"say": sentence})

    def _tell(self, event: dict[str, object]) -> None:
        self._file.write(json.dumps(event) + "\n")
        self._file.flush()


def measure(folder: Path) -> Ended:
    """Do what the request in the folder asks for; the report lies there if it could be done."""
    request = Request.model_validate_json((folder / REQUEST).read_bytes())
    options = BenchmarkOptions(
        only=request.only,
        quick=request.quick,
        name=request.name,
        sustained_s=request.sustained_s,
        resume=request.resume,
        left_out=request.left_out,
    )
    try:
        benchmark(
            read_bundle(folder / BUNDLE, request.held),
            request.profile,
            options,
            Events(folder / EVENTS),
            request.tool,
            request.created,
            partial(write_report, folder / REPORT),
        )
    except BenchError as error:
        return Ended(exit_code=error.exit_code, message=str(error))
    except OSError as error:
        message = f"{error.filename or folder}: {error.strerror}"
        return Ended(exit_code=BoardError.exit_code, message=message)
    except Exception:  # noqa: BLE001 - the edge of the process: whoever follows it has to be told
        return Ended(exit_code=_CRASHED, message=traceback.format_exc())
    return Ended(exit_code=0, message=None)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def main() -> None:
    """Measure; a signal ends it so that what was found stays, and the next start goes on from there."""
    signal.signal(signal.SIGTERM, _end)
    folder = Path(sys.argv[1])
    ended = measure(folder)
    write_whole(folder / ENDED, ended.model_dump_json())


if __name__ == "__main__":
    main()
