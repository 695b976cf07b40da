"""What the user may choose about an export, and whether it is possible. It reads no files."""

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.bundle.cpu_class import PORTABLE, TARGETS
from bench.bundle.signature import Shapes
from bench.bundle.variants import Precision, Variant, choose
from bench.errors import InputError, MissingRuntimeError
from bench.install_command import install_command
from bench.runtimes.formats import FORMATS, FormatRow
from bench.system.cpus import cpus_here

_FEWEST_EVALUATION_IMAGES = 2
# The extra that installs what exporters import.
EXTRA = "build"
MIN_RETENTION = 0.99
"""The retention that int8 must reach if nobody states another."""
ALL_PRECISIONS = tuple(precision.value for precision in Precision)


def exportable_formats() -> tuple[str, ...]:
    """Return the names of the formats that have an exporter."""
    return tuple(name for name, row in FORMATS.items() if row.exporter is not None)


def available_threads() -> int:
    """Return how many threads can run at once here: one for each CPU, within the container's limit."""
    return cpus_here().at_once


@dataclass(frozen=True)
class ExportOptions:
    """The options of `edgefit export`."""

    source: str
    """What is exported: a run folder, a network in Python or a model file. See docs/your-own-model.md."""
    formats: tuple[str, ...] = field(default_factory=exportable_formats)
    """Names of formats; every format is made in every precision."""
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


def plan(options: ExportOptions, table: Mapping[str, FormatRow]) -> list[Variant]:
    """Return the requested variants, format by format; raises before any work is done."""
    _check_numbers(options)
    formats = _choose_all(options.formats, list(table), "format", "--formats")
    precisions = _choose_all(
        options.precisions, [precision.value for precision in Precision], "precision", "--precisions"
    )
    for name in formats:
        _check_installed(name, table[name])
    named = [Variant(name, Precision(precision)) for name in formats for precision in precisions]
    variants = [variant for variant in named if options.only is None or variant in options.only]
    for variant in variants:
        if variant.precision not in table[variant.format].precisions:
            raise InputError(
                f"{variant.format} cannot be exported in {variant.precision.value}; "
                f"{_without(variant, options)}"
            )
    _check_int8_options(options, variants, table)
    return variants


def _without(variant: Variant, options: ExportOptions) -> str:
    """Return how to leave a variant out."""
    if options.only is not None:
        return f"leave {variant} out of --only"
    return f"leave {variant.format} out of --formats, or {variant.precision.value} out of --precisions"


def _check_int8_options(
    options: ExportOptions, variants: Sequence[Variant], table: Mapping[str, FormatRow]
) -> None:
    """Refuse options that would change nothing: whoever gives them expects an effect."""
    choose(options.cpu, TARGETS, "CPU")
    is_int8_made = any(variant.precision in table[variant.format].calibrated for variant in variants)
    if options.cpu != PORTABLE and not is_int8_made:
        raise InputError(
            f"--cpu {options.cpu} has an effect on int8 only, and int8 is not exported; "
            "add int8 to --precisions, or leave --cpu out"
        )
    if options.qat:
        if options.min_retention == 0:
            raise InputError(
                "--qat trains until int8 meets --min-retention, which is 0; leave one of them out"
            )
        if not is_int8_made:
            raise InputError(
                "--qat has an effect on int8 only, and int8 is not exported; "
                "add int8 to --precisions, or leave --qat out"
            )


def _choose_all(names: Sequence[str], known: list[str], noun: str, option: str) -> list[str]:
    """Return the names, once each, in the order of `known`."""
    if not names:
        raise InputError(f"{option} is empty; choose from: {', '.join(known)}")
    chosen = {choose(name, known, noun) for name in names}
    return [name for name in known if name in chosen]


def _check_numbers(options: ExportOptions) -> None:
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


def exporter_of(name: str, row: FormatRow) -> str:
    """Return the module that exports a format; raises InputError if there is none."""
    if row.exporter is None:
        raise InputError(f"{name} can be measured but not exported; leave it out of --formats")
    return row.exporter


def _check_installed(name: str, row: FormatRow) -> None:
    exporter_of(name, row)
    missing = [package for package in row.exporter_needs if importlib.util.find_spec(package) is None]
    if missing:
        raise MissingRuntimeError(
            f"{name} cannot be exported here, because {', '.join(missing)} is not installed; "
            f"install it with: {install_command(EXTRA)}"
        )
