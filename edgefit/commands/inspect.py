"""`edgefit inspect`: what is known of a model file. It parses and prints; bench/inspect gathers."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from edgefit.options import AsJson, Quiet, Shape, parse_shapes
from edgefit.terminal import Output


def inspect(
    model: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL",
            help="A model file: .onnx, OpenVINO .xml, TorchScript .pt, ExecuTorch .pte.",
        ),
    ],
    shape: Shape = None,
    write: Annotated[
        bool,
        typer.Option(
            "--write", help="Write the inputs, preprocessing and classes that were found to edgefit.yaml."
        ),
    ] = False,
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Show inputs, outputs, operators, MACs, parameters, precision and preprocessing of a model file.

    Nothing is measured. Preprocessing is read from edgefit.yaml and the files of other tools beside the
    model, then from the model file itself; each value comes with its source.

    \b
    Examples:
      edgefit inspect model.onnx
      edgefit inspect model.onnx --shape images:1x3x224x224 --write
    """
    from bench.inspect.found_sidecar import write_found
    from bench.inspect.inspecting import inspect_model
    from edgefit.views.inspection import inspection_view

    output = Output(as_json)
    inspection = inspect_model(model, {} if shape is None else parse_shapes(shape))
    if write:
        inspection = write_found(model, inspection)
    output.show(inspection_view(inspection))
    output.document(inspection.model_dump_json())
    if inspection.macs is not None:  # or else it says what is missing
        shapes = "".join(f" --shape {shlex.quote(text)}" for text in shape or ())
        output.next_step(f"edgefit bench {shlex.quote(str(model))}{shapes}")
