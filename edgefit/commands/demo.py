"""`edgefit demo`: the whole job on the embedded default, each step a command that can be repeated by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from edgefit.options import AsJson, Overwrite

# The demo's flags, in this one place: offline, and within four minutes on two cores.
FINETUNE = (
    "--data",
    "synthetic",
    "--images",
    "1200",
    "--weights",
    "bundled",
    "--image-size",
    "96",
    "--epochs",
    "6",
)
EXPORT = ("--eval-images", "256")
BENCH = ("--profile", "laptop-cpu", "--quick")


def steps(out: Path) -> list[list[str]]:
    """Return the demo's commands, word by word."""
    run, bundle, report = str(out / "run"), str(out / "bundle"), str(out / "report.json")
    return [
        ["finetune", *FINETUNE, "--name", "demo", "--out", run],
        ["export", run, *EXPORT, "--out", bundle],
        ["bench", bundle, *BENCH, "--out", report],
    ]


def make_demo(run_command: Callable[[list[str]], int]) -> Callable[..., None]:
    """Return the demo command; `run_command` runs one of edgefit's own and returns its exit code."""

    def demo(
        out: Annotated[Path, typer.Option(metavar="DIR", help="Where everything goes.")] = Path(
            "edgefit-demo"
        ),
        overwrite: Overwrite = False,
        as_json: AsJson = False,
    ) -> None:
        """Run the whole job on generated radiographs: fine-tune, export nine artifacts, measure, report.

        The images are synthetic: the demo proves the tool, and nothing clinical.
        """
        from edgefit.terminal import stderr_console

        console = stderr_console()
        for words in steps(out):
            extra = ["--overwrite"] if overwrite and words[0] != "bench" else []
            extra += ["--json"] if as_json and words[0] == "bench" else []
            console.print(f"\n[bold]$ edgefit {' '.join(words)}[/bold]", soft_wrap=True)
            if code := run_command([*words, *extra]):
                raise typer.Exit(code)
        console.print(f"\nEverything lies in {out}; the report is {out / 'report.json'}", soft_wrap=True)

    return demo
