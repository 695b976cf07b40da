"""How often the check of preprocessing is right: `preprocess_check.py --xrays NPZ --answers FOLDER [--quick]`.

Small networks of torchvision are trained on grey X-rays (a MedMNIST npz) and on coloured shapes that are made
here, each with one of four preprocessings. Then every preprocessing that differs from the right one in one
part or more is stated on many draws of 64 images, some of them with the classes in another order. Printed: how
often a wrong statement is stopped, by how much it costs on the 64 images, and how often a right one is. With
one thread, 16 networks take about half an hour. `--answers` keeps what they answered, so that only the
judgement is done again.
"""

import argparse
import itertools
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageDraw
from torch import nn

from bench.bundle.image_folder import read_image
from bench.bundle.input_arrays import to_input
from bench.bundle.input_preprocessing import ChannelOrder, Preprocess, Resize
from bench.bundle.judged_output import CLASSES
from bench.bundle.source_record import PreprocessCheck
from bench.bundle.stated_preprocessing import PRESETS, PresetName
from export.data.images import LabelledImages
from export.data.samples import Samples
from export.preprocessing.checking import MOST_IMAGES, check_preprocess
from models.torchvision_import import import_torchvision_models

SIDE = 48
POOL = 400
COSTLY = 0.15
ARCHITECTURES = ("mobilenet", "resnet")
NUMBERS: tuple[PresetName, ...] = ("unit", "raw", "symmetric", "imagenet")
GEOMETRIES: tuple[tuple[Resize, float], ...] = (("squash", 1.0), ("crop", 0.875), ("letterbox", 1.0))
ORDERS: tuple[ChannelOrder, ...] = ("rgb", "bgr")

Pixels = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]
Values = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Images:
    """Image files of one set, the first ones to train on."""

    name: str
    files: tuple[Path, ...]
    labels: Labels
    classes: int
    trained_on: int


@dataclass(frozen=True)
class Tally:
    """Statements that were tried, and those that were stopped."""

    tried: int = 0
    stopped: int = 0

    def plus(self, is_stopped: bool) -> "Tally":
        return Tally(self.tried + 1, self.stopped + is_stopped)

    def __str__(self) -> str:
        share = f"{self.stopped / self.tried:.4f}" if self.tried else "-"
        return f"{self.stopped} of {self.tried} ({share})"


def preprocess(numbers: PresetName, geometry: tuple[Resize, float], order: ChannelOrder) -> Preprocess:
    """Return a preprocessing for three channels."""
    values = PRESETS[numbers].for_channels(3)
    assert values is not None
    return Preprocess(
        input_size=(3, SIDE, SIDE),
        resize=geometry[0],
        crop_pct=geometry[1],
        scale=values.scale,
        mean=values.mean,
        std=values.std,
        channels=order,
    )


EVERY = tuple(itertools.starmap(preprocess, itertools.product(NUMBERS, GEOMETRIES, ORDERS)))
# The squashed X-rays are letterboxed ones as well, and grey: there the order is nothing.
RIGHT = (
    preprocess("unit", GEOMETRIES[0], "rgb"),
    preprocess("raw", GEOMETRIES[0], "bgr"),
    preprocess("symmetric", GEOMETRIES[2], "rgb"),
    preprocess("imagenet", GEOMETRIES[1], "rgb"),
)


def xrays(folder: Path, npz: Path) -> Images:
    """Write X-rays of a MedMNIST file; those of its test set come from elsewhere than those trained on."""
    with np.load(npz) as arrays:
        pixels = [arrays["train_images"][:2000], arrays["test_images"][:POOL]]
        labels = [arrays["train_labels"][:2000], arrays["test_labels"][:POOL]]
    files = [
        _written(folder / f"xray{i}.png", Image.fromarray(p)) for i, p in enumerate(np.concatenate(pixels))
    ]
    return Images("xrays", tuple(files), np.concatenate(labels).reshape(-1).astype(np.int64), 2, 2000)


def shapes(folder: Path) -> Images:
    """Draw discs and squares of uncertain colours on noise, in pictures that are wider or higher."""
    random = np.random.default_rng(5)
    labels = random.integers(0, 4, 1500 + POOL)
    files = [
        _written(folder / f"shape{index}.png", _shape(int(label), random))
        for index, label in enumerate(labels)
    ]
    return Images("shapes", tuple(files), labels.astype(np.int64), 4, 1500)


