"""How often the command line searches for garbage."""

import subprocess
import sys

PROGRAM = """
import atexit, gc
atexit.register(lambda: print(gc.get_freeze_count() > 0))  # runs last
from edgefit.garbage import collect_rarely
collect_rarely()
print(gc.isenabled(), gc.get_threshold()[0] > 100_000, gc.get_freeze_count())
"""


def test_garbage_is_searched_for_rarely_and_not_at_the_end() -> None:
    printed = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True)

    assert printed.stdout.split() == ["True", "True", "0", "True"]
