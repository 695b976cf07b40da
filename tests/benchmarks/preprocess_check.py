"""How often the check of preprocessing is right.

    tests/benchmarks/preprocess_check.py --xrays NPZ --weights SAFETENSORS --answers FOLDER

Networks of torchvision learn grey X-rays (a MedMNIST npz) and coloured shapes that are drawn here, each with
one of four preprocessings: MobileNetV2 with ImageNet's features, all of them or the first ones unchanged, and
a small ResNet from scratch. Then every preprocessing that differs from the right one in one part or more is
stated on many draws of 64 images, and the right one with the classes in another order. Printed: how often a
wrong statement is stopped, by how much it costs on the 64 images, and how often the right one is. With one
thread the networks take about half an hour; `--answers` keeps what they answer, so that the judgement alone
can be done again, for some `--architectures` if not for all.
"""

import argparse
import hashlib
import itertools
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageDraw
from safetensors.torch import load_file
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
from user_files.bits_in_use import BitsInUse, bits_in_use

SIDE = 64
TRAINED_ON = 1500
POOL = 320
COSTLY, LITTLE = 0.15, 0.05
ARCHITECTURES = ("features", "tuned", "resnet")
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
    values = PRESETS[numbers].in_order(order).for_channels(3)
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
        pixels = [arrays["train_images"][:TRAINED_ON], arrays["test_images"][:POOL]]
        labels = [arrays["train_labels"][:TRAINED_ON], arrays["test_labels"][:POOL]]
    files = [
        _written(folder / f"xray{i}.png", Image.fromarray(p)) for i, p in enumerate(np.concatenate(pixels))
    ]
    return Images("xrays", tuple(files), np.concatenate(labels).reshape(-1).astype(np.int64), TRAINED_ON)


def shapes(folder: Path) -> Images:
    """Draw discs and squares of uncertain colours on noise, in pictures that are wider or higher."""
    random = np.random.default_rng(5)
    labels = random.integers(0, 4, TRAINED_ON + POOL)
    files = [
        _written(folder / f"shape{index}.png", _shape(int(label), random))
        for index, label in enumerate(labels)
    ]
    return Images("shapes", tuple(files), labels.astype(np.int64), TRAINED_ON)


def _shape(label: int, random: np.random.Generator) -> Image.Image:
    """Return a reddish disc, a bluish disc, a reddish square or a greenish square."""
    width, height = (int(edge) for edge in random.integers(60, 110, 2))
    tint = random.normal(110, 20, 3) + random.normal(0, 8, (height, width, 3))
    image = Image.fromarray(tint.clip(0, 255).astype(np.uint8))
    main = (0, 2, 0, 1)[label]
    colour = random.normal(100, 22, 3)
    colour[main] += 60
    edge = int(random.uniform(0.4, 0.65) * min(width, height))
    x, y = (int(random.uniform(0, 1) * (size - edge)) for size in (width, height))
    draw = ImageDraw.Draw(image)
    paint = draw.ellipse if label < 2 else draw.rectangle
    paint((x, y, x + edge, y + edge), fill=tuple(int(value) for value in colour.clip(0, 255)))
    noisy = np.asarray(image) + random.normal(0, 8, (height, width, 3))
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def _written(path: Path, image: Image.Image) -> Path:
    image.save(path)
    return path


class FromRight(nn.Module):
    """Turns an input that is prepared in the right way into one that ImageNet's features take."""

    def __init__(self, right: Preprocess) -> None:
        super().__init__()
        imagenet = PRESETS["imagenet"]
        self._is_reversed = right.channels == "bgr"
        self._scale = _per_channel(right.std) / (255 * right.scale) / _per_channel(imagenet.std)
        offset = _per_channel(right.mean) / (255 * right.scale) - _per_channel(imagenet.mean)
        self._offset = offset / _per_channel(imagenet.std)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        colours = images.flip(1) if self._is_reversed else images
        return colours * self._scale + self._offset


def _per_channel(values: tuple[float, ...]) -> torch.Tensor:
    return torch.tensor(values).reshape(1, -1, 1, 1)