def _shape(label: int, random: np.random.Generator) -> Image.Image:
    """Return a reddish disc, a bluish disc, a reddish square or a greenish square."""
    width, height = (int(edge) for edge in random.integers(60, 110, 2))
    tint = random.normal(110, 25, 3) + random.normal(0, 12, (height, width, 3))
    image = Image.fromarray(tint.clip(0, 255).astype(np.uint8))
    main = (0, 2, 0, 1)[label]
    colour = random.normal(100, 28, 3)
    colour[main] += 45
    edge = int(random.uniform(0.25, 0.5) * min(width, height))
    x, y = (int(random.uniform(0.1, 0.9) * (size - edge)) for size in (width, height))
    draw = ImageDraw.Draw(image)
    paint = draw.ellipse if label < 2 else draw.rectangle
    paint((x, y, x + edge, y + edge), fill=tuple(int(value) for value in colour.clip(0, 255)))
    noisy = np.asarray(image) + random.normal(0, 14, (height, width, 3))
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def _written(path: Path, image: Image.Image) -> Path:
    image.save(path)
    return path


def network(architecture: str, classes: int) -> nn.Module:
    """Return an untrained network that keeps up with few steps."""
    models = import_torchvision_models()
    made: nn.Module
    if architecture == "mobilenet":
        made = models.mobilenet_v3_small(num_classes=classes)
    else:
        block = models.resnet.BasicBlock
        made = models.resnet.ResNet(block, [1, 1, 1, 1], num_classes=classes)
    for module in made.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.1
    return made


def inputs(pixels: Pixels, how: Preprocess) -> torch.Tensor:
    """Return images as a network takes them."""
    return torch.from_numpy(np.concatenate([to_input(image, how, "NCHW", "float32") for image in pixels]))


