"""How often the command line searches for garbage."""

import subprocess
import sys

PROGRAM = """
import atexit, gc, sys
atexit.register(lambda: print(gc.isenabled(), gc.get_threshold()[0] > 100_000, gc.get_freeze_count() > 0))
from edgefit.command_line import main
sys.argv = ["edgefit", "--version"]
main()
"""


def test_a_command_searches_rarely_and_not_at_its_end() -> None:
    printed = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True)

    assert printed.stdout.split()[-3:] == ["True", "True", "True"]
