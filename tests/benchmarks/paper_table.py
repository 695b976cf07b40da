"""The table of a paper, measured: MobileNetV2 beside MobileNetV3, DenseNet-121, ResNet-50 and VGG-16.

    python tests/benchmarks/paper_table.py --data pneumoniamnist --work FOLDER
    python tests/benchmarks/paper_table.py --data FILE.npz --mobilenet-weights FILE --work FOLDER

"Enhancing Medical Image Classification with Lightweight Deep Learning Models" says that MobileNetV2 reaches a
validation accuracy of 91.2 % and an AUC of 0.947 in 14 MB, that larger CNNs have 200 MB and more, and that it
is 60 % faster than heavy models. Each network is fine-tuned on the same images, in the same number of epochs,
and tested on all test images at `--image-size`. Then a copy of it for images of `--speed-size` is exported,
and `edgefit compare` measures the files of all networks together, at batch 1. Size, speed and memory do not
depend on the weights, and accuracy does: networks start from torchvision's ImageNet weights where these can
be had, and from random ones (`none`) elsewhere, which each row says. MobileNetV2 is then trained from `none`
as well, so that like is compared with like.

What is finished stays in FOLDER: the same command goes on where it was cut off. `--until trained` leaves out
what must be measured on a quiet machine. Printed, and written to FOLDER/table.md: the table, and each claim
with what was measured. On two quiet cores the whole takes about 40 minutes, estimated
from single training steps.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.paper_claims import MOBILENET_V2, NAMES, claims, conditions, table
from benchmarks.paper_work import Network, Settings, Work, do, networks_of

from bench.errors import BenchError
from edgefit.progress import progress
from models.architectures import find_architecture
from models.errors import InputError
from models.starting_weights import load_starting_weights

AVAILABLE = "available"


def start_of(arch: str, weights: str, mobilenet_weights: str) -> str:
    """Return the weights to start from; says so where ImageNet's cannot be had."""
    if arch == MOBILENET_V2 and mobilenet_weights:
        return mobilenet_weights
    if weights != AVAILABLE:
        return weights
    try:
        with progress() as watcher:
            load_starting_weights("imagenet", find_architecture(arch), watcher)
    except InputError as error:
        print(f"{arch} starts from none: {error}", file=sys.stderr, flush=True)
        return "none"
    return "imagenet"


def parsed() -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="pneumoniamnist", help="what edgefit finetune --data takes")
    parser.add_argument("--work", type=Path, required=True, help="the folder of runs and results")
    parser.add_argument("--weights", default=AVAILABLE, choices=(AVAILABLE, "imagenet", "none"))
    parser.add_argument("--mobilenet-weights", default="", metavar="FILE|bundled")
    parser.add_argument("--networks", default=",".join(NAMES), help=f"some of: {', '.join(NAMES)}")
    parser.add_argument("--images", type=int, default=2000, help="training images; 0: all")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--image-size", type=int, default=64, help="where accuracy is of")
    parser.add_argument("--speed-size", type=int, default=224, help="where latency and memory are of")
    parser.add_argument("--quick", action="store_true", help="for a trial: few samples, 128 images of int8")
    parser.add_argument("--until", choices=("trained", "measured"), default="measured")
    asked = parser.parse_args()
    names = list(dict.fromkeys(asked.networks.split(",")))
    if unknown := set(names) - NAMES.keys():
        parser.error(f"--networks: there is no '{min(unknown)}' here; choose from {', '.join(NAMES)}")
    if MOBILENET_V2 not in names or len(names) < 2:
        parser.error(f"--networks: give {MOBILENET_V2}, with which others are compared, and another")
    if asked.images < 0:
        parser.error(f"--images {asked.images}: give a number of training images, or 0 for all")
    asked.networks = names
    return asked


def work_of(asked: argparse.Namespace) -> Work:
    """Return what is to be done; raises InputError if the folder is of other options."""
    starts = [
        Network(arch, start_of(arch, asked.weights, asked.mobilenet_weights)) for arch in asked.networks
    ]
    networks = networks_of(starts)
    settings = Settings(
        data=asked.data,
        images=asked.images,
        epochs=asked.epochs,
        image_size=asked.image_size,
        speed_size=asked.speed_size,
        mobilenet_weights=asked.mobilenet_weights,
        networks=[network.name for network in networks],
        quick=asked.quick,
    )
    return Work(asked.work, settings, networks)


def markdown(work: Work) -> str:
    """Return the table, how it came about, and the claims."""
    rows, compared = work.found()
    how = conditions(rows, work.settings.speed_size, compared)
    return "\n".join([*table(rows), "", how, "", *claims(rows), ""])


def main() -> None:
    """Train, export, measure, and print the table."""
    asked = parsed()
    try:
        work = work_of(asked)
        work.claim()
        only_trains = asked.until == "trained"
        do([*work.training(), *(() if only_trains else work.measuring())])
        if only_trains:
            return
        text = markdown(work)
    except (InputError, BenchError) as error:
        print(error, file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    (asked.work / "table.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
