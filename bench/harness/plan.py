"""Which cases a run has, and which of them are alive together. Pure: it starts and reads nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.bundle import ArtifactRecord, Bundle
from bench.runtimes.table import row_of
from device_profiles.profile import Profile, Sampling


@dataclass(frozen=True)
class Case:
    """A variant on one execution provider with a number of threads; batch is 1. `cpus`: see host.cpus_for."""

    variant: str
    format: str
    entry: Path
    engine: str | None
    provider: str
    threads: int
    cpus: tuple[int, ...] | None
    image_size: int
    size_bytes: int


@dataclass(frozen=True)
class Plan:
    """What to measure and how long: `images` of the pack to judge accuracy on, each into `classes`."""

    cases: tuple[Case, ...]
    sampling: Sampling
    pack: Path
    images: int
    classes: int
    seed: int = 0


def threads_of(profile: Profile, physical_cores: int) -> int:
    """Return how many threads a case uses on a host with that many physical cores."""
    return physical_cores if profile.threads == "physical-cores" else profile.threads


def cases_of(
    bundle: Bundle, artifacts: Iterable[ArtifactRecord], threads: int, cpus: tuple[int, ...] | None
) -> tuple[Case, ...]:
    """Return one case for each artifact, on its format's own provider."""
    return tuple(
        Case(
            variant=artifact.variant,
            format=artifact.format,
            entry=(bundle.folder / artifact.entry).resolve(),
            engine=artifact.engine,
            provider=row_of(artifact.format).provider,
            threads=threads,
            cpus=cpus,
            image_size=bundle.manifest.model.image_size,
            size_bytes=artifact.size_bytes,
        )
        for artifact in artifacts
    )


def waves(cases: Sequence[Case], peaks: Mapping[str, int], available_bytes: int) -> list[list[Case]]:
    """Part the cases into waves whose peaks together fit in `available_bytes`, keeping their order.

    A case that does not fit alone is a wave of its own: it is tried, and dies where it would.
    """
    parted: list[list[Case]] = []
    room = 0
    for case in cases:
        need = peaks[case.variant]
        if not parted or need > room:
            parted.append([])
            room = available_bytes
        parted[-1].append(case)
        room -= need
    return parted
