"""Writes what was found of a model's input and output into `edgefit.yaml` beside it."""

from pathlib import Path

from pydantic import ValidationError

from bench.bundle.joined_preprocessing import THE_USUAL_ORDER
from bench.bundle.sidecar import (
    Sidecar,
    SidecarInput,
    SidecarOrigins,
    SidecarOutput,
    find_sidecar,
    read_sidecar,
    write_sidecar,
)
from bench.errors import InputError
from bench.inspect.inspection import InspectedTensor, ModelInspection

_THE_MODEL = "the model file"


def write_found(path: Path, inspection: ModelInspection) -> ModelInspection:
    """Write the sidecar of the model `path`, and return the inspection with its path.

    Raises InputError if a file is in the way that edgefit did not write, or that was changed since, and for a
    name that the sidecar cannot hold.
    """
    try:
        sidecar = _sidecar(inspection, _known_origins(path))
    except ValidationError as error:
        name = error.errors()[0]["input"]
        raise InputError(
            f"{path}: the name {name!r} has characters that edgefit.yaml cannot hold; rename it where it was"
            " found, or go on without --write"
        ) from None
    written = write_sidecar(path, sidecar)
    return inspection.model_copy(update={"written_to": str(written)})


def _known_origins(path: Path) -> dict[str, SidecarOrigins]:
    """Return what a sidecar that is there already says of its own sources, by its name."""
    sidecar = find_sidecar(path)
    return {} if sidecar is None else {sidecar.name: read_sidecar(sidecar).found}


def _sidecar(inspection: ModelInspection, known: dict[str, SidecarOrigins]) -> Sidecar:
    found, classes = inspection.preprocess, inspection.classes
    tensor = next((tensor for tensor in inspection.inputs if tensor.name == found.input), None)
    origins = ", ".join(_first_source(source.source, known, "preprocess") for source in found.sources)
    return Sidecar(
        input=_input(tensor, inspection),
        preprocess=found.values,
        output=SidecarOutput(
            name=inspection.outputs[0].name if len(inspection.outputs) == 1 else None,
            classes=None if classes is None else classes.names,
        ),
        found=SidecarOrigins(
            preprocess=", ".join(dict.fromkeys(origins.split(", "))) or None,
            input=None if tensor is None else _THE_MODEL,
            classes=None if classes is None else _first_source(classes.source, known, "classes"),
        ),
    )


def _input(tensor: InspectedTensor | None, inspection: ModelInspection) -> SidecarInput:
    if tensor is None:
        return SidecarInput()
    found = inspection.preprocess
    # A guess is not written down: it would be taken for what a person stated.
    is_guess = any((each.field, each.source) == ("channels", THE_USUAL_ORDER) for each in found.sources)
    return SidecarInput(
        name=tensor.name,
        layout=tensor.axes,
        dtype=tensor.dtype,
        channels=None if is_guess else found.channels,
    )


def _first_source(source: str, known: dict[str, SidecarOrigins], part: str) -> str:
    """Return where a value came from before it stood in a sidecar that edgefit wrote."""
    return getattr(known.get(source), part, None) or source
