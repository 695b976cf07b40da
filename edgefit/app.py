"""The table of commands. Each has a file of its own, which is imported when the command is called."""

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

import typer

from edgefit import __version__
from edgefit.late_commands import LateCommand, LightGroup
from edgefit.terminal import preserve_quiet

if TYPE_CHECKING:
    from edgefit.late_commands import Function

# What the list of commands says of each: one line on a terminal of 80 columns. Its own help says more.
COMMANDS = {
    "demo": "Run every step on generated radiographs, up to a choice.",
    "finetune": "Fine-tune a classifier on images of two or more classes.",
    "export": "Export a network or model file to every possible format.",
    "inspect": "Show inputs, operators and preprocessing of a model file.",
    "bench": "Measure latency, memory, size and accuracy.",
    "compare": "Measure networks together, and show them side by side.",
    "report": "Show reports as tables, a page, Markdown, CSV or a picture.",
    "choose": "Choose the best variant within a budget, and say why.",
    "check": "Compare a candidate with a baseline, for CI.",
    "pack": "Pack a measurement for a board that SSH does not reach.",
    "wheelhouse": "Download the wheels that a board needs, to use offline.",
    "clean": "Remove everything that edgefit put on a board.",
    "doctor": "Show what this machine or a board can run.",
    "profiles": "Show device profiles, and which one this machine matches.",
}


def _run_command(arguments: list[str]) -> int:
    with preserve_quiet():
        code = app(arguments, prog_name="edgefit", standalone_mode=False)
    return code if isinstance(code, int) else 0


def _load(name: str) -> "Function | typer.Typer":
    """Return what a command's module defines under its name."""
    module = import_module(f"edgefit.commands.{name}")
    found: Function | typer.Typer = (
        module.make_demo(_run_command) if name == "demo" else getattr(module, name)
    )
    return found


class _Commands(LightGroup):
    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, line in COMMANDS.items():
            self.add_command(LateCommand(name, line, partial(_load, name)))


app = typer.Typer(
    cls=_Commands,
    help="Export a small vision model to edge formats, and measure each file on your device.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _show_version(is_requested: bool) -> None:
    if is_requested:
        typer.echo(f"edgefit {__version__}")
        raise typer.Exit


@app.callback()
def edgefit(
    version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Export a small vision model to edge formats, and measure each file on your device."""
