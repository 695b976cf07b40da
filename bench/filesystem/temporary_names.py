"""What tells a temporary folder of edgefit by its name. It makes none, so that every system can import it."""

import re
import tempfile
from pathlib import Path

# As Python's module tempfile names a folder with the prefix that is used here.
TEMPORARY_NAME = re.compile(r"edgefit-[0-9]+-[a-z0-9_]{8}")


def is_temporary(path: Path) -> bool:
    """Tell whether a path lies in a folder of temporary_folder, or is where these are made."""
    return str(path) == tempfile.tempdir or any(TEMPORARY_NAME.fullmatch(part) for part in path.parts)
