"""Which variants can be made of a source. It opens nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.bundle.manifest import NotMade
from bench.bundle.source_record import SourceKind
from bench.bundle.variants import Precision, Variant
from export.prepared import Prepared


@dataclass(frozen=True)
class _FileSource:
    """What can be made of a model file besides the file itself."""

    what: str
    """The file, as errors call it."""
    formats: tuple[str, ...]
    """The formats that it can become."""


# The names of formats in sentences.
_FORMATS = {"torchscript": "TorchScript", "onnx": "ONNX", "openvino": "OpenVINO"}
_FILES: Mapping[SourceKind, _FileSource] = {
    SourceKind.ONNX: _FileSource("an ONNX file", ("onnx", "openvino")),
    SourceKind.OPENVINO: _FileSource("an OpenVINO file", ("openvino",)),
    SourceKind.TORCHSCRIPT: _FileSource("a TorchScript file", ("openvino",)),
}
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
    file, own = _FILES.get(prepared.source.spec.kind), prepared.own
    if file is None or own is None or variant == own:
        return None
    if variant.format not in file.formats:
        return _other_format(variant, own, file)
    if own.precision in _STATES and variant.precision is not own.precision:
        return (
            f"the source is {_STATES[own.precision]} already, and is taken as it is; export {variant} from "
            "the file in fp32"
        )
    return None


def _other_format(variant: Variant, own: Variant, file: _FileSource) -> str:
    if variant.format == own.format:
        return (
            f"{file.what} is taken as it is and does not become another precision of its format; export the "
            "network itself"
        )
    name = _FORMATS.get(variant.format, variant.format)
    return f"{file.what} cannot become {name}; export the network itself"
