"""Whether two bundles, or two reports, are of networks that can be compared at all."""

from collections.abc import Iterable, Sequence

from bench.bundle.variants import choose
from bench.errors import InputError
from bench.report.schema import BundleRecord


def refuse_other_kind(candidate: BundleRecord, baseline: BundleRecord) -> None:
    """Raise InputError if the two classify into other classes, or see images of another size."""
    if candidate.classes != baseline.classes:
        raise InputError(
            f"'{candidate.name}' has the classes {_listed(candidate.classes)} and '{baseline.name}' "
            f"{_listed(baseline.classes)}: answers to different questions are not compared; give two of the "
            "same classes"
        )
    if candidate.image_size != baseline.image_size:
        raise InputError(
            f"'{candidate.name}' takes images of {candidate.image_size}×{candidate.image_size} and "
            f"'{baseline.name}' of {baseline.image_size}×{baseline.image_size}: give two of the same input "
            "shape, or renew the baseline"
        )


def selected(only: Sequence[str], known: Iterable[str]) -> set[str]:
    """Return the variants to compare: those named, else all; raises InputError for an unknown name."""
    names = list(dict.fromkeys(known))
    return {choose(name, names, "variant") for name in only} or set(names)


def notes_of(candidate: BundleRecord, baseline: BundleRecord) -> list[str]:
    """Say in what the two networks differ without being beyond comparison."""
    pairs = (
        ("architecture", baseline.model, candidate.model),
        ("starting weights", baseline.weights, candidate.weights),
        ("data", baseline.data, candidate.data),
    )
    return [f"another {what}: {after}, was {before}" for what, before, after in pairs if before != after]


def _listed(classes: Sequence[str]) -> str:
    return ", ".join(f"'{one}'" for one in classes)
