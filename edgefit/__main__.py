"""The start of the command line. Nothing is imported before edgefit's own packages are found first."""

import os
import sys

_HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_WRONG_INPUT = 2
_INTERRUPTED = 130


def main() -> None:
    """Run the command in sys.argv, and exit with its code."""
    try:
        _run()
    except KeyboardInterrupt:  # before the command has begun
        sys.exit(_INTERRUPTED)


def _run() -> None:
    sys.path.insert(0, _HOME)
    from bench.own_path import HiddenModuleError, put_own_first

    try:
        put_own_first()
    except HiddenModuleError as error:
        # The module that makes text printable may be what is hidden.
        shown = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in str(error))
        sys.stderr.write(f"edgefit: {shown}\n")
        sys.exit(_WRONG_INPUT)
    from edgefit import command_line

    command_line.main()


if __name__ == "__main__":
    main()
