"""What `edgefit compare` is given: bundles and model files to measure together, or what it wrote before."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.bundle.manifest import MANIFEST, Bundle, read_bundle
from bench.bundle.model_files import display_names, refuse_same_file
from bench.bundle.variants import choose
from bench.errors import InputError
from bench.run.model_set import ModelSet
from bench.run.parts import MeasuredSubject
from edgefit.subjects import SubjectOptions
from user_files.path_kinds import own_folder_at


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
    """Return the names of a bundle's rows, without their providers."""
    if not isinstance(network.subject, Bundle):
        return []
    return [f"{network.network}/{artifact.variant}" for artifact in network.subject.select(only)]
