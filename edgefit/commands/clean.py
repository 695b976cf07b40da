"""`edgefit clean`: removes what edgefit put on a board. It parses and prints; bench/remote does the work."""

import json
from typing import Annotated

import typer

from edgefit.options import AsJson, Quiet
from edgefit.terminal import Output, print_line


def clean(
    on: Annotated[
        list[str],
        typer.Option(
            metavar="ssh://[user@]host[:port]",
            help="The board to clean. Repeat the option for several boards.",
        ),
    ],
    stop: Annotated[
        bool, typer.Option("--stop", help="First end a measurement that is running on the board.")
    ] = False,
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Remove everything that edgefit put on a board: environment, code, bundle and evaluation images.

    \b
    Examples:
      edgefit clean --on ssh://pi@raspberrypi.local
    """
    from bench.errors import BenchError
    from bench.remote.board import clean_board
    from bench.remote.targets import parse_targets
    from bench.units import mib

    output = Output(as_json)
    targets = parse_targets(on)
    document: dict[str, dict[str, object]] = {}
    exit_codes = [0]
    for target in targets:
        try:
            removed = clean_board(target, stop)
        except BenchError as error:  # the other boards are cleaned all the same
            print_line(f"edgefit: {error}")
            document[target.text] = {"error": str(error), "exit_code": error.exit_code}
            exit_codes.append(error.exit_code)
            continue
        document[target.text] = {"folder": removed.folder, "bytes": removed.size_bytes}
        if removed.size_bytes:
            size = f"{mib(removed.size_bytes):.0f} MiB"
            output.say(f"{target.name}: edgefit removed {removed.folder}, which held {size}")
        else:
            output.say(f"{target.name}: there is nothing to remove, as {removed.folder} does not exist")
    output.document(json.dumps(document))
    raise typer.Exit(max(exit_codes))
