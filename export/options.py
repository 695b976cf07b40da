"""What the user may choose about an export, and whether it can be done. It knows no files."""

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.bundle.cpu_class import PORTABLE, TARGETS
from bench.bundle.variants import Precision, Variant, choose
from bench.errors import InputError, MissingRuntimeError
from bench.system.snapshot import usable_cpus
from export.formats import FORMATS, FormatRow

_FEWEST_EVALUATION_IMAGES = 2


def available_threads() -> int:
    """Return how many CPUs this process may use."""
    return len(usable_cpus())


@dataclass(frozen=True)
class ExportOptions:
    """`run`: a run folder; `formats`, `precisions`: names, their product is made.

    `min_retention`: share of the fp32 accuracy that int8 is to keep, 0 for no search of a recipe that does;
    `qat`: refine the weights where no recipe keeps it. `cpu`: what int8 is made for, see
    cpu_class.TARGETS. `eval_images`, `calibration_images`: at most so many, from the test and the training
    split. `threads` None: all CPUs. `timeout_s`: for one artifact, after which its exporter counts as hung.
    """

    run: Path
    formats: tuple[str, ...] = tuple(FORMATS)
    precisions: tuple[str, ...] = tuple(one.value for one in Precision)
    min_retention: float = 0.99
    qat: bool = False
    cpu: str = PORTABLE
    eval_images: int = 512
    calibration_images: int = 256
    threads: int | None = None
    timeout_s: float = 3600.0

    @property
    def run_folder(self) -> str:
        """The run folder's absolute path, for workers, which run elsewhere."""
        return str(self.run.resolve())

    @property
    def threads_used(self) -> int:
        """How many threads workers use."""
        return self.threads or available_threads()


def plan(options: ExportOptions, table: Mapping[str, FormatRow]) -> list[Variant]:
    """Return the variants asked for, format by format; raises before any work is done."""
    _check_numbers(options)
    formats = _choose_all(options.formats, list(table), "format", "--formats")
    precisions = _choose_all(
        options.precisions, [one.value for one in Precision], "precision", "--precisions"
    )
    for name in formats:
        _check_installed(name, table[name])
    variants = [Variant(name, Precision(one)) for name in formats for one in precisions]
    for variant in variants:
        if variant.precision not in table[variant.format].precisions:
            raise InputError(
                f"{variant}: {variant.format} has no {variant.precision.value}; leave one of them out"
            )
    _check_options_have_a_use(options, variants, table)
    return variants


def _check_options_have_a_use(
    options: ExportOptions, variants: Sequence[Variant], table: Mapping[str, FormatRow]
) -> None:
    """Refuse what would change nothing, for whoever gives it expects something of it."""
    choose(options.cpu, TARGETS, "CPU")
    is_int8_made = any(each.precision in table[each.format].calibrated for each in variants)
    if options.cpu != PORTABLE and not is_int8_made:
        raise InputError(
            f"--cpu {options.cpu}: is for int8, and none is to be made; add int8 to --precisions"
        )
    if options.qat:
        if options.min_retention == 0:
            raise InputError("--qat: there is nothing to reach with --min-retention 0; leave one of them out")
        if not is_int8_made:
            raise InputError("--qat: is for int8, and none is to be made; add int8 to --precisions")


def _choose_all(wanted: Sequence[str], known: list[str], what: str, option: str) -> list[str]:
    """Return the names wanted, once each, in the order known."""
    if not wanted:
        raise InputError(f"{option} names nothing; choose from: {', '.join(known)}")
    chosen = {choose(name, known, what) for name in wanted}
    return [name for name in known if name in chosen]


def _check_numbers(options: ExportOptions) -> None:
    if not 0 <= options.min_retention <= 1:
        raise InputError(f"--min-retention {options.min_retention:g}: out of range, give a share from 0 to 1")
    _check_at_least("--eval-images", options.eval_images, _FEWEST_EVALUATION_IMAGES)
    _check_at_least("--calibration-images", options.calibration_images, 1)
    if options.threads is not None:
        _check_at_least("--threads", options.threads, 1)


def _check_at_least(option: str, value: int, least: int) -> None:
    if value < least:
        raise InputError(f"{option} {value}: too few, give at least {least}")


def _check_installed(name: str, row: FormatRow) -> None:
    missing = [package for package in row.needs if importlib.util.find_spec(package) is None]
    if missing:
        raise MissingRuntimeError(
            f"{name} cannot be exported here: {', '.join(missing)} is not installed; "
            f"install it with: pip install 'edgefit[{row.extra}]'"
        )
