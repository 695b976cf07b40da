"""Which cases a run has, which of them are alive together, in which order they take turns. Pure."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median
from types import MappingProxyType

from bench.bundle.manifest import ArtifactRecord, Bundle
from bench.bundle.variants import NULL_VARIANT, YARDSTICK_VARIANT, Precision
from bench.devices.terms import Terms, unfit
from bench.errors import MissingRuntimeError
from bench.runtimes.table import (
    NULL,
    RUNTIMES,
    YARDSTICK_IMAGE_SIZE,
    is_installed,
    missing_sentence,
    row_of,
    yardstick_format,
)
from bench.system.memory_limit import Control
from device_profiles.profile import Profile
from device_profiles.settings import Sampling

# A block of fewer samples has no median worth the name.
FEWEST_BLOCK_SAMPLES = 3


@dataclass(frozen=True)
class Case:
    """A variant on one execution provider with a number of threads; batch is 1.

    `cpus`: see host.cpus_for; `precision` and `digest` (of its files) belong to artifacts: None for the null
    runtime and the yardstick, which are measured beside them and judged by nothing. `memory_limit_bytes`:
    what its process may have, None for no limit. `left_in_float`: the modules that int8 does not quantise.
    `on_several_providers`: its variant is a case on another provider too. `unfit`: why the profile's device
    cannot run it, None if it can. `stands_in`: this machine is another than the profile's device, so that
    what was made for that one is tried here where it can be. `artifact`: its record in the manifest.
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
    left_in_float: tuple[str, ...] = ()
    on_several_providers: bool = False
    unfit: str | None = None
    stands_in: bool = False
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

    `companions`: the null runtime and the yardstick, which take turns in every wave; `sustained_s`: seconds
    of inference without a pause, None for no such pass. `memory_control`: what holds cases to their limits of
    memory, None where their peaks are judged instead.
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
    memory_control: Control | None = None

    @property
    def everything(self) -> tuple[Case, ...]:
        """Every case that gets a row."""
        return (*self.cases, *self.companions)


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
            left_in_float=artifact.left_in_float,
            on_several_providers=len(providers_of(profile, artifact.format)) > 1,
            unfit=left_out.get(artifact.format) or unfit(artifact, profile),
            stands_in=terms.standing == "stand-in",
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
        need = peaks[case.key]
        if not parted or need > room:
            parted.append([])
            room = available_bytes
        parted[-1].append(case)
        room -= need
    return parted


def order_of_turns(keys: Iterable[str], seed: int, wave: int, round_: int, sweep: int) -> list[str]:
    """Return the order in which cases take their turns in one sweep: random, yet repeatable."""
    order = list(keys)
    Random(f"{seed}/{wave}/{round_}/{sweep}").shuffle(order)
    return order


def block_samples(sampling: Sampling, warm_up_ns: Sequence[int], fewest: int = FEWEST_BLOCK_SAMPLES) -> int:
    """Return how many samples, `fewest` at the least, a block of a process has that was so fast when warm."""
    fitting = int(sampling.block_s * 1e9 / max(1.0, median(warm_up_ns[-FEWEST_BLOCK_SAMPLES:])))
    return min(sampling.block_samples, max(fitting, fewest))
