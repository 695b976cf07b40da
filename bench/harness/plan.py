"""The plan of a run: its cases, their groups, and the order of their blocks.

This module measures nothing.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from statistics import median
from types import MappingProxyType

from bench.bundle.evaluation_pack import EvaluationPack
from bench.bundle.judged_output import CLASSES
from bench.bundle.manifest import ArtifactRecord, Bundle
from bench.bundle.model_files import ModelFile
from bench.bundle.model_set import ModelFileRecord
from bench.bundle.quantisation import Quantisation
from bench.bundle.signature import Tensor, batch_of, image_input
from bench.bundle.source_record import OutputRecord
from bench.bundle.variants import CONTROL_VARIANT, NULL_VARIANT, Precision
from bench.devices.terms import Terms, format_incompatible_because, incompatible_because
from bench.errors import MissingRuntimeError
from bench.run_config import RunConfig, RunOptions
from bench.runtimes.formats import FORMATS, NULL
from bench.runtimes.installed import (
    CONTROL_IMAGE_SIZE,
    control_format,
    is_installed,
    missing_sentence,
    row_of,
)
from bench.runtimes.providers import case_id
from bench.system.memory_limit import Cgroup
from device_profiles.profile import Profile
from device_profiles.settings import Sampling

# A worker answers when its threads are idle. This pause is for the rest of the machine: timers, and caches
# that are written back.
PAUSE_BEFORE_BLOCK_S = 0.005
# The median of fewer samples would be noise.
MIN_BLOCK_SAMPLES = 3


@dataclass(frozen=True)
class ModelInputs:
    """The inputs of a model file that comes without a bundle, and how its outputs are named."""

    pack: Path
    """Its tensor pack."""
    sha256: str
    """Identifies the data: outputs of two files are compared only if it is the same for both."""
    count: int
    """For how many inferences the pack has inputs."""
    output_names: tuple[str, ...]
    """The names of its outputs; empty where its format has none."""
    has_open_axes: bool
    """Whether the file leaves axes open, so that it is loaded for the shapes of the inputs."""
    quantised_outputs: tuple[Quantisation | None, ...] = ()
    """How the integers of each output stand for floats; None where they do not."""


@dataclass(frozen=True)
class PlannedModel:
    """A model file that comes without a bundle, with its inputs."""

    file: ModelFile
    """The file."""
    record: ModelFileRecord
    """What the report says of it."""
    pack: Path
    """Its tensor pack."""

    @property
    def batch(self) -> int:
        """How many items one inference takes."""
        return batch_of(self.record.inputs, self.record.signature.outputs)

    def named(self, name: str) -> "PlannedModel":
        """Return the same model with another name for its cases."""
        return replace(self, record=self.record.model_copy(update={"name": name}))

    @property
    def inputs(self) -> ModelInputs:
        """Its inputs, as its cases have them."""
        signature, values = self.record.signature, self.record.values
        return ModelInputs(
            pack=self.pack,
            sha256=values.comparable_sha256,
            count=values.inferences,
            output_names=tuple(tensor.name for tensor in signature.outputs),
            has_open_axes=not all(tensor.is_fixed for tensor in signature.inputs),
            quantised_outputs=tuple(tensor.quantisation for tensor in signature.outputs),
        )


@dataclass(frozen=True)
class PlannedEvaluation:
    """The images on which a bundle's artifacts are timed and evaluated."""

    pack: Path
    """The evaluation pack."""
    pack_sha256: str
    """SHA-256 of the evaluation pack."""
    images: int
    """Accuracy is measured on this number of images, the first ones of the pack."""
    values: int
    """How many values of a sample are judged: the number of classes, or of another output's values."""
    output: OutputRecord
    """The output that is judged."""


