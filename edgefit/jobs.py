"""What a command does once its options are read: the command line and the Python API both call it.

It opens what is given and calls bench/, export/ or models/. It parses no text and prints nothing.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.bundle.manifest import MANIFEST, Manifest, read_bundle, written_files
from bench.bundle.model_files import read_model_file
from bench.bundle.variants import choose as choose_name
from bench.choose.candidates import Candidate
from bench.choose.choosing import Choice, Criteria
from bench.choose.choosing import choose as choose_among
from bench.choose.comparing import Preference
from bench.compare.comparing import compare_networks
from bench.compare.folder import write_comparison, written_comparison
from bench.devices.matching import profile_that_is
from bench.errors import InputError
from bench.filesystem.whole_files import refuse_to_overwrite, refuse_to_replace, whole_folder
from bench.gate.check_bundles import check_bundles
from bench.gate.check_models import check_models, opened_models
from bench.gate.check_reports import check_reports
from bench.gate.document import Checked
from bench.gate.options import CheckOptions
from bench.progress import Progress
from bench.report.comparability import require_one_task
from bench.report.files import read_report, was_a_report, write_report
from bench.report.schema import Report
from bench.run.benchmark import benchmark, benchmark_together
from bench.run.request import BenchmarkRequest
from bench.runtimes.profile_names import load_checked_profile
from bench.system.cpus import cpus_here, kept_affinity
from bench.system.host import read_host
from bench.system.operating_system import require_linux
from bench.system.thread_variables import PINNING, withheld
from bench.verify.document import Verification
from bench.verify.verifying import verify_file
from device_profiles.profile import Profile
from device_profiles.settings import Budget
from edgefit import __version__
from edgefit.extras import require_extra
from edgefit.metrics import Metric, try_metrics, with_metrics
from edgefit.networks import ComparedNetworks, compared_before, opened_networks
from edgefit.profiles import named_profiles
from edgefit.subjects import SubjectOptions, is_json, opened
from edgefit.values import AUTO, DEFAULT_PROFILE, SHARE, name_for, now, require_limit
from user_files.missing_paths import missing_hint
from user_files.path_kinds import A_DOCUMENT, is_report, path_kind

if TYPE_CHECKING:
    from export.options import ExportOptions
    from models.options import FinetuneOptions
    from models.records import RunRecord


Compared = Literal["bundles", "models", "reports"]
_NOUNS: dict[Compared, str] = {"bundles": "bundle", "models": "model file", "reports": "report"}
# The options of a check that would do nothing, by what is given.
_FOREIGN: dict[Compared, tuple[str, ...]] = {
    "bundles": ("shape", "data", "preprocess", "judged_output"),
    "models": ("only", "min_retention"),
    "reports": ("shape", "data", "preprocess", "keep_environment"),
}
# The options whose names are not those of their parameters.
_OPTIONS = {"judged_output": "--output"}


def measure(
    paths: Sequence[Path],
    profile: str,
    inputs: SubjectOptions,
    request: BenchmarkRequest,
    out: Path | None,
    progress: Progress,
    metrics: Sequence[Metric] = (),
    show: Callable[[Report], None] = lambda _report: None,
) -> Report:
    """Measure model files or a bundle on this machine, and write the report to `out`, or `show` it.

    The profile and `out` are checked before anything is opened. A case that failed is a row of the report.
    `metrics`: the user's own, which are tried before anything is measured. If one fails after all, what was
    measured is kept, and the run can be resumed; `show` may fail too. It is called only without `out`.
    """
    require_linux("measuring")
    finished: list[Report] = []
    device = _profile_here(progress) if profile == AUTO else load_checked_profile(profile)
    if out is not None:
        refuse_to_replace(out, was_a_report, "--out")

    def on_report(report: Report) -> None:
        finished.append(with_metrics(report, metrics))
        if out is None:
            show(finished[-1])
        else:
            write_report(out, finished[-1])

    with ExitStack() as stack:
        with kept_affinity():  # metrics and data may be functions of the user, which load libraries
            subject = stack.enter_context(opened(paths, inputs))
            try_metrics(metrics, subject)
        benchmark(subject, device, request, progress, on_report)
    return finished[-1]


def compare(
    paths: Sequence[Path],
    profile: str,
    inputs: SubjectOptions,
    request: BenchmarkRequest,
    baseline: str | None,
    out: Path | None,
    overwrite: bool,
    progress: Progress,
    show: Callable[[ComparedNetworks], None] = lambda _compared: None,
) -> ComparedNetworks:
    """Measure networks together on this machine, and compare them; or compare reports again.

    A run folder is exported for this comparison alone, as the variants that the request names.
    `out`: the folder for the reports; without it the result is given to `show` before the journal is deleted.
    Reports, or the folder of an earlier comparison, are read, and nothing is measured.
    """
    if earlier := compared_before(paths, baseline):
        _refuse_to_measure(profile, inputs, request, out)
        return earlier
    require_linux("measuring")
    device = _profile_here(progress) if profile == AUTO else load_checked_profile(profile)
    if out is not None:
        refuse_to_overwrite(out, written_comparison, overwrite)
    finished: list[ComparedNetworks] = []

    def on_reports(reports: Sequence[Report]) -> None:
        finished.append(ComparedNetworks(compare_networks(reports, baseline), tuple(reports)))
        if out is None:
            show(finished[-1])
            return
        with whole_folder(out, written_comparison, overwrite) as folder:
            write_comparison(folder, finished[-1].comparison, reports)

    with ExitStack() as stack:
        with kept_affinity():
            networks = stack.enter_context(opened_networks(paths, baseline, inputs, request, progress))
        benchmark_together(networks.measured, device, request, progress, on_reports)
    return finished[-1]


def _refuse_to_measure(
    profile: str, inputs: SubjectOptions, request: BenchmarkRequest, out: Path | None
) -> None:
    """Raise InputError for the first option that does nothing where a comparison is read again."""
    given = (
        ("--out", out),
        ("--profile", profile != DEFAULT_PROFILE),
        ("--only", request.only),
        ("--quick", request.quick),
        ("--seconds", request.seconds),
        ("--resume", request.resume),
        ("--keep-environment", request.keep_environment),
        ("--shape", inputs.shapes),
        ("--data", inputs.data),
        ("--preprocess", inputs.preprocess),
        ("--output", inputs.judged_output),
    )
    for option, value in given:
        if value:
            raise InputError(f"{option}: what was compared before is not measured again; leave {option} out")


def _profile_here(progress: Progress) -> Profile:
    """Return the profile that this machine matches; raises InputError if there is none."""
    return profile_that_is(read_host(), named_profiles(progress), "this machine")


def compared_kind(candidate: Path | Report, baseline: Path | Report) -> Compared:
    """Return what both are; raises InputError if they are of two kinds, or if one does not exist."""
    new, old = _kind_of(candidate), _kind_of(baseline)
    if new != old:
        for given, kind in ((candidate, new), (baseline, old)):
            _refuse_neither(given, kind)
        measurable = candidate if old == "reports" else baseline
        remedy = f" (make a report with: edgefit bench {measurable} --out REPORT.json)"
        raise InputError(
            f"{_named(candidate)} is a {_NOUNS[new]} and {_named(baseline)} is a {_NOUNS[old]}; "
            f"give two model files, two bundles, or two reports{remedy if 'reports' in (new, old) else ''}"
        )
    return new


def _refuse_neither(given: Path | Report, kind: Compared) -> None:
    """Raise InputError, as its reader does, for what was taken for a model file or a bundle and is none."""
    if isinstance(given, Report):
        return
    if kind == "models":
        read_model_file(given)
    elif kind == "bundles" and not (given / MANIFEST).exists():
        read_bundle(given)


def _kind_of(given: Path | Report) -> Compared:
    if isinstance(given, Report):
        return "reports"
    if not given.exists() and not given.is_symlink():
        remedy = missing_hint(given) or "check the path"
        raise InputError(f"{given}: no such model file, bundle or report; {remedy}")
    if given.is_dir():
        return "bundles"
    _refuse_other(given)
    return "reports" if is_json(given) else "models"


def _refuse_other(path: Path) -> None:
    """Raise InputError for a file that is known to be neither; what else it is, its reader says."""
    kind = path_kind(path) if path.is_file() else None
    if kind is not None and not kind.is_model and not is_report(kind) and kind.what != A_DOCUMENT:
        remedy = kind.remedy or "give two model files, two bundles, or two reports"
        raise InputError(f"{path}: is {kind.what}, not a model file, a bundle or a report; {remedy}")


def _named(given: Path | Report) -> str:
    return given.name if isinstance(given, Report) else str(given)


def refuse_foreign(options: Iterable[str], kind: Compared) -> None:
    """Raise InputError for the first of the options given, by their names, that would do nothing."""
    for name in options:
        if name in _FOREIGN[kind]:
            option = _OPTIONS.get(name, f"--{name.replace('_', '-')}")
            raise InputError(f"{option}: it does not apply to a {_NOUNS[kind]}; leave it out")


def check(
    candidate: Path | Report,
    baseline: Path | Report,
    inputs: SubjectOptions,
    profile: str,
    options: CheckOptions,
    progress: Progress,
) -> Checked:
    """Compare two model files or two bundles side by side on this machine, or two reports."""
    kind = compared_kind(candidate, baseline)
    if isinstance(candidate, Report) or isinstance(baseline, Report) or kind == "reports":
        return check_reports(opened_report(candidate), opened_report(baseline), options, __version__, now())
    require_linux("comparing by measuring")
    device = load_checked_profile(profile)
    if kind == "bundles":
        bundles = read_bundle(candidate), read_bundle(baseline)
        return check_bundles(*bundles, device, options, progress, __version__, now())
    judged = inputs.judged_output
    with ExitStack() as stack:
        with kept_affinity():
            models = stack.enter_context(
                opened_models(candidate, baseline, inputs.shapes, inputs.source, judged)
            )
        return check_models(*models, device, options, progress, __version__, now())


def opened_report(given: Path | Report) -> Report:
    """Return a report, read from its file where a path is given."""
    return given if isinstance(given, Report) else read_report(given)


def verify(paths: Sequence[Path], bundle: Path | None) -> Verification:
    """Derive of reports whatever can be derived, and compare it with what they say.

    `bundle`: the bundle that they are of, if it is at hand; the hash of every file of it is checked.
    """
    measured = None if bundle is None else read_bundle(bundle)
    moment = datetime.now(timezone.utc)
    return Verification(reports=tuple(verify_file(path, measured, __version__, moment) for path in paths))


def criteria_of(
    prefer: str,
    max_p95_ms: float | None,
    max_memory_mb: float | None,
    max_size_mb: float | None,
    min_retention: float | None,
    retention_margin: float,
    source: str,
) -> Criteria:
    """Return the criteria of a choice; raises InputError for a limit that no variant could meet.

    A limit that is None is the profile's own. `source` says who set the others.
    """
    preferences = [preference.value for preference in Preference]
    if min_retention is not None:
        SHARE.require("--min-retention", min_retention)
    budget = Budget(
        p95_ms=require_limit("--max-p95-ms", max_p95_ms),
        memory_mb=require_limit("--max-memory-mb", max_memory_mb),
        size_mb=require_limit("--max-size-mb", max_size_mb),
        retention=min_retention or None,
        source=source,
    )
    return Criteria(
        budget=budget,
        prefer=Preference(choose_name(prefer, preferences, "preference")),
        margin=SHARE.require("--retention-margin", retention_margin),
        any_retention=min_retention == 0,
    )


def choose_for(reports: Sequence[Report], criteria: Criteria) -> list[tuple[Choice, Candidate | None]]:
    """Return the choice for each profile of some reports.

    Raises InputError if they are of several tasks, and for criteria of accuracy where there is none.
    """
    require_one_task(reports)
    for report in reports:
        _refuse_accuracy(report, criteria)
    return choose_among(reports, criteria)


def _refuse_accuracy(report: Report, criteria: Criteria) -> None:
    """Raise InputError if rows that have no accuracy are to be chosen by it."""
    if report.evaluation is None:
        without = "the reports are of model files, which were measured without labels"
    elif report.evaluation.gap is not None:
        without = f"the bundle '{report.name}' has no accuracy, because {report.evaluation.gap}"
    else:
        return
    if criteria.budget.retention is not None or criteria.any_retention:
        raise InputError(
            f"--min-retention: {without}, so there is no retention to limit; leave it out, or give reports "
            "of bundles with labels"
        )
    if criteria.prefer is Preference.ACCURACY:
        raise InputError(
            f"--prefer: {without}, so there is no accuracy to choose by; choose by latency, memory, size or "
            "energy"
        )


def export_run(
    options: "ExportOptions", out: Path, name: str | None, overwrite: bool, progress: Progress
) -> Manifest:
    """Write the bundle `out`, whole or not at all. A variant that failed is listed in its manifest."""
    require_linux("exporting")
    _refuse_inside_data(out, options.data)
    _refuse_to_replace_inputs(out, options.source, options.data, options.weights)
    with whole_folder(out, written_files, overwrite) as folder:
        from export.export import export

        return export(options, folder, progress, __version__, name, now())


def _refuse_inside_data(out: Path, data: str | None) -> None:
    """Raise InputError for a result in the folder of the data, where it would be taken for a class."""
    from models.sources.loaders import NAMED

    if data is None or data in NAMED:
        return
    if os.path.isdir(data) and os.path.realpath(data) in _folders_above(out):
        raise InputError(f"--out {out} lies in the data, {data}; choose a folder outside of it")


def _refuse_to_replace_inputs(out: Path, *inputs: str | Path | None) -> None:
    """Raise InputError if an earlier result at `out` holds what is read to make the new one."""
    for given in inputs:
        if given is not None and os.path.exists(given) and os.path.realpath(out) in _folders_above(given):
            raise InputError(f"--out {out} contains {given}, which is read; choose another --out")


def _folders_above(path: str | Path) -> list[str]:
    return [str(folder) for folder in Path(os.path.realpath(path)).parents]


def finetune_network(
    options: "FinetuneOptions", out: Path, name: str | None, overwrite: bool, progress: Progress
) -> "RunRecord":
    """Write the run folder `out`, whole or not at all."""
    from models.architecture import is_of_timm
    from models.options import check_options
    from models.run_folder import written_files as written_run
    from models.sources.loaders import check_source

    check_options(options)
    if is_of_timm(options.arch):
        require_extra("timm", f"--arch {options.arch}")
    _refuse_inside_data(out, options.data)
    _refuse_to_replace_inputs(out, options.data, options.weights)
    check_source(options.data)  # torch takes seconds to load: a wrong path is said before
    with whole_folder(out, written_run, overwrite) as folder:
        with withheld(PINNING) as pinning:  # with one of them, torch trains on a single CPU
            from models.finetune import finetune
        if pinning:
            names = " and ".join(pinning)
            progress.say(f"torch was loaded without {names}, because torch would train on one CPU with it")
        within_limit = replace(options, max_threads=options.max_threads or cpus_here().at_once)
        return finetune(within_limit, folder, progress, __version__, name_for(name, out), now())
