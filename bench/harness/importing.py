"""A process that imports the modules of a worker, so that Python compiles them."""

import importlib
import sys


def main() -> None:
    """Import the modules that are named before the last argument, and end."""
    importlib.import_module("bench.harness.worker")
    for name in sys.argv[1:-1]:
        importlib.import_module(name)
