"""What a command does once its options are read: the command line and the Python API both call it.

It opens what is given and calls bench/, export/ or models/. It parses no text and prints nothing.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.bundle.manifest import Manifest, read_bundle, written_files
from bench.bundle.variants import choose as choose_name
from bench.choose.candidates import Candidate
from bench.choose.choosing import Choice, Criteria
from bench.choose.choosing import choose as choose_among
from bench.choose.comparing import Preference
from bench.devices.matching import profile_that_is
from bench.errors import InputError
from bench.filesystem.whole_files import refuse_to_replace, whole_folder
from bench.gate.check_bundles import check_bundles
from bench.gate.check_reports import check_reports
from bench.gate.document import Checked
from bench.gate.options import CheckOptions
from bench.progress import Progress
from bench.report.comparability import require_same_task
from bench.report.files import read_report, was_a_report, write_report
from bench.report.schema import Report
from bench.run.benchmark import benchmark
from bench.run.model_set import Shapes
from bench.run.request import BenchmarkRequest
from bench.runtimes.profile_names import load_checked_profile
from bench.system.host import read_host
from device_profiles.profile import Profile
from device_profiles.settings import Budget
from edgefit import __version__
from edgefit.profiles import named_profiles
from edgefit.subjects import opened
from edgefit.values import AUTO, SHARE, name_for, now, require_limit

if TYPE_CHECKING:
    from export.options import ExportOptions
    from models.options import FinetuneOptions
    from models.records import RunRecord


Compared = Literal["bundles", "reports"]


def measure(
    paths: Sequence[Path],
    profile: str,
    shapes: Shapes,
    request: BenchmarkRequest,
    out: Path | None,
    progress: Progress,
) -> Report:
    """Measure model files or a bundle on this machine, and write the report to `out`.

    The profile and `out` are checked before anything is opened. A case that failed is a row of the report.
    """
    device = _profile_here(progress) if profile == AUTO else load_checked_profile(profile)
    if out is not None:
        refuse_to_replace(out, was_a_report, "--out")

    def on_report(report: Report) -> None:
        if out is not None:
            write_report(out, report)

    with opened(paths, shapes, request.only) as subject:
        return benchmark(subject, device, request, progress, on_report)


def _profile_here(progress: Progress) -> Profile:
    """Return the profile that this machine matches; raises InputError if there is none."""
    return profile_that_is(read_host(), named_profiles(progress), "this machine")


def compared_kind(candidate: Path | Report, baseline: Path | Report) -> Compared:
    """Return what is compared; raises InputError if a path does not exist, or if one of each is given."""
    kinds = [_kind(given) for given in (candidate, baseline)]
    if kinds[0] != kinds[1]:
        report, bundle = (baseline, candidate) if kinds[0] == "bundles" else (candidate, baseline)
        raise InputError(
            f"{bundle} is a bundle and {_named(report)} is a report; give two bundles, or two reports "
            f"(make one with: edgefit bench {bundle} --out REPORT.json)"
        )
    return kinds[0]


def _kind(given: Path | Report) -> Compared:
    if isinstance(given, Report):
        return "reports"
    if not given.exists():
        raise InputError(
            f"{given}: no such bundle or report; make a bundle with: edgefit export RUN --out BUNDLE"
        )
    return "bundles" if given.is_dir() else "reports"


def _named(given: Path | Report) -> str:
    return given.name if isinstance(given, Report) else str(given)


def check(
    candidate: Path | Report,
    baseline: Path | Report,
    profile: str,
    options: CheckOptions,
    progress: Progress,
) -> Checked:
    """Compare two bundles side by side on this machine, or two reports by what they contain."""
    compared_kind(candidate, baseline)
    if isinstance(candidate, Path) and isinstance(baseline, Path) and candidate.is_dir():
        device = load_checked_profile(profile)
        bundles = read_bundle(candidate), read_bundle(baseline)
        return check_bundles(*bundles, device, options, progress, __version__, now())
    return check_reports(opened_report(candidate), opened_report(baseline), options, __version__, now())


def opened_report(given: Path | Report) -> Report:
    """Return a report, read from its file where a path is given."""
    return given if isinstance(given, Report) else read_report(given)


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
    """Return the choice for each profile of some reports; raises InputError if they are of several tasks."""
    for report in reports[1:]:
        require_same_task(report.subject, reports[0].subject)
    return choose_among(reports, criteria)


def export_run(
    options: "ExportOptions", out: Path, name: str | None, overwrite: bool, progress: Progress
) -> Manifest:
    """Write the bundle `out`, whole or not at all. A variant that failed is listed in its manifest."""
    with whole_folder(out, written_files, overwrite) as folder:
        from export.export import export

        return export(options, folder, progress, __version__, name, now())


def finetune_network(
    options: "FinetuneOptions", out: Path, name: str | None, overwrite: bool, progress: Progress
) -> "RunRecord":
    """Write the run folder `out`, whole or not at all."""
    from models.run_folder import written_files as written_run

    with whole_folder(out, written_run, overwrite) as folder:
        from models.finetune import finetune

        return finetune(options, folder, progress, __version__, name_for(name, out), now())
