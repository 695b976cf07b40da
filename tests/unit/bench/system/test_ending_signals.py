"""A command ends by a signal once, with its exit code; and not by one that was ignored when it started."""

import signal

import pytest

from bench.system import ending_signals
from bench.system.ending_signals import end_on_signals


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_the_process_with_its_exit_code(
    handlers_return: None, number: signal.Signals, code: int
) -> None:
    end_on_signals()

    with pytest.raises(SystemExit) as end:
        signal.raise_signal(number)

    assert end.value.code == code


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_is_ignored_stays_ignored(handlers_return: None, number: signal.Signals) -> None:
    signal.signal(number, signal.SIG_IGN)

    end_on_signals()

    assert signal.getsignal(number) is signal.SIG_IGN


def test_a_second_signal_does_not_interrupt_the_end_but_a_late_one_does(
    handlers_return: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(ending_signals, "monotonic", lambda: now[0])
    end_on_signals()

    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    now[0] = 109.9
    signal.raise_signal(signal.SIGINT)
    signal.raise_signal(signal.SIGTERM)
    now[0] = 110.1
    with pytest.raises(SystemExit):
        signal.raise_signal(signal.SIGTERM)
