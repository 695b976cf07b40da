"""How an export worker's process begins: confined to its own folder and the bundle's, then torch is imported.

See bench.harness.start: what has threads already would not be confined.
"""

import sys
from pathlib import Path

from bench.system.sandbox import confine


def main() -> None:
    """Confine this process and serve; the arguments before the last are what it may write besides."""
    confine(Path.cwd(), tuple(map(Path, sys.argv[1:-1])))
    from export.worker import main as serve

    serve()


if __name__ == "__main__":
    main()