def train(made: nn.Module, images: torch.Tensor, labels: Labels, epochs: int) -> None:
    """Train with Adam, and mirror images at random."""
    torch.manual_seed(3)
    steps = epochs * (len(labels) // 32)
    optimiser = torch.optim.AdamW(made.parameters(), lr=2e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=3e-3, total_steps=steps)
    targets = torch.from_numpy(labels)
    made.train()
    for _ in range(epochs):
        for batch in torch.randperm(len(labels))[: len(labels) // 32 * 32].split(32):
            optimiser.zero_grad()
            batch_images = images[batch].flip(3) if torch.rand(()) < 0.5 else images[batch]
            nn.functional.cross_entropy(made(batch_images), targets[batch]).backward()
            optimiser.step()
            schedule.step()
    made.eval()


def answers_of(made: nn.Module, pixels: Pixels, how: Preprocess) -> Values:
    with torch.inference_mode():
        batches = [made(batch).numpy() for batch in inputs(pixels, how).split(64)]
    return np.concatenate(batches).astype(np.float32)


def read(files: Iterable[Path], how: Preprocess) -> Pixels:
    return np.stack([read_image(path, how) for path in files])


def answer_all(images: Images, kept: Path, epochs: int) -> None:
    """Train every network on a set, and keep what it answers to every preprocessing."""
    pool = images.files[images.trained_on :]
    for architecture, right in itertools.product(ARCHITECTURES, RIGHT):
        path = kept / f"{images.name}-{architecture}-{RIGHT.index(right)}.npz"
        if path.exists():
            continue
        trained_on = read(images.files[: images.trained_on], right)
        made = network(architecture, images.classes)
        train(made, inputs(trained_on, right), images.labels[: images.trained_on], epochs)
        found = {str(EVERY.index(how)): answers_of(made, read(pool, how), how) for how in EVERY}
        np.savez(path, right=EVERY.index(right), **found)
        accuracy = (found[str(EVERY.index(right))].argmax(1) == images.labels[images.trained_on :]).mean()
        print(f"{path.stem}: {accuracy:.3f} right", flush=True)


class Pool:
    """The images of a set that no network was trained on, by geometry."""

    def __init__(self, images: Images) -> None:
        files = images.files[images.trained_on :]
        self._pixels = {how.resize: read(files, how) for how in EVERY[::2]}
        self.labels = images.labels[images.trained_on :]

    def __len__(self) -> int:
        return len(self.labels)

    def read(self, indices: Sequence[int], how: Preprocess) -> Pixels:
        return self._pixels[how.resize][list(indices)]


def checked(
    pool: Pool, drawn: npt.NDArray[np.int64], labels: Labels, stated: int, found: dict[int, Values]
) -> PreprocessCheck:
    """Return what the check says of a statement, on images that were drawn."""
    none = np.array([], dtype=np.int64)
    images = LabelledImages("drawn", pool, labels, (), drawn, none, none, ())

    def answers(samples: Samples) -> Values:
        assert samples.preprocess is not None
        return found[EVERY.index(samples.preprocess)][drawn]

    record = check_preprocess(images, EVERY[stated], CLASSES, answers, trust=True).record
    assert record is not None
    return record


def draws(pool: Pool, count: int, seed: int) -> Iterator[npt.NDArray[np.int64]]:
    random = np.random.default_rng(seed)
    for _ in range(count):
        yield random.permutation(len(pool))[:MOST_IMAGES]


def judge(pool: Pool, kept: Path, draws_each: int) -> dict[str, Tally]:
    """Return the tallies of one network."""
    with np.load(kept) as arrays:
        right = int(arrays["right"])
        found = {index: arrays[str(index)] for index in range(len(EVERY))}
    tallies: dict[str, Tally] = {}

    def count(name: str, is_stopped: bool) -> None:
        tallies[name] = tallies.get(name, Tally()).plus(is_stopped)

    correct = {index: values.argmax(1) == pool.labels for index, values in found.items()}
    for stated in found:
        is_same = (correct[stated] == correct[right]).all()
        times = draws_each * 20 if stated == right else draws_each
        for drawn in draws(pool, times, zlib.crc32(f"{kept.stem}{stated}".encode())):
            if stated != right and is_same:
                continue
            cost = (correct[right][drawn].sum() - correct[stated][drawn].sum()) / len(drawn)
            is_stopped = checked(pool, drawn, pool.labels, stated, found).trusted
            if stated == right:
                count("right", is_stopped)
            else:
                count(_kind(EVERY[right], EVERY[stated], cost), is_stopped)
    _judge_orders(pool, right, found, draws_each * 5, count)
    return tallies


def _kind(right: Preprocess, stated: Preprocess, cost: float) -> str:
    parts = [
        (stated.scale, stated.mean, stated.std) != (right.scale, right.mean, right.std),
        stated.channels != right.channels,
        stated.resize != right.resize,
    ]
    what = ("values", "channels", "resize")[parts.index(True)] if sum(parts) == 1 else "several parts"
    size = (
        "15 points or more" if cost >= COSTLY else "5 to 15 points" if cost >= 0.05 else "less than 5 points"
    )
    return f"wrong {what}, costs {size}"


def _judge_orders(
    pool: Pool,
    right: int,
    found: dict[int, Values],
    times: int,
    count: Callable[[str, bool], None],
) -> None:
    """Count how often classes in another order are noticed; the preprocessing is right."""
    classes = found[right].shape[1]
    for index, drawn in enumerate(draws(pool, times, right)):
        order = np.roll(np.arange(classes), 1 + index % (classes - 1))
        record = checked(pool, drawn, order[pool.labels], right, found)
        count("classes in another order", record.fitting_order is not None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--xrays", type=Path, required=True, help="a MedMNIST npz of grey images")
    parser.add_argument("--answers", type=Path, required=True, help="the folder that keeps answers")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--draws", type=int, default=40, help="draws of 64 images for each statement")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.answers.mkdir(parents=True, exist_ok=True)
    total: dict[str, Tally] = {}
    with TemporaryDirectory() as folder:
        for images in (shapes(Path(folder)), xrays(Path(folder), options.xrays)):
            answer_all(images, options.answers, options.epochs)
            pool = Pool(images)
            for path in sorted(options.answers.glob(f"{images.name}-*.npz")):
                tallies = judge(pool, path, options.draws)
                print(
                    f"{path.stem}: " + "; ".join(f"{n}: {t}" for n, t in sorted(tallies.items())), flush=True
                )
                for name, tally in tallies.items():
                    before = total.get(name, Tally())
                    total[name] = Tally(before.tried + tally.tried, before.stopped + tally.stopped)
    print()
    for name, tally in sorted(total.items()):
        print(f"{name}: stopped {tally}")


if __name__ == "__main__":
    main()
