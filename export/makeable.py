"""Which variants can be made of a source. It opens nothing."""

from collections.abc import Sequence

from bench.bundle.manifest import NotMade
from bench.bundle.source_record import SourceKind
from bench.bundle.variants import Precision, Variant
from export.prepared import Prepared
from export.sources.file_formats import FILE_SOURCES, FORMAT_NAMES, FileSource

_STATES = {Precision.INT8: "quantised", Precision.FP16: "in half precision"}


def split_by_source(variants: Sequence[Variant], prepared: Prepared) -> tuple[list[Variant], list[NotMade]]:
    """Return the variants that can be made of the source, and those that cannot, with the reason."""
    reasons = {variant: reason_against(variant, prepared) for variant in variants}
    not_made = [
        NotMade(variant=str(variant), reason=reason)
        for variant, reason in reasons.items()
        if reason is not None
    ]
    return [variant for variant, reason in reasons.items() if reason is None], not_made


def reason_against(variant: Variant, prepared: Prepared) -> str | None:
    """Return why a variant cannot be made of a source; None if it can."""
    file, own = FILE_SOURCES.get(prepared.source.spec.kind), prepared.own
    if file is None or own is None or variant == own:
        return None
    if variant.format not in file.formats:
        return _other_format(variant, own, file)
    if _is_quantisable(prepared.source.spec.kind, own.precision) and variant.precision is Precision.INT8:
        return None
    if own.precision in _STATES and variant.precision is not own.precision:
        return (
            f"the source is {_STATES[own.precision]} already, and is taken as it is; export {variant} from "
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
    name = FORMAT_NAMES.get(variant.format, variant.format)
    return f"{file.what} cannot become {name}; export the network itself"
