"""What `edgefit compare` is given: bundles and model files to measure together, or what it wrote before."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.bundle.manifest import MANIFEST, Bundle, read_bundle
from bench.bundle.model_files import display_names, refuse_same_file
from bench.bundle.variants import choose
from bench.compare.comparing import compare_networks
from bench.compare.document import NetworkComparison
from bench.compare.folder import is_comparison, read_comparison
from bench.errors import InputError
from bench.report.files import read_report
from bench.report.schema import Report
from bench.run.model_set import ModelSet
from bench.run.parts import MeasuredSubject
from device_profiles.validation import nearest
from edgefit.subjects import SubjectOptions, is_json
from user_files.path_kinds import own_folder_at


@dataclass(frozen=True)
class ComparedNetworks:
    """Networks side by side, with the report of each."""

    comparison: NetworkComparison
    """How they compare."""
    reports: tuple[Report, ...]
    """Their reports, in the order of the networks."""


@contextmanager
def opened_networks(paths: Sequence[Path], options: SubjectOptions) -> Iterator[list[MeasuredSubject]]:
    """Open bundles and model files, in the order in which they are given; all model files are together.

    Raises InputError for a path that is neither, that is given twice, or for options that nothing needs.
    """
    refuse_same_file(paths)
    bundles = [path for path in paths if _is_bundle(path)]
    files = [path for path in paths if path not in bundles]
    if not files:
        options.refuse_for_bundle()
    if not bundles:
        options.refuse_for_models()
    with ExitStack() as stack:
        opened = {path: read_bundle(path) for path in bundles}
        models = _models(files, options, stack)
        names = network_names(opened, [] if models is None else [each.record.name for each in models.models])
        measured: list[MeasuredSubject] = []
        for path in paths:
            if path in opened:
                measured.append(MeasuredSubject(opened[path], names[path]))
            elif path == files[0] and models is not None:
                measured.append(MeasuredSubject(models))
        yield measured


def _models(files: Sequence[Path], options: SubjectOptions, stack: ExitStack) -> ModelSet | None:
    if not files:
        return None
    return stack.enter_context(ModelSet(files, options.shapes, options.source, options.judged_output))


def _is_bundle(path: Path) -> bool:
    """Tell whether a path is a bundle; raises InputError for a run folder, which is measured as a bundle."""
    if (path / MANIFEST).exists():
        return True
    kind = own_folder_at(path) if path.is_dir() else None
    if kind is not None:
        raise InputError(f"{path}: is {kind.what}; {kind.remedy}, and compare what it gives")
    return False


def network_names(bundles: Mapping[Path, Bundle], others: Sequence[str] = ()) -> dict[Path, str]:
    """Return what each bundle is called: by its own name, or by its folder where two have the same name.

    `others`: the names of model files.
    """
    names = [bundle.manifest.name for bundle in bundles.values()]
    if len({*names, *others}) == len(names) + len(others):
        return dict(zip(bundles, names, strict=True))
    return dict(zip(bundles, display_names(list(bundles)), strict=True))


def require_comparable(
    networks: Sequence[MeasuredSubject], baseline: str | None, only: Sequence[str]
) -> None:
    """Raise InputError, before anything is measured, for a single network, or unknown names.

    `only`: the variants to measure, which each bundle has to have.
    """
    names = [name for network in networks for name in _names(network)]
    rows = [row for network in networks for row in _rows(network, only)]
    if len(names) < 2:
        raise InputError(
            f"'{names[0]}' is the only network; give two or more bundles or model files to compare"
        )
    if baseline is not None:
        choose(baseline.partition("@")[0], [*names, *rows], "baseline")


def _names(network: MeasuredSubject) -> list[str]:
    subject = network.subject
    if isinstance(subject, Bundle):
        return [network.network]
    return [model.record.name for model in subject.models]


def _rows(network: MeasuredSubject, only: Sequence[str]) -> list[str]:
    """Return the names of a bundle's rows, without providers; raises InputError for an unknown variant."""
    bundle = network.subject
    if not isinstance(bundle, Bundle):
        return []
    known = [artifact.variant for artifact in bundle.manifest.artifacts]
    absent = {missing.variant for missing in bundle.manifest.missing}
    for name in only:
        if name not in known and name not in absent:
            raise InputError(f"--only {name}: {bundle.folder} has no such variant; {nearest(name, known)}")
    return [f"{network.network}/{artifact.variant}" for artifact in bundle.select(only)]


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
