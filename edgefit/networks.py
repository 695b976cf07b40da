"""What `edgefit compare` is given: networks to measure together, or what it wrote before."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.bundle.manifest import MANIFEST, Bundle, read_bundle
from bench.bundle.model_files import display_names, refuse_same_file
from bench.bundle.variants import Variant, choose
from bench.compare.comparing import compare_networks
from bench.compare.document import NetworkComparison
from bench.compare.folder import is_comparison, read_comparison
from bench.errors import InputError
from bench.filesystem.temporary_folder import TemporaryFolder
from bench.progress import Progress
from bench.report.files import read_report
from bench.report.schema import Report
from bench.run.model_set import ModelSet
from bench.run.parts import MeasuredSubject, Networks, artifacts_to_measure
from bench.run.request import BenchmarkRequest
from bench.system.operating_system import require_linux
from device_profiles.validation import nearest
from edgefit.compared_runs import check_run, exported_run
from edgefit.subjects import SubjectOptions, is_json
from user_files.path_kinds import is_run_folder, own_folder_at

# What a run folder is exported as unless --only names others: it needs no search, and runs everywhere.
_VARIANT = "onnx-fp32"


@dataclass(frozen=True)
class ComparedNetworks:
    """Networks side by side, with the report of each."""

    comparison: NetworkComparison
    """How they compare."""
    reports: tuple[Report, ...]
    """Their reports, in the order of the networks."""


@contextmanager
def opened_networks(
    paths: Sequence[Path],
    baseline: str | None,
    options: SubjectOptions,
    request: BenchmarkRequest,
    progress: Progress,
    is_here: bool = True,
) -> Iterator[Networks]:
    """Open bundles, run folders and model files, in their order; all model files are together.

    Raises InputError for a path that is none of them, is damaged or is given twice, for a single network, for
    unknown names, or for options that nothing needs; all of that before a run folder is exported. `is_here`:
    whether they are measured on this machine, so that a runtime that is missing here is an error.
    """
    refuse_same_file(paths)
    runs = [path for path in paths if is_run_folder(path)]
    files = [path for path in paths if path not in runs and not _is_bundle(path)]
    if not files:
        options.refuse_for_bundle()
    if len(files) == len(paths):
        options.refuse_for_models()
    with ExitStack() as stack:
        bundles = {path: read_bundle(path) for path in paths if path not in runs and path not in files}
        models = _models(files, options, stack)
        names = _checked_names(bundles, runs, models, options.only, baseline, is_here)
        variants = _exported(options.only)
        for run in runs:
            check_run(run, variants, request)
        if runs:
            folder = stack.enter_context(TemporaryFolder())
            for number, run in enumerate(runs):
                bundles[run] = exported_run(run, folder / str(number), variants, progress)
        measured: list[MeasuredSubject] = []
        for path in paths:
            if path in bundles:
                measured.append(MeasuredSubject(bundles[path], names[path]))
            elif path == files[0] and models is not None:
                measured.append(MeasuredSubject(models))
        yield Networks(tuple(measured))


def _checked_names(
    bundles: Mapping[Path, Bundle],
    runs: Sequence[Path],
    models: ModelSet | None,
    only: Sequence[str],
    baseline: str | None,
    is_here: bool,
) -> dict[Path, str]:
    """Return what each network is called; raises InputError for a single one, or for unknown names."""
    rows = {path: _rows(bundle, only, is_here) for path, bundle in bundles.items()}
    rows |= {run: [str(variant) for variant in _exported(only)] for run in runs}
    own = {path: bundle.manifest.name for path, bundle in bundles.items()}
    own |= {run: run.resolve().name for run in runs}
    files = [] if models is None else [each.record.name for each in models.models]
    names = network_names(own, files)
    _require_comparable(
        [*names.values(), *files],
        [f"{names[path]}/{row}" for path, own_rows in rows.items() for row in own_rows],
        baseline,
    )
    return names


def _exported(only: Sequence[str]) -> list[Variant]:
    return [Variant.parse(name) for name in only or (_VARIANT,)]


def _models(files: Sequence[Path], options: SubjectOptions, stack: ExitStack) -> ModelSet | None:
    if not files:
        return None
    require_linux("opening model files to compare")
    return stack.enter_context(ModelSet(files, options.shapes, options.source, options.judged_output))


def _is_bundle(path: Path) -> bool:
    """Tell whether a path is a bundle; raises InputError for another folder of edgefit's own."""
    if (path / MANIFEST).exists():
        return True
    kind = own_folder_at(path) if path.is_dir() else None
    if kind is not None:
        raise InputError(f"{path}: is {kind.what}; {kind.remedy}, and compare what it gives")
    return False


def network_names(names: Mapping[Path, str], others: Sequence[str] = ()) -> dict[Path, str]:
    """Return what each bundle or run folder is called: its own name, or its path where two have the same.

    `others`: the names of model files.
    """
    if len({*names.values(), *others}) == len(names) + len(others):
        return dict(names)
    return dict(zip(names, display_names(list(names)), strict=True))


def _require_comparable(networks: Sequence[str], rows: Sequence[str], baseline: str | None) -> None:
    """Raise InputError for a single network, or a baseline that is neither a network nor a row."""
    if len(networks) < 2:
        raise InputError(
            f"'{networks[0]}' is the only network; give two or more bundles, run folders or model files to "
            "compare"
        )
    if baseline is not None:
        choose(baseline.partition("@")[0], [*networks, *rows], "baseline")


def _rows(bundle: Bundle, only: Sequence[str], is_here: bool) -> list[str]:
    """Return the variants of a bundle that are measured.

    Raises InputError for an unknown one or a damaged evaluation pack, and MissingRuntimeError for one that is
    measured here and has no runtime here.
    """
    known = [artifact.variant for artifact in bundle.manifest.artifacts]
    absent = {missing.variant for missing in bundle.manifest.missing}
    for name in only:
        if name not in known and name not in absent:
            raise InputError(f"--only {name}: {bundle.folder} has no such variant; {nearest(name, known)}")
    bundle.pack()
    return [str(artifact.variant) for artifact in artifacts_to_measure(bundle, only, is_here)]


def compared_before(paths: Sequence[Path], baseline: str | None) -> ComparedNetworks | None:
    """Return the comparison of reports, or of a folder that a comparison wrote; None if others are given.

    Raises InputError if reports are mixed with what is measured.
    """
    folders = [path for path in paths if is_comparison(path)]
    reports = [path for path in paths if path not in folders and _is_report(path)]
    if not folders and not reports:
        return None
    if len(folders) == len(paths) == 1:
        comparison, read = read_comparison(folders[0], baseline)
        return ComparedNetworks(comparison, tuple(read))
    if folders or len(reports) < len(paths):
        raise InputError(
            f"{(folders or reports)[0]}: is a result of edgefit, and is not measured with the others; give "
            "bundles and model files, or one folder that edgefit compare wrote, or its reports alone"
        )
    given = tuple(read_report(path) for path in reports)
    return ComparedNetworks(compare_networks(given, baseline), given)


def _is_report(path: Path) -> bool:
    return not path.is_dir() and path.exists() and is_json(path)
