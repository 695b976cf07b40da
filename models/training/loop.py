"""The training loop: Adam, cosine annealing, early stopping with the best epoch restored.

It knows batches and the trained part of a network. It does not know where batches come from, and no files.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from math import cos, isfinite, pi

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.dataset import Labels
from models.errors import InputError
from models.progress import Progress
from models.records import Epoch
from models.training.averaging import RunningMean
from models.training.batch_memory import parts_of
from models.training.batches import Batches
from models.training.frozen_features import CachedFeatures
from models.training.norm_statistics import images_to_measure, measure_statistics, trained_norms
from models.training.settings import BATCH_SIZE, TrainingSettings

# A rare class is weighted as if it had at least one image for this many images of the commonest class.
MOST_TO_ONE = 3


@dataclass(frozen=True)
class Trained:
    """The course of a training."""

    epochs: tuple[Epoch, ...]
    """The figures of every epoch."""
    best_epoch: int
    """The epoch whose weights the network has now, counted from 1."""


@dataclass(frozen=True)
class _Score:
    loss: float
    accuracy: float


def rarity_weights(labels: Labels, classes: int) -> Tensor:
    """Return the weight of each class in the loss; the mean over all images is 1.

    Classes that have at least a third of the commonest class's images weigh the same. A rarer class is
    weighted as if it had that third: otherwise every uncertain image would be given to the common class.
    Larger weights cost accuracy. With classes 2.9 to 1 (PneumoniaMNIST, validation images), balanced weights
    gave 96.0 %, weights by the root of the frequency 96.7 %, and no weights 98.1 %, at the same AUC (one seed
    each).
    """
    counts = torch.bincount(torch.from_numpy(labels), minlength=classes).float()
    weights = (counts.max() / (MOST_TO_ONE * counts)).clamp(min=1)
    return weights * len(labels) / (weights * counts).sum()


def train(
    network: nn.Module,
    batches: Batches,
    validation: CachedFeatures,
    class_weights: Tensor,
    settings: TrainingSettings,
    progress: Progress,
    at_once: int = BATCH_SIZE,
) -> Trained:
    """Train `network` in place until the validation loss stops falling, and restore its best epoch.

    The running mean of the weights is validated and restored, with batch norms measured for it. `at_once`:
    how many images of a batch are run together; the gradients of its parts add up. Raises InputError if the
    loss is not finite.
    """
    generator = torch.Generator().manual_seed(settings.seed)
    optimizer = torch.optim.Adam(network.parameters(), lr=settings.learning_rate, fused=True)
    mean = RunningMean(network)
    norms = trained_norms(mean.network)
    wanted = images_to_measure(len(batches) * settings.batch_size)
    measured = min(len(batches), -(-wanted // settings.batch_size)) if norms else 0
    history: list[Epoch] = []
    best, best_state = 0, copy.deepcopy(network.state_dict())
    for number in range(1, settings.epochs + 1):
        progress.begin(f"Epoch {number}/{settings.epochs}", len(batches) + measured + validation.chunks)
        rates = _cosine(settings, number - 1, len(batches))
        step = _Step(network, optimizer, class_weights, at_once)
        fitted = _fit_once(step, batches.epoch(generator), rates, mean, progress)
        inputs = _first_inputs(batches, measured, settings.seed, at_once, progress)
        measure_statistics(norms, mean.network, inputs)
        validated = evaluate_loss(mean.network, validation, class_weights, progress)
        if not isfinite(validated.loss):
            raise InputError(
                f"training diverged in epoch {number} (validation loss {validated.loss}); "
                "start from other weights with --weights"
            )
        history.append(_to_epoch(number, optimizer, fitted, validated))
        progress.say(_sentence(history[-1], settings.epochs))
        if validated.loss <= min(epoch.validation_loss for epoch in history):
            best, best_state = number, copy.deepcopy(mean.network.state_dict())
        if number - best >= settings.patience:
            break
    network.load_state_dict(best_state)
    return Trained(tuple(history), best)


def _first_inputs(
    batches: Batches, count: int, seed: int, at_once: int, progress: Progress
) -> Iterator[Tensor]:
    """Yield the inputs of `count` batches in parts, the same after each epoch; each batch is a step."""
    for inputs, labels in islice(batches.epoch(torch.Generator().manual_seed(seed)), count):
        yield from (part for part, _ in parts_of(inputs, labels, at_once))
        progress.advance(note="measuring batch norms")


def _cosine(settings: TrainingSettings, epochs_done: int, batches: int) -> Iterator[float]:
    """Yield the learning rates of one epoch; over all epochs they fall along half a cosine."""
    steps = settings.epochs * batches
    for batch in range(batches):
        done = (epochs_done * batches + batch) / steps
        yield settings.learning_rate * (1 + cos(pi * done)) / 2


@dataclass(frozen=True)
class _Step:
    """One step of the optimiser."""

    network: nn.Module
    optimizer: torch.optim.Optimizer
    class_weights: Tensor
    at_once: int

    def take(self, inputs: Tensor, labels: Tensor, rate: float) -> tuple[float, int]:
        """Train on a batch; return its loss, and how many of its images are classified right."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        loss_sum, correct = 0.0, 0
        whole = self.class_weights[labels].sum()
        for some, of_some in parts_of(inputs, labels, self.at_once):
            logits = self.network(some)
            share = self.class_weights[of_some].sum() / whole
            loss = F.cross_entropy(logits, of_some, weight=self.class_weights) * share
            loss.backward()  # type: ignore[no-untyped-call]
            loss_sum += loss.item()
            correct += int((logits.argmax(1) == of_some).sum())
        self.optimizer.step()
        return loss_sum, correct


def _fit_once(
    step: _Step,
    batches: Iterator[tuple[Tensor, Tensor]],
    rates: Iterator[float],
    mean: RunningMean,
    progress: Progress,
) -> _Score:
    step.network.train()
    loss_sum = correct = seen = 0.0
    for (inputs, labels), rate in zip(batches, rates, strict=True):
        loss, right = step.take(inputs, labels, rate)
        mean.update()
        seen += len(labels)
        loss_sum += loss * len(labels)
        correct += right
        progress.advance(note=f"loss {loss_sum / seen:.3f} accuracy {correct / seen:.3f}")
    return _Score(loss_sum / seen, correct / seen)


@torch.inference_mode()
def evaluate_loss(
    network: nn.Module, features: CachedFeatures, class_weights: Tensor, progress: Progress
) -> _Score:
    """Return loss and accuracy in eval mode; each chunk of images is a step."""
    network.eval()
    parts = []
    for inputs, _ in features.in_order():
        parts.append(network(inputs))
        progress.advance(note="validating")
    logits = torch.cat(parts)
    loss = F.cross_entropy(logits, features.labels, weight=class_weights)
    return _Score(loss.item(), (logits.argmax(1) == features.labels).float().mean().item())


def _to_epoch(number: int, optimizer: torch.optim.Optimizer, fitted: _Score, validated: _Score) -> Epoch:
    rate = float(optimizer.param_groups[0]["lr"])
    return Epoch(
        epoch=number,
        learning_rate=rate,
        train_loss=fitted.loss,
        train_accuracy=fitted.accuracy,
        validation_loss=validated.loss,
        validation_accuracy=validated.accuracy,
    )


def _sentence(epoch: Epoch, epochs: int) -> str:
    return (
        f"Epoch {epoch.epoch}/{epochs}: training loss {epoch.train_loss:.3f}, "
        f"accuracy {epoch.train_accuracy:.3f}; validation loss {epoch.validation_loss:.3f}, "
        f"accuracy {epoch.validation_accuracy:.3f}"
    )
