"""Commands that read an architecture's row do not wait for torch."""

import subprocess
import sys


def test_the_rows_are_read_without_torch() -> None:
    program = "import sys, models.run_folder; print('torch' in sys.modules)"

    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "False"
