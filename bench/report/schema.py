"""The report contract, schema 2: the shape of the file. It computes nothing and reads no file."""

from typing import Literal

from pydantic import Field, model_validator

from bench.bundle.input_preprocessing import Preprocess
from bench.bundle.judged_output import CLASSES
from bench.bundle.model_set import InputOrigin, ModelFileRecord, ModelSetRecord, NetworkCounts, with_origins
from bench.bundle.signature import Tensor
from bench.bundle.source_record import OutputRecord, SourceKind
from bench.bundle.variants import Precision
from bench.devices.projection.projected import NoBasis, Projected
from bench.devices.terms import Provenance
from bench.measurements import Completed, Outcome
from bench.record import Record
from bench.run_config import RunConfig
from bench.statistics.latency import Latency
from bench.system.host import Host
from bench.system.sandbox import Confinement
from bench.system.thread_variables import SetVariable
from device_profiles.facts import Published, Rate
from device_profiles.part import Text
from device_profiles.profile import Profile
from user_files.checked_record import Count


class RelativeLatency(Record):
    """A latency ÷ another latency, paired block by block.

    On a machine that changes its speed, such a ratio is more stable than a ratio of two medians.
    """

    ratio: float
    """The median of the blocks' ratios."""
    ci95: tuple[float, float] | None
    """Its 95 % interval over processes; null with fewer than five."""


class Retention(Record):
    """A variant's accuracy ÷ the fp32 reference's."""

    value: float
    """The ratio of the two accuracies."""
    ci95: tuple[float, float] | None
    """Its 95 % interval over images; null where there is none."""


class LabelAccuracy(Record):
    """Figures of one label of an output with several labels. A figure is null where it cannot be computed."""

    label: int
    """Index of the label in the output."""
    positives: int
    """The number of images that it applies to."""
    auc: float | None
    """Area under the ROC curve; null if it applies to all images, or to none."""
    sensitivity: float | None
    """Share of the images that it applies to for which the variant says so."""
    specificity: float | None
    """Share of the other images for which the variant does not say so."""
    f1: float
    """F1 of the images that it applies to."""


class ClassAccuracy(Record):
    """The figures of one class. Of several labels, the images that a label applies to are a class, and the
    others are another one."""

    index: int
    """Index of the class in the output; of several labels, that of the label."""
    applies: bool = True
    """False for the images that one of several labels does not apply to."""
    images: int
    """The number of its images."""
    recall: float
    """Share of its images that the variant classifies right."""
    reference_recall: float
    """Share of its images that the reference classifies right."""
    retention: Retention | None
    """Recall ÷ the reference's recall; null if the reference classifies none of them right."""
    loss_p: float
    """p of the exact one-sided McNemar test that the variant loses recall of this class."""
    precision: float | None = None
    """Share of the images that the variant takes for this class that are of it; null if there are none, of
    one of several labels, and in older reports."""
    f1: float | None = None
    """F1 of this class, the harmonic mean of precision and recall; null of one of several labels, and in
    older reports."""
    auc: float | None = None
    """Area under the ROC curve of this class against all others; null of one of several labels, and in older
    reports."""


class ClassConfusion(Record):
    """The images of one class that the variant takes for another class."""

    index: int
    """Index of the class that they are of."""
    given_index: int
    """Index of the class that the variant takes them for."""
    images: int
    """The number of these images."""
    class_images: int
    """The number of all images of their class."""
    reference_images: int
    """The number of images of this class that the reference takes for the other one."""


