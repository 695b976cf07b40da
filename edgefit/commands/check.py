"""`edgefit check`: compares a candidate with a baseline, with an exit code for CI. bench/gate decides."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from edgefit import __version__
from edgefit.options import (
    AsJson,
    Data,
    JudgedOutput,
    Preprocess,
    Quiet,
    Shape,
    now,
    parse_shapes,
    parse_share,
    split_names,
)
from edgefit.output_files import OutputFile, refuse_to_replace_any, write_all
from edgefit.profiles import complete_profile_name
from edgefit.terminal import Output

if TYPE_CHECKING:
    from bench.gate.document import Checked
    from bench.gate.options import CheckOptions
    from bench.run.model_inputs import InputsSource
    from bench.run.model_set import Shapes

_NEXT_IF_WORSE = "fix it; or, if it is intended, use this candidate as the new baseline"
_NEXT_IF_NOTHING = {
    "reports": "give two bundles instead of two reports; edgefit measures them side by side",
    "bundles": "check variants that are in both bundles and that run here; the findings say what is missing",
    "models": "check two model files that run here; the findings say what is missing",
}
Kind = Literal["bundles", "models", "reports"]
_NOUNS: dict[Kind, str] = {"bundles": "bundle", "models": "model file", "reports": "report"}
# The options that would do nothing, by what is given.
_FOREIGN: dict[Kind, tuple[str, ...]] = {
    "bundles": ("shape", "data", "preprocess", "judged_output", "min_agreement", "min_sqnr"),
    "models": ("only", "min_retention"),
    "reports": ("shape", "data", "preprocess"),
}


def check(
    context: typer.Context,
    candidate: Annotated[
        Path,
        typer.Argument(metavar="CANDIDATE", help="The model file, bundle or report to check."),
    ],
    baseline: Annotated[
        Path, typer.Option(metavar="BASELINE", help="The model file, bundle or report to compare it with.")
    ],
    shape: Shape = None,
    data: Data = None,
    preprocess: Preprocess = None,
    judged_output: JudgedOutput = None,
    profile: Annotated[
        str,
        typer.Option(
            metavar="NAME|FILE",
            autocompletion=complete_profile_name,
            help="The device's profile, unless two reports are compared.",
        ),
    ] = "laptop-cpu",
    only: Annotated[
        str | None,
        typer.Option(
            metavar="a,b",
            help="Of bundles and reports check only these variants, such as onnx-int8,onnx-fp32.",
        ),
    ] = None,
    max_slowdown: Annotated[
        str | None,
        typer.Option(
            metavar="PERCENT",
            help="The largest slowdown in latency. Default: 5% for model files and bundles, 15% for reports.",
        ),
    ] = None,
    max_growth: Annotated[
        str, typer.Option(metavar="PERCENT", help="The largest growth of a file's size.")
    ] = "1%",
    max_load_slowdown: Annotated[
        str, typer.Option(metavar="PERCENT", help="The largest slowdown in load time.")
    ] = "25%",
    max_memory_growth: Annotated[
        str, typer.Option(metavar="PERCENT", help="The largest growth of peak memory.")
    ] = "5%",
    min_retention: Annotated[
        float, typer.Option(min=0, max=1, help="The smallest share of the baseline's accuracy to keep.")
    ] = 0.99,
    min_agreement: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="For model files that give classes: the smallest share of inputs with the baseline's class.",
        ),
    ] = 0.97,
    min_sqnr: Annotated[
        float,
        typer.Option(
            metavar="DB",
            min=-1000,
            max=1000,
            help="For other outputs of model files: the smallest SQNR, with the baseline's as the signal. At "
            "20 dB the error is a tenth.",
        ),
    ] = 20.0,
    seconds: Annotated[
        float,
        typer.Option(min=1, max=3600, help="How long to time each variant, unless reports are compared."),
    ] = 20.0,
    skip_equal: Annotated[
        bool, typer.Option("--skip-equal", help="Measure nothing whose files are identical.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Block also if something is UNDECIDED.")] = False,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write Markdown for a pull request or a job summary.")
    ] = None,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Write JUnit XML.")] = None,
    bmf: Annotated[Path | None, typer.Option(metavar="FILE", help="Write Bencher Metric Format.")] = None,
    github: Annotated[bool, typer.Option("--github", help="Also print GitHub annotations.")] = False,
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Compare a candidate with a baseline. Exit code 10: it is worse; 12: no latency could be compared.

    Two model files, or two bundles, are measured side by side on this machine, so that its drift cancels out.
    Both model files are run with the same inputs, random or --data, and their outputs are compared. Two
    reports are compared relative to their control workload, if they were measured under the same conditions.

    \b
    Examples:
      edgefit check new.onnx --baseline old.onnx
      edgefit check candidate --baseline bundle
      edgefit check candidate --baseline bundle --max-slowdown 3% --markdown check.md
      edgefit check new.json --baseline old.json --strict
    """
    from bench.gate.blocking import BLOCKED
    from bench.gate.options import DEFAULT_SLOWDOWN, CheckOptions, Limits
    from bench.render.bmf import check_to_bmf, was_check_bmf
    from bench.render.github import to_annotations
    from bench.render.junit import check_to_junit, was_check_junit
    from bench.render.markdown import check_to_markdown, was_check_markdown
    from bench.render.terminal import check_view
    from bench.run.model_inputs import inputs_source

    output = Output(as_json)
    files = (
        OutputFile(markdown, "--markdown", check_to_markdown, was_check_markdown),
        OutputFile(junit, "--junit", check_to_junit, was_check_junit),
        OutputFile(bmf, "--bmf", check_to_bmf, was_check_bmf),
    )
    refuse_to_replace_any(files)
    kind = _kind(candidate, baseline)
    _refuse_foreign_options(context, kind)
    shapes = {} if shape is None else parse_shapes(shape)
    slowdown = DEFAULT_SLOWDOWN[kind] if max_slowdown is None else parse_share(max_slowdown, "--max-slowdown")
    options = CheckOptions(
        only=() if only is None else split_names(only),
        limits=Limits(
            max_slowdown=slowdown,
            max_load_slowdown=parse_share(max_load_slowdown, "--max-load-slowdown"),
            max_memory_growth=parse_share(max_memory_growth, "--max-memory-growth"),
            max_growth=parse_share(max_growth, "--max-growth"),
            min_retention=min_retention,
            min_agreement=min_agreement,
            min_sqnr_db=min_sqnr,
            judged_output=judged_output,
        ),
        seconds=seconds,
        skip_equal=skip_equal,
        strict=strict,
    )
    match kind:
        case "bundles":
            checked = _bundles(candidate, baseline, profile, options)
        case "models":
            source = None if (data, preprocess) == (None, None) else inputs_source(data, preprocess)
            checked = _models(candidate, baseline, shapes, source, profile, options)
        case "reports":
            checked = _reports(candidate, baseline, options)
    output.show(check_view(checked, output.console.width))
    if github:
        for line in to_annotations(checked):
            output.say(line)
    write_all(files, checked, output)
    output.document(checked.model_dump_json(by_alias=True))
    if checked.exit_code:
        is_worse = checked.exit_code == BLOCKED
        output.next_step(_NEXT_IF_WORSE if is_worse else _NEXT_IF_NOTHING[checked.compared])
        raise typer.Exit(checked.exit_code)


