"""`edgefit export`: makes a bundle of a source. It parses and prints; export/ does the work."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from edgefit.options import AsJson, Name, Overwrite, Quiet, parse_shapes, split_names
from edgefit.terminal import Output

_CASE_FAILED = 4


def export(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A run folder, a model file (.onnx, .xml, .pt, .pt2), torchvision/NAME, timm/NAME or "
            "package.module:function.",
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="BUNDLE", help="The bundle folder to write.")],
    data: Annotated[
        str | None,
        typer.Option(
            metavar="DIR|FILE.csv|FILE.npz|FILE.py:load_data",
            help="The data on which int8 is calibrated and every file is verified: a folder per class, a CSV "
            "file of paths and labels, MedMNIST's arrays, a function, or images without labels. A run folder "
            "has its own.",
        ),
    ] = None,
    preprocess: Annotated[
        str | None,
        typer.Option(
            metavar="imagenet|unit|raw|symmetric|FILE",
            help="How the values of images are scaled, where no file beside the source or in it states that.",
        ),
    ] = None,
    trust_preprocess: Annotated[
        bool,
        typer.Option(
            "--trust-preprocess", help="Go on though the source answers better with other preprocessing."
        ),
    ] = False,
    weights: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The weights of a network in Python (.pth or .safetensors)."),
    ] = None,
    shape: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME:]1x3x224x224[:TYPE]",
            help="The shape of the source's input where it leaves it open. Repeat it for several inputs.",
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The output that is judged.",
            show_default="the first with a score per class",
        ),
    ] = None,
    activation: Annotated[
        str | None,
        typer.Option(
            metavar="logits|softmax|sigmoid",
            help="What the judged output holds.",
            show_default="by its values",
        ),
    ] = None,
    classes: Annotated[
        str | None,
        typer.Option(
            metavar="a,b|FILE",
            help="The classes in the order of the output, or a file with a class a line.",
            show_default="the data's, in alphabetical order",
        ),
    ] = None,
    positive: Annotated[
        str | None,
        typer.Option(
            metavar="CLASS", help="The class of two that counts as positive.", show_default="the second"
        ),
    ] = None,
    formats: Annotated[
        str | None,
        typer.Option(metavar="a,b", help="The formats to export, such as onnx,openvino.", show_default="all"),
    ] = None,
    precisions: Annotated[
        str | None,
        typer.Option(metavar="a,b", help="The precisions to export, such as fp32,int8.", show_default="all"),
    ] = None,
    min_retention: Annotated[
        float,
        typer.Option(
            help="Share of the source's accuracy that int8 must keep; 0: do not search for a recipe."
        ),
    ] = 0.99,
    qat: Annotated[
        bool,
        typer.Option(
            "--qat",
            help="Try quantisation-aware training if no other recipe reaches the goal (takes minutes).",
        ),
    ] = False,
    cpu: Annotated[
        str,
        typer.Option(
            metavar="portable|x86-vnni|x86|arm",
            help="The CPUs that int8 is made for; portable: one file for all of them.",
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
    """Export a source to every format and precision that it gives, and verify each file.

    int8 is calibrated on --data. The bundle contains some of its images (the evaluation pack), which may show
    patients; --eval-images limits their number. How images are prepared is found, and checked on labelled
    ones. package.module:function and .pt2 run the code of whoever wrote them.

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
    from export.options import ALL_PRECISIONS, ExportOptions, exportable_formats

    terminal = Output(as_json)
    options = ExportOptions(
        source=source,
        formats=exportable_formats() if formats is None else split_names(formats),
        precisions=ALL_PRECISIONS if precisions is None else split_names(precisions),
        min_retention=min_retention,
        qat=qat,
        cpu=cpu,
        eval_images=eval_images,
        data=data,
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
