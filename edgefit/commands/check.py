"""`edgefit check`: a candidate against a baseline, with an exit code for CI. bench/ measures and judges."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgefit import __version__
from edgefit.completion import profiles_like
from edgefit.options import AsJson, Quiet, now, parse_share, split_names
from edgefit.terminal import Output
from edgefit.written import Written, refuse_to_replace_any, write_all

if TYPE_CHECKING:
    from bench.gate.document import Checked
    from bench.gate.options import CheckOptions

_NEXT_IF_WORSE = "mend it; or, if it is meant, keep this candidate as the baseline from now on"
_NEXT_IF_NOTHING = {
    "reports": "give two bundles instead of two reports: they are measured side by side, here and now",
    "bundles": "check variants that both bundles hold and that run here; the findings say what each lacks",
}


def check(
    candidate: Annotated[Path, typer.Argument(metavar="CANDIDATE", help="A bundle, or a report.")],
    baseline: Annotated[
        Path, typer.Option(metavar="BASELINE", help="The same kind of thing, to hold the candidate against.")
    ],
    profile: Annotated[
        str,
        typer.Option(
            metavar="NAME|FILE", autocompletion=profiles_like, help="Of two bundles: the device's profile."
        ),
    ] = "laptop-cpu",
    only: Annotated[
        str | None,
        typer.Option(metavar="a,b", help="Check only these variants, such as onnx-int8,onnx-fp32."),
    ] = None,
    max_slowdown: Annotated[
        str | None,
        typer.Option(metavar="PERCENT", help="Of latency: 5% by default for bundles, 15% for reports."),
    ] = None,
    max_growth: Annotated[str, typer.Option(metavar="PERCENT", help="Of an artifact's bytes.")] = "1%",
    max_load_slowdown: Annotated[
        str, typer.Option(metavar="PERCENT", help="Of the time to load an artifact.")
    ] = "25%",
    max_memory_growth: Annotated[str, typer.Option(metavar="PERCENT", help="Of peak memory.")] = "5%",
    min_retention: Annotated[
        float, typer.Option(min=0, max=1, help="The least of the baseline's accuracy that must be kept.")
    ] = 0.99,
    seconds: Annotated[
        float, typer.Option(min=1, max=3600, help="Of two bundles: how long to time each variant.")
    ] = 20.0,
    skip_equal: Annotated[
        bool, typer.Option("--skip-equal", help="Do not measure variants whose files are the same.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="What cannot be decided blocks too.")] = False,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="For a pull request's comment or a job's summary.")
    ] = None,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="JUnit XML.")] = None,
    bmf: Annotated[Path | None, typer.Option(metavar="FILE", help="Bencher Metric Format.")] = None,
    github: Annotated[bool, typer.Option("--github", help="Print GitHub annotations as well.")] = False,
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Hold a candidate against a baseline: exit code 10 if it is worse, 12 if nothing could be compared.

    Two bundles take turns on this machine, so that its mood does not matter. Two reports are compared through
    their control workload, where they were measured on the same terms.

    \b
    Examples:
      edgefit check candidate --baseline bundle
      edgefit check candidate --baseline bundle --max-slowdown 3% --markdown check.md
      edgefit check new.json --baseline old.json --strict
    """
    from bench.gate.document import BLOCKED
    from bench.gate.findings import DEFAULT_SLOWDOWN, Limits
    from bench.gate.options import CheckOptions
    from bench.render.check.bmf import to_bmf, was_bmf
    from bench.render.check.github import to_annotations
    from bench.render.check.junit import to_junit, was_junit
    from bench.render.check.markdown import to_markdown, was_markdown
    from bench.render.check.terminal import check_view

    output = Output(as_json)
    files = (
        Written(markdown, "--markdown", to_markdown, was_markdown),
        Written(junit, "--junit", to_junit, was_junit),
        Written(bmf, "--bmf", to_bmf, was_bmf),
    )
    refuse_to_replace_any(files)
    of = _kind(candidate, baseline)
    slowdown = DEFAULT_SLOWDOWN[of] if max_slowdown is None else parse_share(max_slowdown, "--max-slowdown")
    options = CheckOptions(
        only=() if only is None else split_names(only),
        limits=Limits(
            max_slowdown=slowdown,
            max_load_slowdown=parse_share(max_load_slowdown, "--max-load-slowdown"),
            max_memory_growth=parse_share(max_memory_growth, "--max-memory-growth"),
            max_growth=parse_share(max_growth, "--max-growth"),
            min_retention=min_retention,
        ),
        seconds=seconds,
        skip_equal=skip_equal,
        strict=strict,
    )
    checked = (
        _bundles(candidate, baseline, profile, options)
        if of == "bundles"
        else _reports(candidate, baseline, options)
    )
    output.show(check_view(checked, output.people.width))
    if github:
        for line in to_annotations(checked):
            output.say(line)
    write_all(files, checked, output)
    output.document(checked.model_dump_json(by_alias=True))
    if checked.exit_code:
        worse = checked.exit_code == BLOCKED
        output.next_step(_NEXT_IF_WORSE if worse else _NEXT_IF_NOTHING[checked.compared])
        raise typer.Exit(checked.exit_code)


def _kind(candidate: Path, baseline: Path) -> str:
    """Return whether two bundles or two reports are given; raises InputError if it is one of each."""
    from bench.errors import InputError

    for path in (candidate, baseline):
        if not path.exists():
            raise InputError(
                f"{path}: no such bundle or report; make one with: edgefit export RUN --out BUNDLE"
            )
    if candidate.is_dir() != baseline.is_dir():
        report, bundle = (baseline, candidate) if candidate.is_dir() else (candidate, baseline)
        raise InputError(
            f"{bundle} is a folder and {report} a file: give two bundles, or two reports "
            f"(edgefit bench {bundle} --out REPORT.json makes one)"
        )
    return "bundles" if candidate.is_dir() else "reports"


def _bundles(candidate: Path, baseline: Path, profile: str, options: "CheckOptions") -> "Checked":
    from bench.bundle.manifest import read_bundle
    from bench.gate.bundles import check_bundles
    from device_profiles.loading import load_profile
    from edgefit.progress import progress

    chosen = load_profile(profile)
    opened = read_bundle(candidate), read_bundle(baseline)
    with progress() as watcher:
        return check_bundles(*opened, chosen, options, watcher, __version__, now())


def _reports(candidate: Path, baseline: Path, options: "CheckOptions") -> "Checked":
    from bench.gate.reports import check_reports
    from bench.report.files import read_report

    return check_reports(read_report(candidate), read_report(baseline), options, __version__, now())
