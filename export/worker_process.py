"""The parent's side of an export worker: start it, ask it, say how it died. It knows no format."""

import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType

from pydantic import ValidationError

from export.messages import ANSWERS, Answer, Entered, Refused, Request

_LAST_LINES = 6
_SECONDS_TO_END = 10.0
# By default torch's OpenMP threads spin where they wait. On a machine that something else keeps busy that
# makes everything slower: 37 s instead of 5 s for 320 inferences (measured at a load of 5 on 2 cores).
_ENVIRONMENT = {"OMP_WAIT_POLICY": "PASSIVE", "OPENVINO_TELEMETRY_OPT_OUT": "1"}


class WorkerProcess:
    """A worker in a process, a session and an empty folder of its own; use it as a context manager.

    A session, so that Ctrl-C reaches the parent alone, which then ends it; an empty folder, so that a user's
    own `models/` cannot be imported, and what a library writes is gone with the worker.
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="edgefit-export-")
        self._stderr = Path(self._folder.name) / "stderr"
        work = Path(self._folder.name) / "work"
        work.mkdir()
        read_end, write_end = os.pipe()
        with self._stderr.open("wb") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "export.worker", str(write_end)],
                stdin=subprocess.PIPE,
                stdout=stderr,
                stderr=stderr,
                pass_fds=(write_end,),
                cwd=work,
                env={**os.environ, **_ENVIRONMENT, "TMPDIR": str(work)},
                start_new_session=True,
                bufsize=0,
            )
        os.close(write_end)
        self._answers = read_end
        self._received = b""
        self.is_alive = True

    def __enter__(self) -> "WorkerProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()
        os.close(self._answers)
        self._folder.cleanup()

    def ask(self, request: Request, timeout_s: float) -> Answer:
        """Have one thing done, waiting without using the CPU; a worker that dies or hangs has refused it."""
        assert self._process.stdin is not None
        stage, deadline = "start", time.monotonic() + timeout_s
        try:
            self._process.stdin.write(request.model_dump_json().encode() + b"\n")
            self._process.stdin.flush()
            while True:
                answer = ANSWERS.validate_json(self._read_line(deadline))
                if not isinstance(answer, Entered):
                    return answer
                stage = answer.stage
        except TimeoutError:
            what = f"gave no answer within {timeout_s:.0f} s and was ended"
        except (EOFError, BrokenPipeError):
            what = self._how_it_died()
        except ValidationError as error:
            what = f"answered garbage: {error.errors()[0]['msg']}"
        self._end()
        return Refused(
            stage=stage, message="\n".join([f"the exporter's process {what}", *self._last_lines()])
        )

    def _read_line(self, deadline: float) -> bytes:
        with selectors.DefaultSelector() as selector:
            selector.register(self._answers, selectors.EVENT_READ)
            while b"\n" not in self._received:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise TimeoutError
                if not (chunk := os.read(self._answers, 1 << 16)):
                    raise EOFError
                self._received += chunk
        line, _, self._received = self._received.partition(b"\n")
        return line

    def _how_it_died(self) -> str:
        try:
            code = self._process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            return "closed its pipe but did not end, and was ended"
        return f"died of {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

    def _last_lines(self) -> list[str]:
        lines = self._stderr.read_text(encoding="utf-8", errors="replace").splitlines()
        return [line.strip() for line in lines if line.strip()][-_LAST_LINES:]

    def _end(self) -> None:
        """End the worker and what it started, whatever state it is in."""
        self.is_alive = False
        assert self._process.stdin is not None
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(_SECONDS_TO_END)
        self._process.stdin.close()
