"""`edgefit finetune`: turns images into a run folder. It parses and prints; models/ does the work."""

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from edgefit.options import AsJson, Name, Overwrite, Quiet, StrictData
from edgefit.terminal import Output
from models.architectures import known_architectures


def finetune(
    data: Annotated[
        str,
        typer.Option(
            metavar="SOURCE",
            help="The training images: synthetic, a set of MedMNIST such as pneumoniamnist or "
            "pathmnist, an .npz file, a folder with a folder per class, or a CSV file of paths and "
            "labels.",
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="RUN", help="The run folder to write.")],
    arch: Annotated[
        str,
        typer.Option(metavar="NAME", help=f"The network to fine-tune: {known_architectures()}."),
    ] = "mobilenet_v2",
    weights: Annotated[
        str,
        typer.Option(metavar="imagenet|bundled|none|FILE", help="The weights from which training starts."),
    ] = "imagenet",
    image_size: Annotated[
        int, typer.Option(metavar="PIXELS", help="The width and height of the network's input.")
    ] = 224,
    images: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="The number of images to generate for --data synthetic.", show_default="1000"
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="The maximum number of epochs.", show_default="depends on the weights"
        ),
    ] = None,
    unfreeze: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="The number of last feature blocks to train, in addition to the classifier.",
            show_default="depends on the network and the weights",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="The seed of all random number generators.")] = 0,
    no_flip: Annotated[
        bool, typer.Option("--no-flip", help="Do not flip training images left to right as augmentation.")
    ] = False,
    skip_bad: Annotated[
        bool,
        typer.Option(
            "--skip-bad", help="Skip images that cannot be decoded, and list them, instead of stopping."
        ),
    ] = False,
    strict_data: StrictData = False,
    positive: Annotated[
        str | None,
        typer.Option(
            metavar="CLASS",
            help="Of two classes, the one that counts as positive: sensitivity is the share of its images "
            "that are found.",
            show_default="by the names of the classes, else label 1",
        ),
    ] = None,
    name: Name = None,
    overwrite: Overwrite = False,
    _quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Fine-tune a classifier on images of two or more classes.

    The test split is never used for training. The run folder contains images (calibration, held-out, test)
    that may show patients: protect it as you protect your data.

    \b
    Examples:
      edgefit finetune --data synthetic --weights bundled --image-size 96 --out run
      edgefit finetune --data chest_xray --weights imagenet --out run
      edgefit finetune --data chest_xray --arch resnet18 --out run
    """
    from edgefit.extras import require_extra
    from edgefit.progress import progress
    from edgefit.views.runs import run_view

    require_extra("build", "edgefit finetune")
    from edgefit.jobs import finetune_network
    from models.options import FinetuneOptions

    output = Output(as_json)
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
        strict_data=strict_data,
        positive=positive,
    )
    if images is not None:
        options = replace(options, images=images)
    with progress() as watcher:
        record = finetune_network(options, out, name, overwrite, watcher)
    output.show(run_view(record, out))
    output.next_step(f"edgefit export {shlex.quote(str(out))} --out BUNDLE")
    output.document(record.model_dump_json(by_alias=True))
