"""How much faster training is when the frozen part's output is kept, at what validation accuracy.

The plain loop sends every image through the whole network in every epoch; the other computes the frozen part
once per image and view, its batch norms folded. Both train the same blocks from the same weights. They take
turns, pair by pair with one seed, because the machine's speed changes; times include computing what is kept.

    python tests/benchmarks/frozen_features_speed.py --weights bundled
    python tests/benchmarks/frozen_features_speed.py --data pneumoniamnist --image-size 96 --epochs 6
"""

from models import openmp_waiting  # noqa: F401 - before anything imports torch
from models.training.settings import TrainingSettings, default_epochs

# isort: split
import argparse
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from models.architectures import find_architecture
from models.dataset import Dataset
from models.progress import Silent
from models.sources.loaders import prepare_source
from models.sources.options import SourceOptions
from models.starting_weights import StartingWeights, apply_weights, load_starting_weights
from models.training.run import train_network


@dataclass(frozen=True)
class Turn:
    """One training: how long it took, and the validation figures of its best epoch."""

    seconds: float
    accuracy: float
    loss: float


def main() -> None:
    """Train in pairs, and print each pair's ratio and both accuracies."""
    options = _parse()
    dataset = prepare_source(options.data, SourceOptions(options.image_size, False, options.images))(Silent())
    architecture = find_architecture("mobilenet_v2")
    weights = load_starting_weights(options.weights, architecture, Silent())
    epochs = options.epochs or default_epochs(weights.kind, len(dataset.train))
    unfreeze = architecture.unfreeze[weights.kind] if options.unfreeze is None else options.unfreeze
    print(
        f"{dataset.name}: {len(dataset.train)} training images at {options.image_size}, "
        f"weights {weights.name}, last {unfreeze} of {architecture.blocks} blocks trained, {epochs} epochs, "
        f"{torch.get_num_threads()} threads"
    )
    pairs = []
    for seed in range(options.pairs):
        settings = TrainingSettings(epochs, unfreeze, seed, flip=True, patience=epochs)
        pairs.append(_run_blocks(dataset, weights, settings))
    print(f"median ratio {statistics.median(plain.seconds / cached.seconds for plain, cached in pairs):.2f}")
    for name, turns in (("plain", [pair[0] for pair in pairs]), ("cached", [pair[1] for pair in pairs])):
        print(f"{name}: mean validation accuracy {statistics.mean(turn.accuracy for turn in turns):.4f}")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Kept features against the plain loop.")
    parser.add_argument("--data", default="synthetic")
    parser.add_argument("--weights", default="bundled")
    parser.add_argument("--image-size", type=int, default=96)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--unfreeze", type=int)
    parser.add_argument("--pairs", type=int, default=3)
    return parser.parse_args()


def _run_blocks(dataset: Dataset, weights: StartingWeights, settings: TrainingSettings) -> tuple[Turn, Turn]:
    """The plain loop and the cached one; which one comes first alternates with the seed."""
    order = (False, True) if settings.seed % 2 == 0 else (True, False)
    turns = {keep: _train(dataset, weights, settings, keep) for keep in order}
    plain, cached = turns[False], turns[True]
    print(
        f"seed {settings.seed}: "
        f"plain {plain.seconds:.1f} s, accuracy {plain.accuracy:.4f}, loss {plain.loss:.3f}; "
        f"cached {cached.seconds:.1f} s, accuracy {cached.accuracy:.4f}, loss {cached.loss:.3f}; "
        f"ratio {plain.seconds / cached.seconds:.2f}"
    )
    sys.stdout.flush()
    return plain, cached


def _train(dataset: Dataset, weights: StartingWeights, settings: TrainingSettings, keep: bool) -> Turn:
    architecture = find_architecture("mobilenet_v2")
    torch.manual_seed(settings.seed)
    network = architecture.build(len(dataset.classes))
    apply_weights(network, weights, architecture)
    with tempfile.TemporaryDirectory() as scratch:
        began = time.perf_counter()
        trained = train_network(network, dataset, settings, Path(scratch), Silent(), cache_frozen=keep)
        seconds = time.perf_counter() - began
    best = trained.epochs[trained.best_epoch - 1]
    return Turn(seconds, best.validation_accuracy, best.validation_loss)


if __name__ == "__main__":
    main()