class Accuracy(Record):
    """Figures of the judged output on the evaluation images. A figure is null where it cannot be computed.

    Sensitivity and specificity hold at a score of 0: an image is positive if the positive class's logit is
    the larger one. The fp32 model has the same operating point. What is compared with is the fp32 network,
    or the source that the bundle was made from. Without labels there is only what is compared with it. Of an
    output with several labels each label of each image is a decision, and shares are shares of decisions.
    """

    images: int
    """The number of images; of inputs that are no images, of samples."""
    top1: float | None
    """Share of images whose class is right; null without labels, and of an output without classes."""
    auc: float | None
    """Area under the ROC curve; null for more than two classes, which have `macro_auc`."""
    sensitivity: float | None
    """Share of the positive images that are classified as positive."""
    specificity: float | None
    """Share of the negative images that are classified as negative."""
    reference_sensitivity: float | None
    """The fp32 network's sensitivity on the same images."""
    reference_specificity: float | None
    """The fp32 network's specificity on the same images."""
    agreement: float | None
    """Share of images with the fp32 network's class; null of an output without classes."""
    retention: Retention | None
    """Accuracy ÷ the fp32 network's."""
    mcnemar_p: float | None
    """p of the exact McNemar test on the images that only one of the two models classifies correctly; null
    without labels."""
    flips: tuple[int, ...]
    """Indices of the images whose class is not the fp32 network's; of an output with several labels those of
    the decisions: image × labels + label."""
    missed: tuple[int, ...] | None
    """Those of `flips` that are positive and that only the fp32 network classifies as positive."""
    sqnr_db: float | None
    """Signal-to-quantisation-noise ratio of the logits, with the fp32 network's as the signal, in dB; null
    where both are exactly equal."""
    decisions: int | None = None
    """The number of decisions; null of an output without classes, and in older reports."""
    cosine: float | None = None
    """Mean cosine similarity with the source's values, of an output without classes; null for classes."""
    balanced_accuracy: float | None = None
    """Mean over the classes of the share of their images whose class is right."""
    macro_auc: float | None = None
    """Mean area under the ROC curve of each class against all others, or of each label; null for two
    classes. Classes without images are left out. It is what scikit-learn's `roc_auc_score` gives with
    `multi_class="ovr"` and `average="macro"` (Provost and Domingos, 2000)."""
    top5: float | None = None
    """Share of images whose class is among the five highest scores; null for fewer than six classes."""
    f1: float | None = None
    """F1 of the positive class; of several classes, or of several labels, the mean over them."""
    by_label: tuple[LabelAccuracy, ...] = ()
    """The figures of each label, of an output with several labels."""
    by_class: tuple[ClassAccuracy, ...] = ()
    """The figures of each class that has images; empty without labels."""
    auc_ci95: tuple[float, float] | None = None
    """The 95 % interval of `auc`, or of `macro_auc`, over images (DeLong et al., 1988); null where the scores
    of the classes do not overlap, with a class of one image, and in older reports."""
    without_images: tuple[int, ...] = ()
    """Indices of the classes that none of the images is of. Means over the classes leave them out."""
    confused: tuple[ClassConfusion, ...] = ()
    """The pairs of classes that the variant confuses on most images, at most 50, the most frequent first;
    empty of several labels."""
    confused_pairs: int = 0
    """How many pairs of classes the variant confuses."""

    @property
    def decided(self) -> int:
        """The number of decisions that shares are about."""
        return self.images if self.decisions is None else self.decisions


class MetricValue(Record):
    """A metric of the user's own, computed where the report was made."""

    name: str
    """The function, as `--metric` named it."""
    value: float
    """Its value for this row."""
    reference: float
    """Its value for the reference on the same images."""


class PrecisionRan(Record):
    """The precision that ran, from the runtime's own executed graph. Null values were not examined."""

    share_of_macs: dict[str, float] | None = None
    """Share of the multiply-accumulates by precision; null where the graph gives no shapes."""
    share_of_operators: dict[str, float] | None = None
    """Share of the convolution and matrix operators by precision."""
    casts: int | None = None
    """Conversions between float types."""
    quantise: int | None = None
    """Steps from float to integers."""
    dequantise: int | None = None
    """Steps from integers to float."""
    evidence: str | None = None
    """The source of these figures."""


