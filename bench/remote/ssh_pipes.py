"""The three pipes of an ssh process: what goes in, what comes out, and its log. Each is bounded.

It knows bytes and lines. A board's output is kept only as far as somebody waits for it, so a board that
prints without end fills neither this machine's memory nor its disk.
"""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from time import monotonic
from typing import IO

from bench.remote.ssh_errors import is_logged_in

CHUNK = 1 << 16
"""How much is read or written at once."""

_POLL_S = 0.25
# A quarter of the silence after which the agent takes the laptop for gone.
_BEAT_S = 15.0
_SIGN_OF_LIFE = b"\n"
_KEPT_LOG_BYTES = 1 << 16
# ssh itself logs some kilobytes an hour, and login scripts print less.
_LONGEST_LOG_BYTES = 16 << 20
_LAST_WORDS_S = 2.0


class TooLongError(Exception):
    """A line is longer than whoever waits for it allows."""


class Outgoing:
    """Writes to a process, whole messages one after the other.

    Once `beat` was called, an empty line is written where nothing else was for a while: a sign of life.
    """

    def __init__(self, pipe: IO[bytes]) -> None:
        os.set_blocking(pipe.fileno(), False)
        self._pipe = pipe
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._announced, self._last_written = 0, monotonic()

    def beat(self) -> None:
        """Write signs of life from now on."""
        threading.Thread(target=self._beat, daemon=True).start()

    def announce(self, size_bytes: int) -> None:
        """Write no sign of life between the next bytes, which are one message. All bytes are announced."""
        with self._lock:
            self._announced += size_bytes

    def write_some(self, data: memoryview) -> int:
        """Wait a moment, and return how many bytes could be written. Raises BrokenPipeError."""
        with DefaultSelector() as selector:
            selector.register(self._pipe, EVENT_WRITE)
            if not selector.select(_POLL_S):
                return 0
        with self._lock:
            try:
                written = os.write(self._pipe.fileno(), data[:CHUNK])
            except BlockingIOError:
                return 0
            self._announced -= written
            self._last_written = monotonic()
        return written

    def close(self) -> None:
        """Say that nothing follows."""
        self._closing.set()
        with self._lock:
            self._pipe.close()

    def _beat(self) -> None:
        while not self._closing.wait(_BEAT_S / 4):
            with self._lock:
                if self._closing.is_set() or not self._write_sign():
                    return

    def _write_sign(self) -> bool:
        """Write a sign of life if it is time, and return whether the process still reads."""
        if self._announced or monotonic() - self._last_written < _BEAT_S:
            return True
        try:
            os.write(self._pipe.fileno(), _SIGN_OF_LIFE)
        except BlockingIOError:  # it has not read what was written before
            pass
        except OSError:  # whoever writes the next request learns why
            return False
        self._last_written = monotonic()
        return True


class Incoming:
    """Reads what a process prints; nobody keeps more of it than a caller waits for."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._received = bytearray()
        self._searched = 0

    @property
    def received(self) -> bytes:
        """What was received and not taken."""
        return bytes(self._received)

    def receive(self) -> bool:
        """Wait a moment for more, and return whether there may be more after it."""
        with DefaultSelector() as selector:
            selector.register(self._pipe, EVENT_READ)
            if not selector.select(_POLL_S):
                return True
        piece = os.read(self._pipe.fileno(), CHUNK)
        self._received += piece
        return bool(piece)

    def take_line(self, longest_bytes: int) -> bytes | None:
        """Return a line without its end; None if there is no whole line yet. Raises TooLongError."""
        end = self._received.find(b"\n", self._searched)
        if end < 0:
            self._searched = len(self._received)
        if max(end, self._searched) > longest_bytes:
            raise TooLongError
        if end < 0:
            return None
        line = bytes(self._received[:end])
        self.drop(end + 1)
        return line

    def drop(self, size_bytes: int) -> None:
        """Forget the first bytes that were received."""
        del self._received[:size_bytes]
        self._searched = 0

    def drop_all_but(self, size_bytes: int) -> None:
        """Forget what was received, all but the last bytes."""
        self.drop(max(0, len(self._received) - size_bytes))

    def close(self) -> None:
        """Read no more."""
        self._pipe.close()


class LogTail:
    """The end of a process's log. A thread reads all of it, so that the process never waits for a reader.

    `on_flood` is called once, when the log is longer than any that ssh writes.
    """

    def __init__(self, pipe: IO[bytes], on_flood: Callable[[], None]) -> None:
        self._pipe = pipe
        self._on_flood = on_flood
        self._kept, self._size_bytes = b"", 0
        self.is_logged_in = False
        """Whether ssh has logged in."""
        self.is_flooded = False
        """Whether the log is longer than any that ssh writes."""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def text(self) -> str:
        """The end of the log so far."""
        return self._kept.decode(errors="replace")

    def last_words(self) -> str:
        """Return the end of the log of a process that ended."""
        self._thread.join(_LAST_WORDS_S)
        return self.text

    def _read(self) -> None:
        with self._pipe, suppress(OSError):
            while piece := os.read(self._pipe.fileno(), CHUNK):
                self._keep(piece)

    def _keep(self, piece: bytes) -> None:
        kept = self._kept + piece
        self.is_logged_in = self.is_logged_in or is_logged_in(kept.decode(errors="replace"))
        self._kept = kept[-_KEPT_LOG_BYTES:]
        self._size_bytes += len(piece)
        if self._size_bytes > _LONGEST_LOG_BYTES and not self.is_flooded:
            self.is_flooded = True
            self._on_flood()
