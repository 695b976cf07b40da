"""What is done on a board in one short visit: a look at it, and the removal of what edgefit put there."""

from contextlib import closing
from threading import Event

from bench.remote.board import Board
from bench.remote.probe import BoardProbe
from bench.remote.targets import Target


def look_at(target: Target) -> BoardProbe:
    """Look at a board; raises BoardError if it cannot be reached."""
    with closing(Board(target, Event())) as board:
        return board.look()


def clean_board(target: Target, stop: bool) -> tuple[str, int]:
    """Remove edgefit's folder; return which that was and how many bytes it held.

    Raises BoardError if something is being measured there, unless it may be stopped.
    """
    with closing(Board(target, Event())) as board:
        return board.clean(stop)