class OutputComparison(Record):
    """One output of a model file compared with the same output of the reference file, on the same inputs."""

    name: str
    """The output's name."""
    items: int | None
    """How many items were classified; null where the output has not the shape of classes."""
    agreement: float | None
    """Share of these items with the reference's class; null where the output has not the shape of classes."""
    cosine: float | None
    """Mean over the inputs of the cosine similarity with the reference; null where a vector is all zeros or
    a single value."""
    sqnr_db: float | None
    """Signal-to-quantisation-noise ratio with the reference as the signal, in dB; null without any error."""
    largest_difference: float
    """The largest absolute difference of two values."""


class OutputsComparison(Record):
    """All outputs of a model file compared with those of the first model file of the run."""

    reference: str
    """The reference's case."""
    outputs: tuple[OutputComparison, ...]
    """The comparison of each output that both have in the same shape."""
    unmatched: tuple[str, ...]
    """The outputs without a counterpart of the same shape."""
    judged: str | None = None
    """The only output that is judged; null where all of them are."""

    @property
    def agreement(self) -> float | None:
        """The lowest agreement of the outputs; None if none has the shape of classes."""
        return min((each.agreement for each in self.outputs if each.agreement is not None), default=None)

    @property
    def cosine(self) -> float | None:
        """The lowest cosine similarity of the outputs; None if none has one."""
        return min((each.cosine for each in self.outputs if each.cosine is not None), default=None)

    @property
    def sqnr_db(self) -> float | None:
        """The lowest signal-to-quantisation-noise ratio of the outputs; None if all are equal."""
        return min((each.sqnr_db for each in self.outputs if each.sqnr_db is not None), default=None)

    @property
    def worst(self) -> OutputComparison | None:
        """The judged output with the lowest agreement, or cosine where there is no agreement.

        None without any.
        """
        judged = [output for output in self.outputs if self.judged in (None, output.name)]
        return min(judged, key=lambda output: (_or_1(output.agreement), _or_1(output.cosine)), default=None)


def _or_1(value: float | None) -> float:
    return 1.0 if value is None else value


class SustainedPoint(Record):
    """The median latency of one block of a sustained run, or of neighbouring blocks that were joined."""

    at_s: float
    """Seconds from the first inference to the end of the block."""
    p50_ns: float
    """The block's median."""


class Sustained(Record):
    """Latency over a run without a pause."""

    seconds: float
    """How long it ran."""
    drift: float
    """The last third's level ÷ the first third's, less 1."""
    settled_ns: float
    """The level of the last quarter."""
    settled_after_s: float | None
    """The time after which 90 % of the blocks stay within 5 % of that level; null if there is none."""
    points: tuple[SustainedPoint, ...]
    """The median of each block, or of joined ones."""


class Summary(Record):
    """All figures that are derived from a completed case's measurements, and from its references."""

    latency: Latency
    """Latency over all samples."""
    relative_to_control: RelativeLatency | None
    """Latency ÷ the control workload's latency; null where the two were not measured together."""
    relative_to_fp32: RelativeLatency | None
    """Latency ÷ the latency of the same format in fp32; null where the two were not measured together."""
    import_ns: float
    """Median over processes of the time to import the runtime."""
    load_ns: float
    """Median over processes of the time to load the artifact."""
    first_inference_ns: float
    """Median over processes of the first inference."""
    file_cache: Literal["warm", "cold", "partly"] | None
    """Whether the artifact was in the kernel's file cache when it was loaded; null where that is unknown."""
    sustained: Sustained | None
    """The sustained run; null if there was none."""
    energy_per_inference_j: float | None
    """Energy of one inference in joules, with idle power; null where no energy was measured."""
    precision_ran: PrecisionRan | None
    """The precision that ran; null for the two controls."""
    accuracy: Accuracy | None
    """Accuracy of the file that was timed, or its agreement with the source where there are no labels; null
    for the two controls, and for a model file."""
    outputs: OutputsComparison | None = None
    """The outputs of a model file compared with those of the run's first; null for that one, and where its
    inputs are others."""


