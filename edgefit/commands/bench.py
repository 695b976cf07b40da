"""`edgefit bench`: reads model files or a bundle, and a profile; writes a report. bench/ measures."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgefit import __version__
from edgefit.model_options import ModelInputOptions
from edgefit.options import (
    AUTO,
    AsJson,
    Data,
    JudgedOutput,
    Name,
    Only,
    Preprocess,
    Quick,
    Quiet,
    Shape,
    Sustained,
    With,
    now,
    refuse_endless,
    split_names,
)
from edgefit.profiles import complete_profile_name
from edgefit.report_output import exit_code_of, show_next_step, show_report
from edgefit.terminal import Output

if TYPE_CHECKING:
    from bench.bundle.manifest import Bundle
    from bench.report.schema import Report
    from bench.run.model_set import ModelSet
    from bench.run.request import BenchmarkRequest
    from device_profiles.profile import Profile

_DEFAULT_PROFILE = "laptop-cpu"


def bench(
    subjects: Annotated[
        list[Path],
        typer.Argument(
            metavar="MODEL...|BUNDLE",
            help="Model files (.onnx, OpenVINO .xml, TorchScript .pt), or a bundle of edgefit export.",
        ),
    ],
    profile: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE|auto",
            autocompletion=complete_profile_name,
            help="The device's profile; see edgefit profiles list. auto: the one that the machine matches. "
            f"Default: {_DEFAULT_PROFILE}; with --on: auto.",
        ),
    ] = None,
    on: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ssh://[user@]host[:port]",
            help="Measure on this board. Repeat the option to measure several boards at the same time.",
        ),
    ] = None,
    only: Only = None,
    shape: Shape = None,
    data: Data = None,
    preprocess: Preprocess = None,
    judged_output: JudgedOutput = None,
    quick: Quick = False,
    sustained: Sustained = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Resume an interrupted run with the same options. A run on a board always resumes.",
        ),
    ] = False,
    with_: With = None,
    wheelhouse: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Install the board's packages from this folder, which edgefit wheelhouse wrote.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="REPORT.json", help="Write the report to this file.")
    ] = None,
    name: Name = None,
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Measure latency, memory and size of model files, or of every variant in a bundle with its accuracy.

    Model files are run with random inputs, or with --data. Several files are measured together, in turn, and
    their outputs are compared with those of the first.

    \b
    Examples:
      edgefit bench model.onnx
      edgefit bench model.onnx model-int8.onnx --shape images:1x3x224x224
      edgefit bench model.onnx model-int8.onnx --data photos --preprocess imagenet
      edgefit bench bundle --out report.json
      edgefit bench bundle --profile raspberry-pi-5 --only onnx-int8,onnx-fp32
      edgefit bench bundle --on ssh://pi@raspberrypi.local --out report.json
    """
    from bench.run.request import BenchmarkRequest

    output = Output(as_json)
    refuse_endless(sustained)
    request = BenchmarkRequest(
        only=() if only is None else split_names(only),
        quick=quick,
        name=name,
        sustained_s=sustained,
        resume=resume,
        tool=__version__,
        created=now(),
    )
    inputs = ModelInputOptions.of(shape, data, preprocess, judged_output)
    if on:
        inputs.refuse_for_bundle()
        from bench.remote.targets import parse_targets
        from edgefit.boards import board_request, measure_boards

        targets = parse_targets(on)
        formats = () if with_ is None else split_names(with_)
        on_boards = board_request(_only_bundle(subjects), request, profile, formats, wheelhouse, output)
        raise typer.Exit(measure_boards(targets, on_boards, out, output))
    for value, option in ((with_, "--with"), (wheelhouse, "--wheelhouse")):
        if value is not None:
            raise typer.BadParameter("it applies to boards only; add --on ssh://host", param_hint=option)
    from bench.runtimes.profile_names import load_checked_profile

    device = _detected(output) if profile == AUTO else load_checked_profile(profile or _DEFAULT_PROFILE)
    _refuse_other_output(out)
    with _opened(subjects, inputs, request) as subject:
        code = _measure_here(subject, device, request, out, output)
    raise typer.Exit(code)


def _measure_here(
    subject: "Bundle | ModelSet",
    device: "Profile",
    request: "BenchmarkRequest",
    out: Path | None,
    output: Output,
) -> int:
    """Measure on this machine, print the report, write it to `out`, and return the exit code."""
    from bench.report.files import to_json, write_report
    from bench.run.benchmark import benchmark
    from edgefit.progress import progress

    def on_report(report: "Report") -> None:
        if out is not None:
            write_report(out, report)

    with progress() as watcher:
        report = benchmark(subject, device, request, watcher, on_report)
    show_report(report, output)
    output.document(to_json(report))
    code = exit_code_of(report)
    if not code:
        show_next_step([] if out is None else [out], output)
    return code


def _refuse_other_output(out: Path | None) -> None:
    """Raise InputError if the file for the report is something else than a report."""
    from bench.filesystem.whole_files import refuse_to_replace
    from bench.report.files import was_a_report

    if out is not None:
        refuse_to_replace(out, was_a_report, "--out")


@contextmanager
def _opened(
    paths: Sequence[Path], inputs: ModelInputOptions, request: "BenchmarkRequest"
) -> "Iterator[Bundle | ModelSet]":
    """Open a bundle or model files; raises InputError for options that do not fit what is given."""
    if _is_bundle(paths):
        inputs.refuse_for_bundle()
        yield _only_bundle(paths)
        return
    if request.only:
        raise typer.BadParameter(
            "it applies to bundles; give only the model files to measure", param_hint="--only"
        )
    with inputs.open(paths) as models:
        yield models


def _is_bundle(paths: Sequence[Path]) -> bool:
    """Return whether a bundle is given."""
    from bench.bundle.manifest import MANIFEST

    return any((path / MANIFEST).exists() for path in paths)


def _only_bundle(paths: Sequence[Path]) -> "Bundle":
    """Read the bundle; raises InputError if something else is given beside it."""
    from bench.bundle.manifest import read_bundle
    from bench.errors import InputError

    if len(paths) > 1:
        raise InputError(
            f"{paths[0]} and {paths[1]} cannot be measured together; give one bundle, or model files"
        )
    return read_bundle(paths[0])


def _detected(output: Output) -> "Profile":
    """Return the profile that this machine matches; raises InputError if there is none."""
    from bench.devices.matching import profile_that_is
    from bench.system.host import read_host
    from edgefit.profiles import named_profiles

    return profile_that_is(read_host(), named_profiles(output), "this machine")
