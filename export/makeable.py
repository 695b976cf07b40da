"""Which variants can be made of a source. It opens nothing."""

from collections.abc import Mapping, Sequence

from bench.bundle.cpu_class import PORTABLE
from bench.bundle.manifest import NotMade
from bench.bundle.source_record import SourceKind
from bench.bundle.variants import Precision, Variant
from bench.errors import InputError
from bench.runtimes.formats import FORMATS, FormatRow
from bench.runtimes.installed import is_installed
from export.options import MIN_RETENTION, ExportOptions
from export.planning import PlannedVariants
from export.prepared import Prepared
from export.sources.file_formats import FILE_SOURCES, FileSource

_STATES = {Precision.INT8: "quantised", Precision.FP16: "in half precision"}


def split_by_source(
    planned: PlannedVariants, prepared: Prepared, table: Mapping[str, FormatRow]
) -> tuple[list[Variant], list[NotMade]]:
    """Return the variants that can be made of the source here, and those that cannot, with the reason.

    The source's own file is taken as it is: that needs no exporter, only the runtime that verifies it.
    """
    reasons = {
        variant: reason_against(variant, prepared) or _reason_here(variant, planned, prepared, table)
        for variant in planned.variants
    }
    not_made = [
        NotMade(variant=str(variant), reason=reason)
        for variant, reason in reasons.items()
        if reason is not None
    ]
    made = [variant for variant, reason in reasons.items() if reason is None]
    return made, not_made


def _reason_here(
    variant: Variant, planned: PlannedVariants, prepared: Prepared, table: Mapping[str, FormatRow]
) -> str | None:
    if variant == prepared.own and is_installed(table[variant.format]):
        return None
    return planned.impossible.get(variant)


def reason_against(variant: Variant, prepared: Prepared) -> str | None:
    """Return why a variant cannot be made of a source; None if it can."""
    file, own = FILE_SOURCES.get(prepared.source.spec.kind), prepared.own
    precision = prepared.precision
    if variant == own:
        return None
    if file is not None and own is not None and variant.format not in file.formats:
        return _other_format(variant, own, file)
    if file is None and precision in _STATES:
        return f"a program that is {_STATES[precision]} already becomes no file; export it in fp32"
    if _is_quantisable(prepared.source.spec.kind, precision) and variant.precision is Precision.INT8:
        return None
    if precision in _STATES and variant.precision is not precision:
        return (
            f"the source is {_STATES[precision]} already, and is taken as it is; export {variant} from "
            "the file in fp32"
        )
    return None


def _is_quantisable(kind: SourceKind, precision: Precision) -> bool:
    """Whether int8 can be made of a file in a precision other than fp32.

    OpenVINO's writer stores weights in half unless it is asked not to, and the runtime computes in float.
    """
    return kind is SourceKind.OPENVINO and precision is Precision.FP16


def _other_format(variant: Variant, own: Variant, file: FileSource) -> str:
    if variant.format == own.format:
        return (
            f"{file.what} is taken as it is and does not become another precision of its format; export the "
            "network itself"
        )
    return f"{file.what} cannot become {FORMATS[variant.format].title}; export the network itself"


def is_calibrated(variant: Variant, prepared: Prepared, table: Mapping[str, FormatRow]) -> bool:
    """Tell whether edgefit quantises a variant itself, for which it needs calibration samples."""
    return variant.precision in table[variant.format].calibrated and not prepared.is_quantised(variant)


def refuse_idle(
    options: ExportOptions,
    variants: Sequence[Variant],
    not_made: Sequence[NotMade],
    prepared: Prepared,
    table: Mapping[str, FormatRow],
) -> None:
    """Raise InputError if nothing can be made of the source, and for options that would change nothing:
    whoever gives them expects an effect."""
    name = prepared.name
    if not variants:
        raise InputError(f"{name}: nothing that was asked for can be made of it: {_reasons(not_made)}")
    idle = "edgefit quantises nothing of this source, because it gives no int8 or has it already"
    if not any(is_calibrated(variant, prepared, table) for variant in variants):
        for option, is_given in (("--qat", options.qat), ("--cpu", options.cpu != PORTABLE)):
            if is_given:
                raise InputError(f"{name}: {option} has an effect on int8 only, and {idle}; leave it out")
    if prepared.data.evaluation.labels is None and options.min_retention not in (0, MIN_RETENTION):
        raise InputError(
            f"{name}: --min-retention {options.min_retention:g} is a share of the accuracy, and there is "
            "none, because the data has no labels or the output no classes; leave it out: int8 is judged "
            "by its agreement with the source"
        )


def _reasons(not_made: Sequence[NotMade]) -> str:
    """Return each reason once, with the variants that it is about."""
    reasons = dict.fromkeys(missing.reason for missing in not_made)
    groups = ((reason, [each.variant for each in not_made if each.reason == reason]) for reason in reasons)
    return "; ".join(f"{', '.join(variants)}: {reason}" for reason, variants in groups)
