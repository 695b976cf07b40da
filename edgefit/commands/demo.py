"""`edgefit demo`: runs every step on generated images. Each step is a command that a user can repeat."""

import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from edgefit.options import AsJson, Overwrite, Quiet

# With these options the demo needs no network.
FINETUNE = (
    "--data",
    "synthetic",
    "--images",
    "1200",
    "--weights",
    "bundled",
    "--image-size",
    "96",
)
# Most CPUs compute fp16 in fp32: such a file is as fast as fp32, and would take a third of the measuring.
EXPORT = ("--precisions", "fp32,int8", "--eval-images", "256")
# Enough for five processes of each variant on two cores: with fewer there is no interval, and no decision.
BENCH = ("--profile", "laptop-cpu", "--seconds", "45")
PAGE = "report.html"
AGAIN = "again.json"


def steps(out: Path, overwrite: bool = False) -> list[list[str]]:
    """Return the arguments of each command; `overwrite` lets them replace an earlier demo's results.

    The demo takes as long wherever it runs: it exports the formats that need no further extra.
    """
    from bench.runtimes.formats import FORMATS

    formats = ",".join(name for name, row in FORMATS.items() if row.is_basic)
    run, bundle, report = str(out / "run"), str(out / "bundle"), str(out / "report.json")
    replace = ["--overwrite"] if overwrite else []
    return [
        ["finetune", *FINETUNE, "--name", "demo", "--out", run, *replace],
        ["export", run, "--formats", formats, *EXPORT, "--out", bundle, *replace],
        ["bench", bundle, *BENCH, "--out", report],
        *_results([report], out),
    ]


def deciding_steps(out: Path, variants: Sequence[str]) -> list[list[str]]:
    """Return the commands that measure some variants again, by themselves, and choose anew."""
    again = str(out / AGAIN)
    return [
        ["bench", str(out / "bundle"), *BENCH, "--only", ",".join(variants), "--out", again],
        *_results([str(out / "report.json"), again], out),
    ]


def _results(reports: Sequence[str], out: Path) -> list[list[str]]:
    return [["report", *reports, "--html", str(out / PAGE), "--quiet"], ["choose", *reports]]


def undecided_variants(report: Path) -> list[str]:
    """Return the chosen variant and those against which the choice is not decided; empty if it is decided."""
    from bench.choose.choosing import Criteria, choose
    from bench.report.files import read_report
    from device_profiles.settings import Budget

    ((choice, _),) = choose([read_report(report)], Criteria(Budget()))
    found = [row.variant for row in choice.candidates if row.result in ("chosen", "not decided")]
    return [variant for variant in found if variant is not None] if len(found) > 1 else []


def left_out(out: Path) -> list[str]:
    """Return for each format and precision that the demo leaves out how it is added."""
    from bench.install_command import install_command
    from bench.runtimes.formats import FORMATS

    fp16 = f"to export fp16 as well: edgefit export {shlex.quote(str(out / 'run'))} --out BUNDLE"
    return [
        *(
            f"to export {row.title} as well: {install_command(row.build_extra)}"
            for row in FORMATS.values()
            if not row.is_basic
        ),
        fp16,
    ]


def shares(seconds: Mapping[str, float]) -> list[str]:
    """Return how long the demo took, and the share of each of its steps, a line each."""
    total = sum(seconds.values())
    width = max(map(len, seconds))
    return [
        f"the demo took {total:.0f} s:",
        *(f"  {step:{width}}  {took:4.0f} s  {took / total:4.0%}" for step, took in seconds.items()),
    ]


def _refuse_what_is_in_the_way(out: Path, overwrite: bool) -> None:
    """Raise InputError for whatever a step could not replace, before the first one takes minutes."""
    from bench.bundle.manifest import written_files
    from bench.filesystem.temporary_folder import refuse_other_place
    from bench.filesystem.whole_files import refuse_to_overwrite, refuse_to_replace
    from bench.render.html.page import was_html
    from bench.report.files import was_a_report
    from models.run_folder import written_files as written_run

    refuse_other_place()
    refuse_to_overwrite(out / "run", written_run, overwrite)
    refuse_to_overwrite(out / "bundle", written_files, overwrite)
    for name in ("report.json", AGAIN):
        refuse_to_replace(out / name, was_a_report, "--out")
    refuse_to_replace(out / PAGE, was_html, "--out")


def make_demo(
    run_command: Callable[[list[str]], int],
    undecided_in: Callable[[Path], list[str]] = undecided_variants,
) -> Callable[..., None]:
    """Return the demo command; `run_command` runs a command of edgefit and returns its exit code."""

    def demo(
        out: Annotated[Path, typer.Option(metavar="DIR", help="The folder for all results.")] = Path(
            "edgefit-demo"
        ),
        overwrite: Overwrite = False,
        _quiet: Quiet = False,
        as_json: AsJson = False,
    ) -> None:
        """Run every step on generated radiographs: fine-tune, export, benchmark, report and choose.

        The images are synthetic: the demo shows how edgefit works, and proves nothing clinical. --json prints
        the report.

        \b
        Examples:
          edgefit demo
          edgefit demo --out trial --overwrite
        """
        from bench.report.files import read_report, to_json
        from bench.system.operating_system import require_linux
        from edgefit.extras import require_extra
        from edgefit.terminal import Output, result_on_stderr

        require_linux("edgefit demo")
        require_extra("build", "edgefit demo")
        require_extra("report", "edgefit demo")
        output = Output(as_json)
        _refuse_what_is_in_the_way(out, overwrite)
        seconds: dict[str, float] = {}

        def run(arguments: list[str]) -> None:
            output.show("")
            output.say(f"$ {shlex.join(['edgefit', *arguments])}")
            began = time.monotonic()
            with result_on_stderr(as_json):
                if code := run_command(arguments):
                    raise typer.Exit(code)
            seconds[arguments[0]] = seconds.get(arguments[0], 0) + time.monotonic() - began

        for arguments in steps(out, overwrite):
            run(arguments)
        if undecided := undecided_in(out / "report.json"):
            output.show("")
            output.say(f"not decided between {', '.join(undecided)}: these are measured again, by themselves")
            for arguments in deciding_steps(out, undecided):
                run(arguments)
        page = (out / PAGE).resolve()
        output.show("")
        reports = f"report.json, {AGAIN}" if undecided else "report.json"
        output.say(f"All results are in {out}: run, bundle, {reports} and {PAGE}")
        for line in (*left_out(out), *shares(seconds)):
            output.say(line)
        output.next_step(f"open {page.as_uri()} in a browser")
        if as_json:
            output.document(to_json(read_report(out / "report.json")))

    return demo
