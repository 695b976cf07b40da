"""Ending signals wait for the end of a block, and are heard then."""

import signal

import pytest

from bench.filesystem.deferred_signals import deferred_signals


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