def learned(
    architecture: str, images: torch.Tensor, labels: Labels, right: Preprocess, weights: Path
) -> nn.Module:
    """Return a network that has learned images."""
    classes = int(labels.max()) + 1
    models = import_torchvision_models()
    if architecture == "resnet":
        block = models.resnet.BasicBlock
        made: nn.Module = models.resnet.ResNet(block, [1, 1, 1, 1], num_classes=classes)
        train(made, images, labels, 4, 3e-3)
        return made
    mobilenet = models.mobilenet_v2(num_classes=1000)
    mobilenet.load_state_dict({name: value.float() for name, value in load_file(weights).items()})
    unchanged = len(mobilenet.features) if architecture == "features" else 14
    first = nn.Sequential(FromRight(right), *mobilenet.features[:unchanged]).eval()
    with torch.inference_mode():
        seen = torch.cat([first(batch) for batch in torch.split(images, 64)])
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(1280, classes))
    rest = nn.Sequential(*mobilenet.features[unchanged:], head)
    train(rest, seen.clone(), labels, 30 if architecture == "features" else 6, 3e-3)
    return nn.Sequential(first, rest).eval()


def inputs(pixels: Pixels, how: Preprocess) -> torch.Tensor:
    """Return images as a network takes them."""
    return torch.from_numpy(np.concatenate([to_input(image, how, "NCHW", "float32") for image in pixels]))