@dataclass(frozen=True)
class Case:
    """A variant with the options that it runs with: an artifact, or one of the two controls."""

    variant: str
    """Format and precision, such as `onnx-int8`; the name of a control."""
    format: str
    """The format, which decides the runtime."""
    entry: Path
    """The file that the runtime opens."""
    files: tuple[Path, ...]
    """All files of the artifact."""
    engine: str | None
    """See LoadOptions."""
    config: RunConfig
    """The options of the run, and the provider."""
    cpus: tuple[int, ...] | None
    """The CPUs to pin the process to; None: the kernel chooses. See cpus.cpus_for."""
    inputs: tuple[Tensor, ...]
    """The inputs of one inference, with fixed shapes."""
    size_bytes: int
    """Size of all files together."""
    precision: Precision | None
    """The artifact's precision; None for a control."""
    digest: str | None
    """Identifies the artifact's files and how they are loaded; None for a control."""
    memory_limit_bytes: int | None = None
    """How much memory its process may use; None for no limit."""
    excluded_modules: tuple[str, ...] = ()
    """The modules that stay in fp32 in an int8 artifact."""
    incompatible_because: str | None = None
    """Why the profile's device cannot run the case; None if it can."""
    is_proxy: bool = False
    """Whether this machine measures in place of the profile's device. Artifacts made for that device are then
    tried here where possible."""
    artifact: ArtifactRecord | None = None
    """The artifact's record in the manifest; None for a control and for a model file."""
    model: ModelInputs | None = None
    """The inputs of a model file; None for an artifact of a bundle, which takes the evaluation images, and
    for a control."""
    is_own_file: bool = False
    """Whether it is the user's own file in a bundle, unchanged."""
    evaluation: PlannedEvaluation | None = None
    """The images of an artifact of a bundle; None for a model file, and for a control."""
    network: str = ""
    """The network that it is of, where several bundles take turns; empty for a single one."""

    @property
    def has_open_axes(self) -> bool:
        """Whether its file may leave axes open: that of a model, and the user's own in a bundle."""
        return self.is_own_file or (self.model is not None and self.model.has_open_axes)

    @property
    def id(self) -> str:
        """What tells it from all others of the run: its row, behind the network where there are several."""
        return f"{self.network}/{self.row}" if self.network else self.row

    @property
    def row(self) -> str:
        """The id of its row: `onnx-int8`, or `onnx-int8@cuda` on another provider than the CPU."""
        return case_id(self.variant, self.config.provider)

    @property
    def is_artifact(self) -> bool:
        """Whether the case is an artifact, whose accuracy and precision are measured; false for a control."""
        return self.precision is not None


@dataclass(frozen=True)
class Plan:
    """What to measure, and for how long."""

    cases: tuple[Case, ...]
    """The artifacts' cases."""
    controls: tuple[Case, ...]
    """The null runtime and the control workload. Both are measured in every group."""
    sampling: Sampling
    """How many processes, blocks and samples, and the time limits."""
    seconds: float | None = None
    """Seconds for the latencies of all cases together; None: those of the sampling, for each group."""
    sustained_s: float | None = None
    """Seconds of a sustained run; None for none."""
    seed: int = 0
    """Seed of the random order of blocks."""
    memory_cgroup: Cgroup | None = None
    """The control group that enforces memory limits; None: the measured peak is compared with the limit."""

    def pack_of(self, case: Case) -> str | None:
        """Return the file that has a case's inputs; None for a control, which takes constant ones."""
        if not case.is_artifact:
            return None
        if case.model is not None:
            return str(case.model.pack)
        return None if case.evaluation is None else str(case.evaluation.pack)

    def group_seconds(self, cases: int, of_all: int) -> float:
        """Return how long the latencies of a group of so many cases may take, `of_all` that are timed."""
        if self.seconds is not None:
            return self.seconds * cases / of_all
        return max(self.sampling.time_limit_s, self.sampling.time_limit_each_s * cases)

    @property
    def all_cases(self) -> tuple[Case, ...]:
        """The artifacts' cases and the controls, in the order of the report's rows."""
        return (*self.cases, *self.controls)


def planned_evaluation(bundle: Bundle, pack: EvaluationPack) -> PlannedEvaluation:
    """Return what to evaluate: the first images of a bundle's evaluation pack, which `pack` holds."""
    source = bundle.manifest.model.source
    return PlannedEvaluation(
        pack=(bundle.folder / bundle.manifest.pack.file.path).resolve(),
        pack_sha256=bundle.manifest.pack.file.sha256,
        images=len(pack),
        values=pack.reference_logits.shape[1],
        output=CLASSES if source is None else source.output,
    )


def cases_of(
    bundle: Bundle,
    artifacts: Iterable[ArtifactRecord],
    profile: Profile,
    terms: Terms,
    options: RunOptions,
    cpus: tuple[int, ...] | None,
    evaluation: PlannedEvaluation,
    excluded_formats: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Case, ...]:
    """Return a case for each artifact and each provider that the profile names for its format.

    `evaluation`: the images that they are timed and evaluated on. `excluded_formats`: the formats that are
    not measured here, each with the reason.
    """
    source = bundle.manifest.model.source
    return tuple(
        Case(
            variant=artifact.variant,
            format=artifact.format,
            entry=(bundle.folder / artifact.entry).resolve(),
            files=tuple((bundle.folder / file.path).resolve() for file in artifact.files),
            engine=artifact.engine,
            config=options.on(provider),
            cpus=cpus,
            inputs=artifact.inputs(bundle.manifest.model.image_size),
            size_bytes=artifact.size_bytes,
            precision=artifact.precision,
            digest=_digest(artifact),
            memory_limit_bytes=terms.memory_limit_bytes,
            excluded_modules=artifact.excluded_modules,
            incompatible_because=excluded_formats.get(artifact.format)
            or incompatible_because(artifact, profile),
            is_proxy=terms.provenance == "proxy",
            artifact=artifact,
            is_own_file=source is not None and artifact.variant == source.variant,
            evaluation=evaluation,
        )
        for artifact in artifacts
        for provider in providers_of(profile, artifact.format)
    )


