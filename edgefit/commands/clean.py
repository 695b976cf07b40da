"""`edgefit clean`: removes what edgefit put on a board. It parses and prints; bench/remote does the work."""

import json
import sys
from typing import Annotated

import typer

from edgefit.options import AsJson, Quiet
from edgefit.terminal import Output

_MIB = 1 << 20


def clean(
    on: Annotated[
        list[str],
        typer.Option(metavar="ssh://[user@]host[:port]", help="The board; may be given several times."),
    ],
    stop: Annotated[bool, typer.Option("--stop", help="End what is being measured there first.")] = False,
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Remove every trace of edgefit from a board: environment, code, bundle and evaluation images.

    \b
    Examples:
      edgefit clean --on ssh://pi@raspberrypi.local
    """
    from bench.errors import BoardError
    from bench.remote.targets import parse_targets
    from bench.remote.visits import clean_board

    output = Output(as_json)
    targets = parse_targets(on)
    document: dict[str, dict[str, object]] = {}
    codes = [0]
    for target in targets:
        try:
            folder, held_bytes = clean_board(target, stop)
        except BoardError as error:  # the others are cleaned all the same
            sys.stderr.write(f"edgefit: {error}\n")
            document[target.text] = {"error": str(error), "exit_code": error.exit_code}
            codes.append(error.exit_code)
            continue
        document[target.text] = {"folder": folder, "bytes": held_bytes}
        if held_bytes:
            output.say(f"{target.name}: removed {folder}, {held_bytes / _MIB:.0f} MiB")
        else:
            output.say(f"{target.name}: nothing of edgefit was there ({folder})")
    output.document(json.dumps(document))
    raise typer.Exit(max(codes))
