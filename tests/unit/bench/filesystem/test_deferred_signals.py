"""Ending signals wait for the end of a block, and are heard then."""

import signal

import pytest

from bench.filesystem.deferred_signals import ENDING, deferred_signals


def test_an_interrupt_is_heard_when_the_block_is_over() -> None:
    reached = []

    with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - the end of the block is what raises
        with deferred_signals():
            signal.raise_signal(signal.SIGINT)
            reached.append("the end of the block")
        reached.append("behind it")

    assert reached == ["the end of the block"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_without_a_signal_nothing_happens() -> None:
    with deferred_signals():
        pass

    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_signal_that_is_ignored_stays_so_in_the_block_and_behind_it(
    handlers_return: None,
) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    with deferred_signals():
        inside = signal.getsignal(signal.SIGHUP)
        signal.raise_signal(signal.SIGHUP)

    assert inside is signal.SIG_IGN
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_a_handler_that_is_not_pythons_is_left_alone(
    handlers_return: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = signal.getsignal
    monkeypatch.setattr(
        signal, "getsignal", lambda number: None if number == signal.SIGHUP else known(number)
    )

    with deferred_signals():
        inside = known(signal.SIGHUP)

    assert inside is known(signal.SIGHUP)


def test_of_blocks_in_each_other_the_outermost_hears_the_signal(handlers_return: None) -> None:
    heard: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: heard.append(number))

    with deferred_signals():
        with deferred_signals():
            signal.raise_signal(signal.SIGTERM)
        inside = list(heard)

    assert (inside, heard) == ([], [signal.SIGTERM])


def test_a_signal_while_handlers_are_put_back_leaves_none_of_them_replaced(
    handlers_return: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {number: signal.getsignal(number) for number in ENDING}
    put, puts = signal.signal, []

    def interrupted(number: signal.Signals, handler: object) -> object:
        puts.append(number)
        if len(puts) == len(ENDING) + 2:  # the second that is put back
            raise KeyboardInterrupt
        return put(number, handler)  # type: ignore[arg-type]

    monkeypatch.setattr(signal, "signal", interrupted)
    with pytest.raises(KeyboardInterrupt), deferred_signals():
        pass

    assert {number: signal.getsignal(number) for number in ENDING} == before
