"""`edgefit export`: a run folder in, a bundle out. It parses and prints; export/ does the work."""

from pathlib import Path
from typing import Annotated

import typer

from edgefit import __version__
from edgefit.options import AsJson, Name, Overwrite, Quiet, now, split_names
from edgefit.terminal import Output

_CASE_FAILED = 4


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The run folder that finetune wrote.")],
    out: Annotated[Path, typer.Option(metavar="BUNDLE", help="The bundle to make.")],
    formats: Annotated[
        str, typer.Option(metavar="a,b", help="Which formats: torchscript, onnx, openvino.")
    ] = "torchscript,onnx,openvino",
    precisions: Annotated[str, typer.Option(metavar="a,b", help="Which precisions.")] = "fp32,fp16,int8",
    min_retention: Annotated[
        float,
        typer.Option(help="Share of the fp32 accuracy that int8 is to keep; 0: do not search for how."),
    ] = 0.99,
    qat: Annotated[
        bool,
        typer.Option("--qat", help="Where no int8 recipe keeps it, train the weights on (takes minutes)."),
    ] = False,
    cpu: Annotated[
        str,
        typer.Option(
            metavar="portable|x86-vnni|x86|arm",
            help="The CPUs that int8 is made for; portable: one file that is right on all of them.",
        ),
    ] = "portable",
    eval_images: Annotated[
        int, typer.Option(metavar="N", help="Test images in the evaluation pack, at most.")
    ] = 512,
    name: Name = None,
    overwrite: Overwrite = False,
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Turn a run into TorchScript, ONNX and OpenVINO, each in fp32, fp16 and int8, every file verified.

    The bundle holds test images (the evaluation pack), which may be patients': --eval-images limits them.

    \b
    Examples:
      edgefit export run --out bundle
      edgefit export run --out bundle --formats onnx,openvino --precisions fp32,int8
    """
    from bench.bundle.manifest import written_files
    from bench.filesystem.whole_files import whole_folder
    from edgefit.extras import require_extra
    from edgefit.progress import progress
    from edgefit.views.bundles import bundle_view

    require_extra("build", "edgefit export")
    output = Output(as_json)
    with whole_folder(out, written_files, overwrite) as folder:
        from export.export import ExportOptions
        from export.export import export as run_export

        options = ExportOptions(
            run=run,
            formats=split_names(formats),
            precisions=split_names(precisions),
            min_retention=min_retention,
            qat=qat,
            cpu=cpu,
            eval_images=eval_images,
        )
        with progress() as watcher:
            manifest = run_export(options, folder, watcher, __version__, name, now())
    output.show(bundle_view(manifest, out))
    output.document(manifest.model_dump_json(by_alias=True))
    if manifest.failed:
        raise typer.Exit(_CASE_FAILED)
    output.next_step(f"edgefit bench {out} --profile laptop-cpu --out report.json")