def cases_of_models(
    models: Iterable[PlannedModel],
    profile: Profile,
    terms: Terms,
    options: RunOptions,
    cpus: tuple[int, ...] | None,
) -> tuple[Case, ...]:
    """Return a case for each model file and each provider that the profile names for its format."""
    return tuple(
        Case(
            variant=model.record.name,
            format=model.record.format,
            entry=model.file.path.resolve(),
            files=tuple(file.resolve() for file in model.file.files),
            engine=None,
            config=options.on(provider, model.batch),
            cpus=cpus,
            inputs=model.record.inputs,
            size_bytes=model.record.size_bytes,
            precision=model.record.precision,
            digest=model.record.sha256,
            memory_limit_bytes=terms.memory_limit_bytes,
            incompatible_because=format_incompatible_because(model.record.format, profile),
            is_proxy=terms.provenance == "proxy",
            model=model.inputs,
        )
        for model in models
        for provider in providers_of(profile, model.record.format)
    )


def refuse_missing(artifacts: Iterable[ArtifactRecord]) -> None:
    """Raise MissingRuntimeError for the first artifact whose runtime is not installed here."""
    for artifact in artifacts:
        if not is_installed(row := row_of(artifact.format)):
            raise MissingRuntimeError(f"{artifact.variant}: {missing_sentence(row)}")


def providers_of(profile: Profile, format_name: str) -> tuple[str, ...]:
    """Return the providers that a profile names for a format; if it names none, the runtime's default."""
    choice = profile.runtimes.get(format_name)
    default = (row_of(format_name).provider,)
    return default if choice is None or not choice.providers else choice.providers


def _digest(artifact: ArtifactRecord) -> str:
    """Return a hash of an artifact's files and of how they are loaded."""
    files = "".join(f"{file.path} {file.sha256}\n" for file in artifact.files)
    return hashlib.sha256(f"{artifact.entry} {artifact.engine}\n{files}".encode()).hexdigest()


def controls_of(options: RunOptions, cpus: tuple[int, ...] | None) -> tuple[Case, ...]:
    """Return the null runtime's case and, if an installed runtime can run it, the control workload's."""
    null = Case(
        variant=NULL_VARIANT,
        format=NULL_VARIANT,
        entry=Path(NULL_VARIANT),
        files=(),
        engine=None,
        config=options.on(NULL.provider),
        cpus=cpus,
        inputs=(image_input(CONTROL_IMAGE_SIZE),),
        size_bytes=0,
        precision=None,
        digest=None,
    )
    name = control_format()
    if name is None or (file := FORMATS[name].control_file) is None:
        return (null,)
    control = Case(
        variant=CONTROL_VARIANT,
        format=name,
        entry=file,
        files=(file,),
        engine=None,
        config=options.on(FORMATS[name].provider),
        cpus=cpus,
        inputs=(image_input(CONTROL_IMAGE_SIZE),),
        size_bytes=file.stat().st_size,
        precision=None,
        digest=None,
    )
    return (null, control)


def split_into_groups(
    cases: Sequence[Case], peaks: Mapping[str, int], available_bytes: int
) -> list[list[Case]]:
    """Split the cases, in their order, into groups whose peaks together fit into `available_bytes`.

    A case that does not fit alone is a group of its own. It is tried, and fails if memory runs out.
    """
    groups: list[list[Case]] = []
    free_bytes = 0
    for case in cases:
        peak_bytes = peaks[case.id]
        if not groups or peak_bytes > free_bytes:
            groups.append([])
            free_bytes = available_bytes
        groups[-1].append(case)
        free_bytes -= peak_bytes
    return groups


def order_of_blocks(
    case_ids: Iterable[str], seed: int, group: int, repetition: int, pass_index: int
) -> list[str]:
    """Return the order of the cases' blocks in one pass. It is random, and the same for the same seed."""
    order = list(case_ids)
    Random(f"{seed}/{group}/{repetition}/{pass_index}").shuffle(order)
    return order


def block_samples(sampling: Sampling, warm_up_ns: Sequence[int], minimum: int = MIN_BLOCK_SAMPLES) -> int:
    """Return the number of samples per block, at least `minimum`, for a process with this warm-up."""
    samples_in_time = int(sampling.block_s * 1e9 / max(1.0, median(warm_up_ns[-MIN_BLOCK_SAMPLES:])))
    return min(sampling.block_samples, max(samples_in_time, minimum))