class Run(Record):
    """The row of one case: its variant, its options, its outcome."""

    case: str
    """The case id, unique in the report: `onnx-int8`, or `onnx-int8@cuda` on another provider."""
    variant: str
    """Format and precision, such as `onnx-int8`; `null` or `control` for the two controls."""
    format: str
    """The format; for the control workload the format of the runtime that ran it."""
    precision: Precision | None = Field(default=None, strict=False)
    """The requested precision; null for the two controls."""
    config: RunConfig
    """Its options and its provider."""
    provenance: Provenance
    """Whether the profile's device itself was measured, or a proxy for it."""
    size_bytes: int | None = Field(default=None, ge=0)
    """The size of all files of the artifact; null where there is none."""
    outcome: Outcome
    """The measurements of a completed case, or why there are none."""
    summary: Summary | None = None
    """The figures derived from the measurements; null unless the case completed."""
    projection: Projected | NoBasis | None = None
    """The projected latency on the profile's device, or why there is none; null on the device itself."""
    nearest_published: Published | None = None
    """The nearest figure that others have published for the profile's device."""
    warnings: tuple[str, ...] = ()
    """Warnings about this row, each with a remedy."""
    metrics: tuple[MetricValue, ...] = ()
    """The user's own metrics. They are not derived again when the report is read."""

    @property
    def is_variant(self) -> bool:
        """Whether it is the row of an artifact, not of a control."""
        return self.precision is not None

    @property
    def status(self) -> Literal["completed", "skipped", "failed"]:
        """Its status."""
        return self.outcome.status

    @property
    def completed(self) -> Completed | None:
        """Its measurements; None unless it completed."""
        return self.outcome if isinstance(self.outcome, Completed) else None

    @property
    def reason(self) -> str | None:
        """Why it did not complete, in one line."""
        return None if isinstance(self.outcome, Completed) else self.outcome.reason

    @property
    def runtime(self) -> str | None:
        """The runtime's name and version; None unless it completed."""
        return None if self.completed is None else self.completed.runtime

    @property
    def projected(self) -> Projected | None:
        """The projected latency, where there is one."""
        return self.projection if isinstance(self.projection, Projected) else None

    @property
    def projection_reason(self) -> str | None:
        """Why its latency is not projected; None where it is, or where no projection was tried."""
        return self.projection.reason if isinstance(self.projection, NoBasis) else None

    @property
    def accuracy(self) -> Accuracy | None:
        """Its accuracy; None where it was not evaluated."""
        return None if self.summary is None else self.summary.accuracy

    @property
    def outputs(self) -> OutputsComparison | None:
        """The comparison of its outputs with the reference's; None where they were not compared."""
        return None if self.summary is None else self.summary.outputs


MemoryHolder = Literal["control group", "measured peak"]


class Proxy(Record):
    """How this machine differs from the profile's device, and how its memory was limited."""

    agrees: tuple[str, ...]
    """The properties in which the two agree."""
    differs: tuple[str, ...]
    """The properties in which the two differ."""
    emulated: str | None
    """The evidence that this machine is emulated; null if it is not."""
    memory_limit_bytes: int | None
    """The memory limit of a case; null where no limit is known."""
    memory_limit_is: str | None = None
    """The origin of that limit, in words."""
    memory_held_by: MemoryHolder | None
    """What enforced it: a control group of the kernel, or the measured peak; null without a limit."""
    host_rates: tuple[Rate, ...] = ()
    """This machine's own rates, which projections are based on."""


