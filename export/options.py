"""What the user may choose about an export. It reads no files."""

from dataclasses import dataclass, field
from pathlib import Path

from bench.bundle.cpu_class import PORTABLE
from bench.bundle.signature import Shapes
from bench.bundle.variants import Precision, Variant
from bench.errors import InputError
from bench.system.cpus import cpus_here

_FEWEST_EVALUATION_IMAGES = 2
MIN_RETENTION = 0.99
"""The retention that int8 must reach if nobody states another."""
ALL_PRECISIONS = tuple(precision.value for precision in Precision)


def available_threads() -> int:
    """Return how many threads can run at once here: one for each CPU, within the container's limit."""
    return cpus_here().at_once


@dataclass(frozen=True)
class ExportOptions:
    """The options of `edgefit export`."""

    source: str
    """What is exported: a run folder, a network in Python or a model file. See docs/your-own-model.md."""
    formats: tuple[str, ...] | None = None
    """Names of formats; None: every format whose exporter is installed."""
    precisions: tuple[str, ...] = ALL_PRECISIONS
    """Names of precisions."""
    only: tuple[Variant, ...] | None = None
    """The variants to make of these formats and precisions; None for all."""
    min_retention: float = MIN_RETENTION
    """The share of the source's accuracy that int8 must keep; 0: use the default recipe without a search."""
    qat: bool = False
    """Whether quantisation-aware training is tried if no other recipe meets the goal."""
    cpu: str = PORTABLE
    """The CPUs that int8 is made for, a key of cpu_class.TARGETS."""
    eval_images: int = 512
    """The most test images in the evaluation pack."""
    calibration_images: int = 256
    """The most training images that int8 is calibrated on."""
    threads: int | None = None
    """How many threads the workers use; None: one for each CPU."""
    timeout_s: float = 3600.0
    """The time limit for one artifact; an exporter that exceeds it is ended."""
    data: str | None = None
    """What the artifacts are calibrated and verified on; None for a run folder, which has its own."""
    strict_data: bool = False
    """Whether a warning on the data, such as files that were left out, is an error."""
    preprocess: str | None = None
    """How an image becomes an input: a name of usual numbers, or a file. None: what is found."""
    trust_preprocess: bool = False
    """Whether an export goes on though another preprocessing is significantly better."""
    weights: Path | None = None
    """A file with the weights of a network in Python."""
    shapes: Shapes = field(default_factory=dict)
    """What was stated of the source's inputs, by their names."""
    judged_output: str | None = None
    """The name of the output that is judged; None: the first with a score per class, else the first."""
    classes: str | None = None
    """The names of the classes in the order of the output: `a,b,…`, or a file with a name a line. None: those
    of the data, in the order of the alphabet."""
    positive: str | None = None
    """The class of two that counts as positive; None: what the run or the names of the classes say, or else
    the second one."""
    activation: str | None = None
    """What the judged output holds: logits, softmax or sigmoid; None: what its values are like."""

    @property
    def threads_used(self) -> int:
        """How many threads workers use."""
        return self.threads or available_threads()


def check_numbers(options: ExportOptions) -> None:
    """Raise InputError for a number that is out of range."""
    if not 0 <= options.min_retention <= 1:
        raise InputError(
            f"--min-retention {options.min_retention:g} is out of range; give a number from 0 to 1"
        )
    _check_at_least("--eval-images", options.eval_images, _FEWEST_EVALUATION_IMAGES)
    _check_at_least("--calibration-images", options.calibration_images, 1)
    if options.threads is not None:
        _check_at_least("--threads", options.threads, 1)


def _check_at_least(option: str, value: int, least: int) -> None:
    if value < least:
        raise InputError(f"{option} {value} is too small; give at least {least}")
