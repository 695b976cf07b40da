"""What exporting imports in its parent process."""

import subprocess
import sys

from bench.runtimes.formats import FORMATS


def test_the_parent_loads_no_heavy_library() -> None:
    heavy = {package for row in FORMATS.values() for package in row.exporter_needs}
    program = f"import sys, export.export; print(sorted({heavy!r} & set(sys.modules)))"

    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert printed.stdout.strip() == "[]"
