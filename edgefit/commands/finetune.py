"""`edgefit finetune`: images in, a run folder out. It parses and prints; models/ does the work."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from edgefit import __version__
from edgefit.options import AsJson, Name, Overwrite, Quiet, name_for, now
from edgefit.terminal import Output


def finetune(
    data: Annotated[
        str,
        typer.Option(
            metavar="SOURCE", help="synthetic | pneumoniamnist | FILE.npz | FOLDER of one folder per class."
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="RUN", help="The run folder to make.")],
    arch: Annotated[str, typer.Option(help="The network's architecture.")] = "mobilenet_v2",
    weights: Annotated[
        str, typer.Option(metavar="imagenet|bundled|none|FILE", help="What training starts from.")
    ] = "imagenet",
    image_size: Annotated[int, typer.Option(metavar="PIXELS", help="Side of the network's input.")] = 224,
    images: Annotated[
        int | None,
        typer.Option(metavar="N", help="How many images 'synthetic' generates.", show_default="1000"),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(metavar="N", help="Most epochs to train.", show_default="by the weights")
    ] = None,
    unfreeze: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="How many of the last feature blocks to train beside the classifier.",
            show_default="by the weights",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    no_flip: Annotated[bool, typer.Option("--no-flip", help="Do not flip images left to right.")] = False,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out images that do not decode, and say which.")
    ] = False,
    name: Name = None,
    overwrite: Overwrite = False,
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Fine-tune a lightweight classifier on images of two classes.

    A test split is never trained on. The run folder holds images (calibration, held-out, test): they may be
    patients', so handle it as you handle your data.

    \b
    Examples:
      edgefit finetune --data synthetic --weights bundled --image-size 96 --out run
      edgefit finetune --data chest_xray --weights imagenet --out run
    """
    from bench.filesystem.whole_files import whole_folder
    from edgefit.extras import require_extra
    from edgefit.progress import progress
    from edgefit.views.runs import run_view
    from models.run_folder import written_files

    require_extra("build", "edgefit finetune")
    output = Output(as_json)
    with whole_folder(out, written_files, overwrite) as folder:
        from models.finetune import FinetuneOptions
        from models.finetune import finetune as run_finetune

        options = FinetuneOptions(
            data=data,
            arch=arch,
            weights=weights,
            image_size=image_size,
            epochs=epochs,
            unfreeze=unfreeze,
            seed=seed,
            flip=not no_flip,
            skip_bad=skip_bad,
        )
        if images is not None:
            options = replace(options, images=images)
        with progress() as watcher:
            record = run_finetune(options, folder, watcher, __version__, name_for(name, out), now())
    output.show(run_view(record, out))
    output.next_step(f"edgefit export {out} --out BUNDLE")
    output.document(record.model_dump_json(by_alias=True))
