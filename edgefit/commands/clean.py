"""`edgefit clean`: removes what edgefit put on a board, or its cache here. It parses and prints."""

import json
from typing import Annotated

import typer

from edgefit.options import AsJson, Quiet
from edgefit.terminal import Output, print_line

_Document = dict[str, dict[str, object]]


def clean(
    on: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ssh://[user@]host[:port]",
            help="The board to clean. Repeat the option for several boards.",
        ),
    ] = None,
    cache: Annotated[
        bool,
        typer.Option(
            "--cache",
            help="Empty the cache on this machine: predictions, journals of interrupted runs, wheels, "
            "scripts of pages, and TensorRT's engines.",
        ),
    ] = False,
    stop: Annotated[
        bool, typer.Option("--stop", help="First end a measurement that is running on the board.")
    ] = False,
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Remove everything that edgefit put on a board: environment, code, bundle and evaluation images.

    With --cache, empty the cache on this machine.

    \b
    Examples:
      edgefit clean --on ssh://pi@raspberrypi.local
      edgefit clean --cache
    """
    output = Output(as_json)
    if not on and not cache:
        raise typer.BadParameter("give a board to clean, or --cache", param_hint="--on, --cache")
    document: _Document = {}
    code = _clean_boards(on, stop, output, document) if on else 0
    if cache:
        _empty_cache(output, document)
    output.document(json.dumps(document))
    raise typer.Exit(code)


def _empty_cache(output: Output, document: _Document) -> None:
    import tempfile
    from pathlib import Path

    from bench.filesystem.cache_limits import empty_cache
    from bench.filesystem.temporary_folder import sweep_temporary_folders
    from bench.units import mib
    from user_files.own_folders import cache

    size_bytes = empty_cache()
    sweep_temporary_folders(Path(tempfile.gettempdir()))
    document["cache"] = {"folder": str(cache()), "bytes": size_bytes}
    output.say(f"edgefit emptied its cache, {cache()}, which held {mib(size_bytes):.0f} MiB")


def _clean_boards(on: list[str], stop: bool, output: Output, document: _Document) -> int:
    """Clean each board, and return the exit code of the worst."""
    from bench.errors import BenchError
    from bench.remote.board import clean_board
    from bench.remote.targets import parse_targets
    from bench.units import mib

    exit_codes = [0]
    for target in parse_targets(on):
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
    return max(exit_codes)
