"""`edgefit export`: turns a run folder into a bundle. It parses and prints; export/ does the work."""

from pathlib import Path
from typing import Annotated

import typer

from edgefit.options import AsJson, Name, Overwrite, Quiet, split_names
from edgefit.terminal import Output

_CASE_FAILED = 4


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The run folder that finetune wrote.")],
    out: Annotated[Path, typer.Option(metavar="BUNDLE", help="The bundle folder to write.")],
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
        typer.Option(help="Share of the fp32 accuracy that int8 must keep; 0: do not search for a recipe."),
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
        int, typer.Option(metavar="N", help="The maximum number of test images in the evaluation pack.")
    ] = 512,
    name: Name = None,
    overwrite: Overwrite = False,
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Export a run to every format and precision, and verify each file.

    The bundle contains test images (the evaluation pack), which may show patients. --eval-images limits
    their number.

    \b
    Examples:
      edgefit export run --out bundle
      edgefit export run --out bundle --formats onnx,openvino --precisions fp32,int8
    """
    from edgefit.extras import require_extra
    from edgefit.progress import progress
    from edgefit.views.bundles import bundle_view

    require_extra("build", "edgefit export")
    from edgefit.jobs import export_run
    from export.options import ALL_PRECISIONS, ExportOptions, exportable_formats

    output = Output(as_json)
    options = ExportOptions(
        source=str(run),
        formats=exportable_formats() if formats is None else split_names(formats),
        precisions=ALL_PRECISIONS if precisions is None else split_names(precisions),
        min_retention=min_retention,
        qat=qat,
        cpu=cpu,
        eval_images=eval_images,
    )
    with progress() as watcher:
        manifest = export_run(options, out, name, overwrite, watcher)
    output.show(bundle_view(manifest, out))
    output.document(manifest.model_dump_json(by_alias=True))
    if manifest.failed:
        raise typer.Exit(_CASE_FAILED)
    output.next_step(f"edgefit bench {out} --profile laptop-cpu --out report.json")
