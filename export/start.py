"""Starts an export worker's process: confines it to its own folder and the bundle's, then imports torch.

The order matters: threads that exist already would not be confined (see bench.harness.start).
"""

import sys
from pathlib import Path

from bench.system.parent_death import die_with_parent
from bench.system.sandbox import confine


def main() -> None:
    """Confine this process, then serve.

    The arguments before the last are folders that it may write as well.
    """
    confine(Path.cwd(), tuple(map(Path, sys.argv[1:-1])))
    die_with_parent()
    from export.worker import main as serve

    serve()


if __name__ == "__main__":
    main()