def _kind(candidate: Path, baseline: Path) -> Kind:
    """Return what both are; raises InputError if they are of two kinds, or if one does not exist."""
    from bench.errors import InputError

    new, old = _kind_of(candidate), _kind_of(baseline)
    if new != old:
        measurable = candidate if old == "reports" else baseline
        remedy = f" (make a report with: edgefit bench {measurable} --out REPORT.json)"
        raise InputError(
            f"{candidate} is a {_NOUNS[new]} and {baseline} is a {_NOUNS[old]}; give two model files, two "
            f"bundles, or two reports{remedy if 'reports' in (new, old) else ''}"
        )
    return new


def _kind_of(path: Path) -> Kind:
    from bench.errors import InputError

    if not path.exists() and not path.is_symlink():
        raise InputError(f"{path}: no such model file, bundle or report; check the path")
    if path.is_dir():
        return "bundles"
    return "reports" if _is_json(path) else "models"


def _is_json(path: Path) -> bool:
    """Tell whether a file is meant as JSON, as reports are. No model file begins with a brace."""
    from bench.errors import InputError

    if path.suffix == ".json":
        return True
    if not path.is_file():  # opening a pipe would wait for its other end
        return False
    try:
        with path.open("rb") as file:
            return file.read(1) == b"{"
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None


def _refuse_foreign_options(context: typer.Context, kind: Kind) -> None:
    """Raise BadParameter for an option that would do nothing."""
    for name in _FOREIGN[kind]:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise typer.BadParameter(
                f"it does not apply to a {_NOUNS[kind]}; leave it out",
                param_hint=f"--{name.replace('_', '-')}",
            )


def _bundles(candidate: Path, baseline: Path, profile: str, options: "CheckOptions") -> "Checked":
    from bench.bundle.manifest import read_bundle
    from bench.gate.check_bundles import check_bundles
    from bench.runtimes.profile_names import load_checked_profile
    from edgefit.progress import progress

    device = load_checked_profile(profile)
    bundles = read_bundle(candidate), read_bundle(baseline)
    with progress() as watcher:
        return check_bundles(*bundles, device, options, watcher, __version__, now())


def _models(
    candidate: Path,
    baseline: Path,
    shapes: "Shapes",
    source: "InputsSource | None",
    profile: str,
    options: "CheckOptions",
) -> "Checked":
    from bench.gate.check_models import check_models, opened_models
    from bench.runtimes.profile_names import load_checked_profile
    from edgefit.progress import progress

    device = load_checked_profile(profile)
    judged = options.limits.judged_output
    with opened_models(candidate, baseline, shapes, source, judged) as models, progress() as watcher:
        return check_models(*models, device, options, watcher, __version__, now())


def _reports(candidate: Path, baseline: Path, options: "CheckOptions") -> "Checked":
    from bench.gate.check_reports import check_reports
    from bench.report.files import read_report

    return check_reports(read_report(candidate), read_report(baseline), options, __version__, now())
