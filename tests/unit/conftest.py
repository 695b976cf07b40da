"""Unit tests start no process: one that does fails, and says so."""

import platform
import signal
import sys
from collections.abc import Iterator

import pytest

_STARTS = {"subprocess.Popen", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.system"}


class ProcessStartedError(AssertionError):
    """A unit test started a process."""


class _Guard:
    """What an audit hook sees. Hooks cannot be removed, so this one is idle outside unit tests."""

    def __init__(self) -> None:
        self.running: str | None = None
        self.seen: str | None = None

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.running is not None and event in _STARTS:
            self.seen = f"{event} {arguments!r}"
            raise ProcessStartedError(_sentence(self.running, self.seen))


def _sentence(test: str, seen: str) -> str:
    return (
        f"{test} started a process ({seen}), and tests in tests/unit start none. "
        "Replace the process by a value, or move the test to the same place below tests/integration."
    )


platform.processor()  # runs `uname -p` the first time and remembers what it said: here, and in no test
_guard = _Guard()
sys.addaudithook(_guard)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    yield from _guarded(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    yield from _guarded(item)


def _guarded(item: pytest.Item) -> Iterator[None]:
    _guard.running, _guard.seen = item.nodeid, None
    try:
        yield
    finally:
        _guard.running = None
    if _guard.seen is not None:  # the test caught the error
        raise ProcessStartedError(_sentence(item.nodeid, _guard.seen))


@pytest.fixture
def handlers_return() -> Iterator[None]:
    """Have no ending signal ignored, as under `nohup`, and put the handlers back after the test."""
    ending = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.SIG_DFL) for number in ending}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
