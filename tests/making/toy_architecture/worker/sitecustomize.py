"""Gives the toy architecture's row to the processes that a test starts, as if it were edgefit's own."""

from making.toy_architecture.row import ROW

from models.architectures import ARCHITECTURES

ARCHITECTURES[ROW.name] = ROW