def train(made: nn.Module, images: torch.Tensor, labels: Labels, epochs: int, rate: float) -> None:
    """Train with AdamW; images, if they are some, are mirrored at random."""
    torch.manual_seed(3)
    steps = epochs * (len(labels) // 32)
    optimiser = torch.optim.AdamW(made.parameters(), lr=rate, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=rate, total_steps=steps)
    targets = torch.from_numpy(labels)
    made.train()
    for _ in range(epochs):
        for batch in torch.split(torch.randperm(len(labels))[: len(labels) // 32 * 32], 32):
            optimiser.zero_grad()
            is_mirrored = images.ndim == 4 and torch.rand(()) < 0.5
            batch_images = images[batch].flip(3) if is_mirrored else images[batch]
            loss = nn.functional.cross_entropy(made(batch_images), targets[batch])
            torch.autograd.backward(loss)
            optimiser.step()
            schedule.step()
    made.eval()


def answers_of(made: nn.Module, pixels: Pixels, how: Preprocess) -> Values:
    with torch.inference_mode():
        batches = [made(batch).numpy() for batch in torch.split(inputs(pixels, how), 64)]
    return np.concatenate(batches).astype(np.float32)


def read(files: Iterable[Path], how: Preprocess) -> Pixels:
    return np.stack([read_image(path, how) for path in files])


def answers_to_every(made: nn.Module, pool: Sequence[Path]) -> dict[str, Values]:
    """Return what a network answers to each preprocessing; those that give the same inputs are run once."""
    found: dict[bytes, Values] = {}
    by_index: dict[str, Values] = {}
    for index, how in enumerate(EVERY):
        pixels = read(pool, how)
        key = hashlib.sha256(inputs(pixels, how).numpy().tobytes()).digest()
        if key not in found:
            found[key] = answers_of(made, pixels, how)
        by_index[str(index)] = found[key]
    return by_index


def answer_all(images: Images, architecture: str, kept: Path, weights: Path) -> None:
    """Let every network of an architecture learn a set, and keep what it answers to every preprocessing."""
    pool = images.files[images.trained_on :]
    for right in RIGHT:
        path = kept / f"{images.name}-{architecture}-{RIGHT.index(right)}.npz"
        if path.exists():
            continue
        trained_on = read(images.files[: images.trained_on], right)
        labels = images.labels[: images.trained_on]
        made = learned(architecture, inputs(trained_on, right), labels, right, weights)
        found = answers_to_every(made, pool)
        arrays: dict[str, Any] = {**found, "right": EVERY.index(right)}
        np.savez(path, **arrays)
        accuracy = (found[str(EVERY.index(right))].argmax(1) == images.labels[images.trained_on :]).mean()
        print(f"{path.stem}: {accuracy:.3f} right", flush=True)


class Pool:
    """The images of a set that no network was trained on, by geometry."""

    def __init__(self, images: Images) -> None:
        files = images.files[images.trained_on :]
        self.is_coloured = images.name == "shapes"
        self._pixels = {how.resize: read(files, how) for how in EVERY[::2]}
        self.labels = images.labels[images.trained_on :]

    def __len__(self) -> int:
        return len(self.labels)

    def read(self, indices: Sequence[int], how: Preprocess) -> Pixels:
        return self._pixels[how.resize][list(indices)]

    def survey(self, indices: Sequence[int]) -> BitsInUse:
        return bits_in_use(())

    def sources_sha256(self, indices: Sequence[int]) -> str:
        return "0" * 64


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
    for drawn in draws(pool, draws_each * 20, zlib.crc32(kept.stem.encode())):
        count("right", checked(pool, drawn, pool.labels, right, found).trusted)
    for stated in _different(found, right):
        for drawn in draws(pool, draws_each, zlib.crc32(f"{kept.stem}{stated}".encode())):
            cost = (correct[right][drawn].sum() - correct[stated][drawn].sum()) / len(drawn)
            is_stopped = checked(pool, drawn, pool.labels, stated, found).trusted
            count(f"wrong, costs {_in_words(cost)}", is_stopped)
            if cost >= COSTLY:
                count(f"wrong {_parts(EVERY[right], EVERY[stated], pool.is_coloured)}", is_stopped)
    _judge_orders(pool, right, found, draws_each * 5, count)
    return tallies


def _different(found: dict[int, Values], right: int) -> Iterator[int]:
    """Yield the wrong statements, and of those that give the same inputs the first."""
    seen = {found[right].tobytes()}
    for index, values in found.items():
        if values.tobytes() not in seen:
            seen.add(values.tobytes())
            yield index


def _in_words(cost: float) -> str:
    if cost >= COSTLY:
        return "15 points or more"
    return "5 to 15 points" if cost >= LITTLE else "less than 5 points"


def _parts(right: Preprocess, stated: Preprocess, is_coloured: bool) -> str:
    """Return which part is wrong, or that several are."""
    is_wrong = {
        "values": (stated.scale, stated.mean, stated.std) != (right.scale, right.mean, right.std),
        "channels": is_coloured and stated.channels != right.channels,
        "resizing": stated.resize != right.resize,
    }
    parts = [part for part, wrong in is_wrong.items() if wrong]
    return f"{parts[0]} alone" if len(parts) == 1 else "in several parts"


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
    parser.add_argument("--weights", type=Path, required=True, help="MobileNetV2's for ImageNet")
    parser.add_argument("--architectures", nargs="+", choices=ARCHITECTURES, default=ARCHITECTURES)
    parser.add_argument("--draws", type=int, default=40, help="draws of 64 images for each statement")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.answers.mkdir(parents=True, exist_ok=True)
    total: dict[str, Tally] = {}
    with TemporaryDirectory() as folder:
        sets = (shapes(Path(folder)), xrays(Path(folder), options.xrays))
        for architecture, images in itertools.product(options.architectures, sets):
            answer_all(images, architecture, options.answers, options.weights)
        for images in sets:
            pool = Pool(images)
            found = options.answers.glob(f"{images.name}-*.npz")
            for path in sorted(path for path in found if path.stem.split("-")[1] in options.architectures):
                tallies = judge(pool, path, options.draws)
                print(path.stem, *(f"{name}: {tally}" for name, tally in sorted(tallies.items())), sep="; ")
                for name, tally in tallies.items():
                    before = total.get(name, Tally())
                    total[name] = Tally(before.tried + tally.tried, before.stopped + tally.stopped)
    print()
    for name, tally in sorted(total.items()):
        print(f"{name}: stopped {tally}")
    print("those wrong in some parts cost 15 points or more")


if __name__ == "__main__":
    main()
