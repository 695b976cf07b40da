"""`edgefit export`: makes a bundle of a source. It parses and prints; export/ does the work."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from edgefit.options import AsJson, Name, Overwrite, Quiet, StrictData, parse_shapes, split_names
from edgefit.terminal import Output

_CASE_FAILED = 4


def export(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A run folder, a model file (.onnx, .xml, .pt, .pt2, .tflite), torchvision/NAME, "
            "timm/NAME or package.module:function.",
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="BUNDLE", help="The bundle folder to write.")],
    data: Annotated[
        str | None,
        typer.Option(
            metavar="DIR|FILE.csv|FILE.npz|FILE.py:load_data",
            help="The images for int8 calibration and verification: a folder per class, a CSV "
            "file of paths and "
            "labels, arrays as MedMNIST has them, a generator function, or a folder of images "
            "without labels. "
            "A run folder contains its own images.",
        ),
    ] = None,
    strict_data: StrictData = False,
    preprocess: Annotated[
        str | None,
        typer.Option(
            metavar="imagenet|unit|raw|symmetric|FILE",
            help="Normalisation of the images, if neither the source nor a file beside it states one.",
        ),
    ] = None,
    trust_preprocess: Annotated[
        bool,
        typer.Option(
            "--trust-preprocess",
            help="Keep the stated preprocessing even if another one gives significantly better accuracy.",
        ),
    ] = False,
    weights: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The weights file (.pth or .safetensors) for a network that is given in Python.",
        ),
    ] = None,
    shape: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME:]1x3x224x224[:TYPE]",
            help="The shape of an input whose size the source leaves open. Repeat the option for "
            "several inputs.",
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The model output from which accuracy and agreement are computed.",
            show_default="the first with a score per class",
        ),
    ] = None,
    activation: Annotated[
        str | None,
        typer.Option(
            metavar="logits|softmax|sigmoid",
            help="The activation that the evaluated output has already gone through.",
            show_default="by its values",
        ),
    ] = None,
    classes: Annotated[
        str | None,
        typer.Option(
            metavar="a,b|FILE",
            help="The class names in the order of the model's output, or a file with one "
            "class name per line.",
            show_default="the data's, in alphabetical order",
        ),
    ] = None,
    positive: Annotated[
        str | None,
        typer.Option(
            metavar="CLASS",
            help="Of a binary classifier, the class that counts as positive.",
            show_default="the run's, or by the names of the classes, else the second",
        ),
    ] = None,
    formats: Annotated[
        str | None,
        typer.Option(
            metavar="a,b",
            help="The formats to export, such as onnx,openvino.",
            show_default="all whose exporters are installed",
        ),
    ] = None,
    precisions: Annotated[
        str | None,
        typer.Option(metavar="a,b", help="The precisions to export, such as fp32,int8.", show_default="all"),
    ] = None,
    min_retention: Annotated[
        float,
        typer.Option(
            help="Minimum share of the source's accuracy that int8 must keep; 0: no search for "
            "an int8 recipe."
        ),
    ] = 0.99,
    qat: Annotated[
        bool,
        typer.Option(
            "--qat",
            help="Try quantisation-aware training (takes minutes) if no other int8 recipe reaches "
            "--min-retention.",
        ),
    ] = False,
    cpu: Annotated[
        str,
        typer.Option(
            metavar="portable|x86-vnni|x86|arm",
            help="The CPU class that int8 files are made for; portable: one file for all CPUs.",
        ),
    ] = "portable",
    eval_images: Annotated[
        int, typer.Option(metavar="N", help="The maximum number of images in the evaluation pack.")
    ] = 512,
    name: Name = None,
    overwrite: Overwrite = False,
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Export a network or model file to every possible format and precision, and verify each file.

    int8 is calibrated on the images of --data. The bundle contains some of these images, which may show
    patients; --eval-images limits their number. edgefit searches for the preprocessing, and checks it on
    labelled images. A source package.module:function or .pt2 is a program, whose code edgefit runs.

    \b
    Examples:
      edgefit export run --out bundle
      edgefit export model.onnx --data photos --preprocess imagenet --out bundle
      edgefit export torchvision/resnet18 --weights best.pth --data photos --out bundle
      edgefit export mypackage.net:build --shape 1x3x224x224 --data photos --out bundle
    """
    from edgefit.extras import require_extra
    from edgefit.progress import progress
    from edgefit.views.bundles import bundle_view

    require_extra("build", "edgefit export")
    from edgefit.jobs import export_run
    from export.options import ALL_PRECISIONS, ExportOptions

    terminal = Output(as_json)
    options = ExportOptions(
        source=source,
        formats=None if formats is None else split_names(formats),
        precisions=ALL_PRECISIONS if precisions is None else split_names(precisions),
        min_retention=min_retention,
        qat=qat,
        cpu=cpu,
        eval_images=eval_images,
        data=data,
        strict_data=strict_data,
        preprocess=preprocess,
        trust_preprocess=trust_preprocess,
        weights=weights,
        shapes={} if shape is None else parse_shapes(shape),
        judged_output=output,
        activation=activation,
        classes=classes,
        positive=positive,
    )
    with progress() as watcher:
        manifest = export_run(options, out, name, overwrite, watcher)
    terminal.show(bundle_view(manifest, out))
    terminal.document(manifest.model_dump_json(by_alias=True))
    if manifest.failed:
        raise typer.Exit(_CASE_FAILED)
    terminal.next_step(f"edgefit bench {shlex.quote(str(out))} --profile laptop-cpu --out report.json")