class BundleRecord(Record):
    """The bundle that was measured."""

    sha256: str
    """SHA-256 of its manifest."""
    name: Text
    """Its name."""
    model: Text
    """The network's architecture."""
    weights: Text
    """The starting weights of fine-tuning."""
    data: Text
    """The data of fine-tuning."""
    image_size: int | None
    """Side of its square input, in pixels; null where the input is no square image."""
    classes: tuple[Text, ...]
    """The classes, or the labels, in the order of the output; empty where nobody named them."""
    pack_sha256: str
    """SHA-256 of its evaluation pack."""
    folder: str | None = None
    """Its folder when it was measured."""
    source: SourceKind | None = Field(default=None, strict=False)
    """What it was made from; null for a run folder."""
    inputs: tuple[Tensor, ...] = ()
    """The inputs of its source; empty for a run folder, whose input is one image."""
    output: OutputRecord = CLASSES
    """The output that is judged."""
    preprocess: Preprocess | None = None
    """How an image becomes the input of its source; null for a run folder, and for inputs that are no
    images."""
    origins: tuple[InputOrigin, ...] = ()
    """Where that was stated."""
    counts: NetworkCounts | None = None
    """Its weights and multiply-accumulates; null unless it was compared with other networks."""

    @property
    def input_words(self) -> str:
        """What it takes, for people: the size of its image, else its inputs."""
        if self.image_size is not None:
            return f"{self.image_size}×{self.image_size}"
        return "; ".join(tensor.words for tensor in self.inputs) or "an unknown input"

    @property
    def preparation_words(self) -> str | None:
        """How an image became an input and where that was stated, for people; None where nothing says so."""
        return None if self.preprocess is None else with_origins(self.preprocess.words, self.origins)

    @property
    def samples(self) -> str:
        """What it is evaluated on: images, or samples that are no images."""
        return "images" if self.source is None or self.preprocess is not None else "samples"

    @property
    def reference(self) -> str:
        """What its variants are compared with."""
        return "fp32 network" if self.source is None else "source"

    @property
    def whose(self) -> str:
        """Whose figures those of its variants are compared with, in a word."""
        return "fp32's" if self.source is None else "the source's"

    def class_name(self, index: int) -> str:
        """Return the name of a class or a label; its number where nobody named it."""
        noun = "label" if self.output.kind == "labels" else "class"
        return self.classes[index] if index < len(self.classes) else f"{noun} {index}"

    @property
    def shown_sha256(self) -> str:
        """The hash to show."""
        return self.sha256


Subject = BundleRecord | ModelSetRecord


class Evaluation(Record):
    """The labels and reference answers of the evaluated images: the first ones of the evaluation pack."""

    labels: tuple[Count, ...] | tuple[tuple[Count, ...], ...] | None
    """The right class of each image, or for each of several labels whether it applies; null where nobody
    labelled them."""
    reference_logits: tuple[tuple[float, ...], ...]
    """What the fp32 network, or the source, gives for each image: [images][values]."""
    positive_class: Count | None
    """Index of the positive class, which sensitivity is about; null unless there are two labelled classes."""
    pack_images: Count
    """The number of images in the evaluation pack."""
    output: OutputRecord = CLASSES
    """The output that is judged."""
    samples_sha256: str | None = None
    """SHA-256 of the evaluated images or samples, without labels and answers; null unless the network was
    compared with others."""
    sources_sha256: str | None = None
    """SHA-256 of the evaluation pack's images as they were before they were resized; null where it was not
    taken, and unless the network was compared with others."""

    @model_validator(mode="after")
    def _fits_together(self) -> "Evaluation":
        values = {len(row) for row in self.reference_logits}
        if len(values) != 1 or 0 in values:
            raise ValueError("'reference_logits' needs the same number of values for each image")
        if self.labels is not None and len(self.labels) != len(self.reference_logits):
            raise ValueError(
                f"'labels' are of {len(self.labels)} images, and 'reference_logits' of "
                f"{len(self.reference_logits)}"
            )
        return self

    @property
    def images(self) -> int:
        """The number of evaluated images."""
        return len(self.reference_logits)

    @property
    def decided(self) -> str:
        """What each decision is about, in words: images, or their labels."""
        return "labels" if self.output.kind == "labels" else "images"

    @property
    def gap(self) -> str | None:
        """Why there is no accuracy, in words; None if there is."""
        if self.output.kind == "values":
            return "the judged output holds no classes"
        return "the samples have no labels" if self.labels is None else None


