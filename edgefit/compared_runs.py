"""Run folders in a comparison: each is checked first, then exported into a bundle that is not kept."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from bench.bundle.manifest import Bundle, read_bundle
from bench.bundle.variants import Variant
from bench.errors import InputError
from bench.progress import Progress
from bench.run.request import BenchmarkRequest
from bench.system.operating_system import require_linux
from edgefit import __version__
from edgefit.values import now

if TYPE_CHECKING:
    from export.options import ExportOptions


def check_run(run: Path, variants: Sequence[Variant], request: BenchmarkRequest) -> None:
    """Raise InputError or MissingRuntimeError for a run folder that cannot be exported as these variants.

    Every file of it is read, and nothing is exported.
    """
    from bench.runtimes.formats import FORMATS
    from export.planning import plan
    from export.prepared import prepare_run

    if request.resume:
        raise InputError(
            f"--resume: {run} is a run folder, which is exported anew each time; export it with: "
            f"{_export_command(run)}"
        )
    require_linux("exporting")
    options = _options(run, variants)
    _refuse_missing(run, plan(options, FORMATS).impossible.items())
    prepare_run(run, options)


def exported_run(run: Path, folder: Path, variants: Sequence[Variant], progress: Progress) -> Bundle:
    """Export a run folder as these variants into the bundle `folder`, which must not exist.

    Raises InputError if a variant cannot be made of it: it would be missing from the comparison.
    """
    from export.export import export

    names = ", ".join(map(str, variants))
    progress.say(
        f"{run} is exported as {names}, for this comparison alone; to keep a bundle: {_export_command(run)}"
    )
    folder.mkdir()
    manifest = export(_options(run, variants), folder, progress, __version__, run.resolve().name, now())
    _refuse_missing(run, ((missing.variant, missing.reason) for missing in manifest.missing))
    return read_bundle(folder)


def _refuse_missing(run: Path, missing: Iterable[tuple[Variant | str, str]]) -> None:
    for variant, reason in missing:
        raise InputError(f"{run}: it has no {variant}, because {reason}; leave it out of --only")


def _options(run: Path, variants: Sequence[Variant]) -> "ExportOptions":
    from export.options import ExportOptions

    return ExportOptions(
        source=str(run),
        formats=tuple(dict.fromkeys(each.format for each in variants)),
        precisions=tuple(dict.fromkeys(each.precision.value for each in variants)),
        only=tuple(variants),
    )


def _export_command(run: Path) -> str:
    return f"edgefit export {quote(str(run))} --out BUNDLE"
