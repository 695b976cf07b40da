"""Which cases a run has, which of them are alive together, in which order they take turns. Pure."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median

from bench.bundle import ArtifactRecord, Bundle
from bench.runtimes.table import NULL, RUNTIMES, YARDSTICK_IMAGE_SIZE, row_of, yardstick_format
from bench.variants import NULL_VARIANT, YARDSTICK_VARIANT, Precision
from device_profiles.profile import Profile
from device_profiles.settings import Sampling

# A block of fewer samples has no median worth the name.
_FEWEST_BLOCK_SAMPLES = 3


@dataclass(frozen=True)
class Case:
    """A variant on one execution provider with a number of threads; batch is 1.

    `cpus`: see host.cpus_for; `precision` and `digest` (of its files) belong to artifacts: None for the null
    runtime and the yardstick, which are measured beside them and judged by nothing. `memory_cap_bytes`: what
    its process may allocate, None for no limit. `left_in_float`: the modules that int8 does not quantise.
    """

    variant: str
    format: str
    entry: Path
    files: tuple[Path, ...]
    engine: str | None
    provider: str
    threads: int
    cpus: tuple[int, ...] | None
    image_size: int
    size_bytes: int
    precision: Precision | None
    digest: str | None
    memory_cap_bytes: int | None = None
    left_in_float: tuple[str, ...] = ()

    @property
    def is_judged(self) -> bool:
        """Whether it is an artifact, with an accuracy and a precision to prove."""
        return self.precision is not None


@dataclass(frozen=True)
class Plan:
    """What to measure and how long: `images` of the pack to judge accuracy on, each into `classes`.

    `companions`: the null runtime and the yardstick, which take turns in every wave; `sustained_s`: seconds
    of inference without a pause, None for no such pass.
    """

    cases: tuple[Case, ...]
    companions: tuple[Case, ...]
    sampling: Sampling
    pack: Path
    pack_sha256: str
    images: int
    classes: int
    sustained_s: float | None = None
    seed: int = 0

    @property
    def everything(self) -> tuple[Case, ...]:
        """Every case that gets a row."""
        return (*self.cases, *self.companions)


def threads_of(profile: Profile, physical_cores: int) -> int:
    """Return how many threads a profile asks for on a host with that many physical cores."""
    return physical_cores if profile.threads == "physical-cores" else profile.threads


def cases_of(
    bundle: Bundle,
    artifacts: Iterable[ArtifactRecord],
    threads: int,
    cpus: tuple[int, ...] | None,
    memory_cap_bytes: int | None = None,
) -> tuple[Case, ...]:
    """Return one case for each artifact, on its format's own provider."""
    return tuple(
        Case(
            variant=artifact.variant,
            format=artifact.format,
            entry=(bundle.folder / artifact.entry).resolve(),
            files=tuple((bundle.folder / file.path).resolve() for file in artifact.files),
            engine=artifact.engine,
            provider=row_of(artifact.format).provider,
            threads=threads,
            cpus=cpus,
            image_size=bundle.manifest.model.image_size,
            size_bytes=artifact.size_bytes,
            precision=artifact.precision,
            digest=_digest(artifact),
            memory_cap_bytes=memory_cap_bytes,
            left_in_float=artifact.left_in_float,
        )
        for artifact in artifacts
    )


def _digest(artifact: ArtifactRecord) -> str:
    listed = "".join(f"{file.path} {file.sha256}\n" for file in artifact.files)
    return hashlib.sha256(listed.encode()).hexdigest()


def companions_of(threads: int, cpus: tuple[int, ...] | None) -> tuple[Case, ...]:
    """Return the null runtime's case and, if a runtime is installed that can run it, the yardstick's."""
    null = Case(
        variant=NULL_VARIANT,
        format=NULL_VARIANT,
        entry=Path(NULL_VARIANT),
        files=(),
        engine=None,
        provider=NULL.provider,
        threads=threads,
        cpus=cpus,
        image_size=YARDSTICK_IMAGE_SIZE,
        size_bytes=0,
        precision=None,
        digest=None,
    )
    name = yardstick_format()
    if name is None or (file := RUNTIMES[name].yardstick_file) is None:
        return (null,)
    yardstick = Case(
        variant=YARDSTICK_VARIANT,
        format=name,
        entry=file,
        files=(file,),
        engine=None,
        provider=RUNTIMES[name].provider,
        threads=threads,
        cpus=cpus,
        image_size=YARDSTICK_IMAGE_SIZE,
        size_bytes=file.stat().st_size,
        precision=None,
        digest=None,
    )
    return (null, yardstick)


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


def order_of_turns(variants: Iterable[str], seed: int, wave: int, round_: int, sweep: int) -> list[str]:
    """Return the order in which the variants take their turns in one sweep: random, yet repeatable."""
    order = list(variants)
    Random(f"{seed}/{wave}/{round_}/{sweep}").shuffle(order)
    return order


def block_samples(sampling: Sampling, warm_up_ns: Sequence[int]) -> int:
    """Return how many samples a block of a process has that was so fast when it was warm."""
    fitting = int(sampling.block_s * 1e9 / max(1.0, median(warm_up_ns[-_FEWEST_BLOCK_SAMPLES:])))
    return max(min(sampling.block_samples, fitting), min(sampling.block_samples, _FEWEST_BLOCK_SAMPLES))