class Report(Record):
    """The results of one run of the harness."""

    schema_: Literal[2] = Field(alias="schema")
    """The version of this shape. Reports of schema 1 can be read too."""
    converted_from: Literal[1] | None = None
    """The schema in which the report was written, if it was converted to this one; null if it was not."""
    tool: str
    """Version of edgefit."""
    created: str
    """When the run began, ISO 8601."""
    name: Text
    """The name of the run. Reports of one name make a history."""
    quick: bool
    """Whether the run used the profile's short sampling, and only the first images."""
    seconds: float | None = Field(default=None, gt=0)
    """How many seconds `--seconds` gave the latencies of all cases together; null if the profile's limit
    held, as in older reports."""
    host: Host
    """The machine that it ran on."""
    profile: Profile
    """The device's profile."""
    proxy: Proxy | None = None
    """How this machine differs from the device; null where it is the device itself."""
    bundle: BundleRecord | None
    """The bundle that was measured; null if model files were."""
    evaluation: Evaluation | None
    """The labels and reference answers; null if model files were measured, which have no labels."""
    models: ModelSetRecord | None = None
    """The model files that were measured; null if a bundle was."""
    runs: tuple[Run, ...]
    """A row for each case."""
    confinement: Confinement | None = None
    """What prevented the artifacts from writing the user's files; null in older reports."""
    variables: tuple[SetVariable, ...] = ()
    """The variables of the environment that change how libraries compute or allocate, and whether the
    measured processes had them; empty in older reports."""
    joint_run: str | None = None
    """Identifies the run in which several networks took turns: their reports have the same value, and their
    latencies are paired block by block. Null for a network that was measured alone."""
    warnings: tuple[str, ...]
    """Warnings about the whole run, each with a remedy."""

    @model_validator(mode="after")
    def _measures_one_kind(self) -> "Report":
        if (self.bundle is None) != (self.evaluation is None) or (self.bundle is None) != (
            self.models is not None
        ):
            raise ValueError("a report has 'bundle' and 'evaluation', or 'models'")
        return self

    @property
    def written_schema(self) -> int:
        """The schema in which it was written."""
        return self.converted_from or self.schema_

    @property
    def subject(self) -> Subject:
        """What was measured: the bundle, or the model files."""
        subject = self.models if self.bundle is None else self.bundle
        assert subject is not None
        return subject

    @property
    def reference_case(self) -> str | None:
        """The case of the model file that the others' outputs are compared with; None if none is compared."""
        compared = (run.outputs for run in self.runs)
        return next((outputs.reference for outputs in compared if outputs is not None), None)

    def model_of(self, run: Run) -> ModelFileRecord | None:
        """Return the model file of a row; None for a variant of a bundle, and for a control."""
        models = () if self.models is None else self.models.models
        return next((model for model in models if model.name == run.variant), None)

    @property
    def positive_name(self) -> str | None:
        """The name of the positive class, which sensitivity is about; None where there is none."""
        evaluation, bundle = self.evaluation, self.bundle
        if evaluation is None or bundle is None or evaluation.gap or evaluation.positive_class is None:
            return None
        if len(evaluation.reference_logits[0]) > 2:  # bundles of earlier versions name one of many classes
            return None
        return bundle.class_name(evaluation.positive_class)

    @property
    def has_groups(self) -> bool:
        """Whether the variants were measured in several groups."""
        measured = (run.completed for run in self.runs if run.is_variant)
        return any(completed is not None and completed.groups > 1 for completed in measured)
