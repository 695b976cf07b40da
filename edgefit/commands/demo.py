"""`edgefit demo`: the whole job on the embedded default, each step a command that can be repeated by hand."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from edgefit.options import AsJson, Overwrite, Quiet

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
PAGE = "report.html"


def steps(out: Path, overwrite: bool = False) -> list[list[str]]:
    """Return the demo's commands, word by word; `overwrite` lets them replace an earlier demo's results."""
    run, bundle, report = str(out / "run"), str(out / "bundle"), str(out / "report.json")
    replacing = ["--overwrite"] if overwrite else []
    return [
        ["finetune", *FINETUNE, "--name", "demo", "--out", run, *replacing],
        ["export", run, *EXPORT, "--out", bundle, *replacing],
        ["bench", bundle, *BENCH, "--out", report],
        ["report", report, "--html", str(out / PAGE), "--quiet"],
        ["choose", report],
    ]


def make_demo(run_command: Callable[[list[str]], int]) -> Callable[..., None]:
    """Return the demo command; `run_command` runs one of edgefit's own and returns its exit code."""

    def demo(
        out: Annotated[Path, typer.Option(metavar="DIR", help="Where everything goes.")] = Path(
            "edgefit-demo"
        ),
        overwrite: Overwrite = False,
        _quiet: Quiet = False,
        as_json: AsJson = False,
    ) -> None:
        """Run the whole job on generated radiographs: fine-tune, export nine artifacts, measure, choose.

        The images are synthetic: the demo proves the tool, and nothing clinical. --json prints the report.

        \b
        Examples:
          edgefit demo
          edgefit demo --out trial --overwrite
        """
        from bench.report.files import read_report, to_json
        from edgefit.extras import require_extra
        from edgefit.terminal import Output, result_on_stderr

        require_extra("build", "edgefit demo")
        require_extra("report", "edgefit demo")
        output = Output(as_json)
        for words in steps(out, overwrite):
            output.say(f"\n$ {shlex.join(['edgefit', *words])}")
            with result_on_stderr(as_json):
                if code := run_command(words):
                    raise typer.Exit(code)
        page = (out / PAGE).resolve()
        output.say(f"\nEverything lies in {out}: run, bundle and report.json; the page to look at is {page}")
        output.next_step(f"open {page.as_uri()} in a browser")
        if as_json:
            output.document(to_json(read_report(out / "report.json")))

    return demo
