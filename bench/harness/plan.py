"""Which cases a run has, which of them are alive together, in which order they take turns. Pure."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median
from types import MappingProxyType

from bench.bundle.manifest import ArtifactRecord, Bundle
from bench.bundle.variants import CONTROL_VARIANT, NULL_VARIANT, Precision
from bench.devices.terms import Terms, incompatible_because
from bench.errors import MissingRuntimeError
from bench.runtimes.table import (
    CONTROL_IMAGE_SIZE,
    NULL,
    RUNTIMES,
    control_format,
    is_installed,
    missing_sentence,
    row_of,
)
from bench.system.memory_limit import Cgroup
from device_profiles.profile import Profile
from device_profiles.settings import Sampling

# A block of fewer samples has no median worth the name.
FEWEST_BLOCK_SAMPLES = 3


@dataclass(frozen=True)
class Case:
    """A variant on one execution provider with a number of threads; batch is 1.

    `cpus`: see host.cpus_for; `precision` and `digest` (of its files) belong to artifacts: None for the null
    runtime and the control workload, which are measured beside them and judged by nothing.
    `memory_limit_bytes`: what its process may have, None for no limit. `excluded_modules`: the modules that
    int8 does not quantise. `on_several_providers`: its variant is a case on another provider too.
    `incompatible_because`: why the profile's device cannot run it, None if it can. `is_proxy`: this machine
    is another than the profile's device, so that what was made for that one is tried here where it can be.
    `artifact`: its record in the manifest.
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
    memory_limit_bytes: int | None = None
    excluded_modules: tuple[str, ...] = ()
    on_several_providers: bool = False
    incompatible_because: str | None = None
    is_proxy: bool = False
    artifact: ArtifactRecord | None = None

    @property
    def key(self) -> str:
        """What tells it from the run's other cases."""
        return f"{self.variant}@{self.provider}" if self.on_several_providers else self.variant

    @property
    def is_judged(self) -> bool:
        """Whether it is an artifact, with an accuracy and a precision to prove."""
        return self.precision is not None


@dataclass(frozen=True)
class Plan:
    """What to measure and how long: `images` of the pack to judge accuracy on, each into `classes`.

    `controls`: the null runtime and the control workload, which take turns in every wave; `sustained_s`:
    seconds of inference without a pause, None for no such pass. `memory_cgroup`: what holds cases to their
    limits of memory, None where their peaks are judged instead.
    """

    cases: tuple[Case, ...]
    controls: tuple[Case, ...]
    sampling: Sampling
    pack: Path
    pack_sha256: str
    images: int
    classes: int
    sustained_s: float | None = None
    seed: int = 0
    memory_cgroup: Cgroup | None = None

    @property
    def everything(self) -> tuple[Case, ...]:
        """Every case that gets a row."""
        return (*self.cases, *self.controls)


def cases_of(
    bundle: Bundle,
    artifacts: Iterable[ArtifactRecord],
    profile: Profile,
    terms: Terms,
    threads: int,
    cpus: tuple[int, ...] | None,
    left_out: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Case, ...]:
    """Return a case for each artifact and provider that the profile names for its format.

    `left_out`: formats that are not to be run here, each with the reason.
    """
    return tuple(
        Case(
            variant=artifact.variant,
            format=artifact.format,
            entry=(bundle.folder / artifact.entry).resolve(),
            files=tuple((bundle.folder / file.path).resolve() for file in artifact.files),
            engine=artifact.engine,
            provider=provider,
            threads=threads,
            cpus=cpus,
            image_size=bundle.manifest.model.image_size,
            size_bytes=artifact.size_bytes,
            precision=artifact.precision,
            digest=_digest(artifact),
            memory_limit_bytes=terms.memory_limit_bytes,
            excluded_modules=artifact.excluded_modules,
            on_several_providers=len(providers_of(profile, artifact.format)) > 1,
            incompatible_because=left_out.get(artifact.format) or incompatible_because(artifact, profile),
            is_proxy=terms.provenance == "proxy",
            artifact=artifact,
        )
        for artifact in artifacts
        for provider in providers_of(profile, artifact.format)
    )


def refuse_missing(artifacts: Iterable[ArtifactRecord]) -> None:
    """Raise MissingRuntimeError for the first artifact whose runtime is not installed here."""
    for artifact in artifacts:
        if not is_installed(row := row_of(artifact.format)):
            raise MissingRuntimeError(f"{artifact.variant}: {missing_sentence(row)}")


def providers_of(profile: Profile, format_name: str) -> tuple[str, ...]:
    """Return where a profile's device runs a format; the runtime's usual provider where it names none."""
    choice = profile.runtimes.get(format_name)  # type: ignore[call-overload]
    usual = (row_of(format_name).provider,)
    return usual if choice is None or not choice.providers else choice.providers


def _digest(artifact: ArtifactRecord) -> str:
    """Return what tells artifacts apart: their files, and how they are loaded."""
    listed = "".join(f"{file.path} {file.sha256}\n" for file in artifact.files)
    return hashlib.sha256(f"{artifact.entry} {artifact.engine}\n{listed}".encode()).hexdigest()


def controls_of(threads: int, cpus: tuple[int, ...] | None) -> tuple[Case, ...]:
    """Return the null runtime's case and, if a runtime is installed that can run it, the control's."""
    null = Case(
        variant=NULL_VARIANT,
        format=NULL_VARIANT,
        entry=Path(NULL_VARIANT),
        files=(),
        engine=None,
        provider=NULL.provider,
        threads=threads,
        cpus=cpus,
        image_size=CONTROL_IMAGE_SIZE,
        size_bytes=0,
        precision=None,
        digest=None,
    )
    name = control_format()
    if name is None or (file := RUNTIMES[name].control_file) is None:
        return (null,)
    control = Case(
        variant=CONTROL_VARIANT,
        format=name,
        entry=file,
        files=(file,),
        engine=None,
        provider=RUNTIMES[name].provider,
        threads=threads,
        cpus=cpus,
        image_size=CONTROL_IMAGE_SIZE,
        size_bytes=file.stat().st_size,
        precision=None,
        digest=None,
    )
    return (null, control)


def groups(cases: Sequence[Case], peaks: Mapping[str, int], available_bytes: int) -> list[list[Case]]:
    """Part the cases into waves whose peaks together fit in `available_bytes`, keeping their order.

    A case that does not fit alone is a wave of its own: it is tried, and dies where it would.
    """
    grouped: list[list[Case]] = []
    room = 0
    for case in cases:
        need = peaks[case.key]
        if not grouped or need > room:
            grouped.append([])
            room = available_bytes
        grouped[-1].append(case)
        room -= need
    return grouped


def order_of_blocks(
    keys: Iterable[str], seed: int, group: int, repetition: int, pass_index: int
) -> list[str]:
    """Return the order in which cases take their turns in one sweep: random, yet repeatable."""
    order = list(keys)
    Random(f"{seed}/{group}/{repetition}/{pass_index}").shuffle(order)
    return order


def block_samples(sampling: Sampling, warm_up_ns: Sequence[int], fewest: int = FEWEST_BLOCK_SAMPLES) -> int:
    """Return how many samples, `fewest` at the least, a block of a process has that was so fast when warm."""
    fitting = int(sampling.block_s * 1e9 / max(1.0, median(warm_up_ns[-FEWEST_BLOCK_SAMPLES:])))
    return min(sampling.block_samples, max(fitting, fewest))
