"""The table of commands. Each has a file of its own, which imports heavy libraries only when it runs."""

import typer

from edgefit import __version__
from edgefit.commands.bench import bench
from edgefit.commands.check import check
from edgefit.commands.choose import choose
from edgefit.commands.clean import clean
from edgefit.commands.compare import compare
from edgefit.commands.demo import make_demo
from edgefit.commands.doctor import doctor
from edgefit.commands.export import export
from edgefit.commands.finetune import finetune
from edgefit.commands.inspect import inspect
from edgefit.commands.pack import pack
from edgefit.commands.profiles import profiles
from edgefit.commands.report import report
from edgefit.commands.wheelhouse import wheelhouse
from edgefit.terminal import preserve_quiet

app = typer.Typer(
    help="Export a small vision model to edge formats, and measure each file on your device.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _run_command(arguments: list[str]) -> int:
    with preserve_quiet():
        code = app(arguments, prog_name="edgefit", standalone_mode=False)
    return code if isinstance(code, int) else 0


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


app.command()(make_demo(_run_command))
for command in (finetune, export, inspect, bench, compare, report, choose, check):
    app.command()(command)
app.add_typer(profiles, name="profiles")
app.command()(pack)
app.command()(wheelhouse)
app.command()(clean)
app.command()(doctor)
