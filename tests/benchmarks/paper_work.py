"""The steps of `paper_table.py` in its folder: each leaves one file or folder, and is done once."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from benchmarks.paper_claims import MOBILENET_V2, PaperRow, paper_rows

from bench.compare.document import NetworkComparison
from bench.compare.folder import read_comparison
from bench.report.files import read_report
from bench.report.schema import Accuracy, Run
from edgefit.progress import progress
from models.dataset import Dataset, Split
from models.errors import InputError
from models.run_folder import MODEL, read_run
from models.sources.loaders import prepare_source
from models.sources.options import SPLIT_SEED, SourceOptions
from models.sources.splitting import sample_stratified
from models.weights_kind import weights_kind

# Images of the copies at another size: their accuracy is not used, and int8 of MobileNetV2 is calibrated on
# them and judged by them.
SPEED_TRAIN, SPEED_VALIDATION, SPEED_TEST = 64, 128, 32
# About how many ms two cores take for a step of training with one image of 64 pixels, to say how much time is
# left; what has been done corrects it.
TRAINING_MS = {
    MOBILENET_V2: 6,
    "mobilenet_v3_small": 4,
    "mobilenet_v3_large": 7,
    "densenet121": 17,
    "resnet50": 30,
    "vgg16": 100,
}
START_S, COPY_S, EXPORT_S, BENCH_S = 10, 15, 30, 40
# Of PneumoniaMNIST.
MOST_IMAGES = 4708


@dataclass(frozen=True)
class Settings:
    """What decides the figures. A folder is of one such set."""

    data: str
    images: int
    """The most training images; 0: all."""
    epochs: int
    image_size: int
    speed_size: int
    mobilenet_weights: str
    """A file, `bundled`, or nothing: as the other networks."""
    networks: list[str]
    """What is trained: the names of the folders of runs."""
    quick: bool
    """Whether few samples are enough, and 128 images for the accuracy of int8."""


@dataclass(frozen=True)
class Network:
    """A network to train: a row of the table, or two."""

    arch: str
    weights: str
    """What `edgefit finetune --weights` takes."""

    @property
    def name(self) -> str:
        """What its folders are called."""
        return f"{self.arch}-{weights_kind(self.weights).value}"


@dataclass(frozen=True)
class Step:
    """A part of the work that leaves one file or folder, whole or not at all."""

    what: str
    result: Path
    seconds: float
    """How long it takes, about."""
    act: Callable[[], None]


def edgefit(*words: str | Path) -> None:
    """Run a command of edgefit, whose progress and errors are shown; end as it ends if it fails."""
    command = [sys.executable, "-m", "edgefit", *map(str, words)]
    print(f"$ edgefit {' '.join(map(str, words))}", file=sys.stderr, flush=True)
    done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
    if done.returncode:
        raise SystemExit(done.returncode)


def networks_of(starts: Sequence[Network]) -> list[Network]:
    """Return what is trained: MobileNetV2 from `none` too, where others start so and it does not."""
    first = next(each for each in starts if each.arch == MOBILENET_V2)
    again = Network(MOBILENET_V2, "none")
    if first != again and any(each.weights == "none" for each in starts):
        return [first, again, *(each for each in starts if each != first)]
    return [first, *(each for each in starts if each != first)]


class Work:
    """The folder of one table: what is to be done in it, and what was found."""

    def __init__(self, folder: Path, settings: Settings, networks: Sequence[Network]) -> None:
        self.folder, self.settings, self.networks = folder, settings, networks
        self._quick = ["--quick"] if settings.quick else []

    def claim(self) -> None:
        """Make the folder; raises InputError if it is of other settings."""
        file, now = self.folder / "settings.json", asdict(self.settings)
        if not file.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(now, indent=2))
        earlier = json.loads(file.read_text())
        for key, value in now.items():
            if earlier.get(key) != value:
                raise InputError(
                    f"{file}: {key} is {earlier.get(key)}, and the options say {value}; give the options of "
                    "before, or another --work"
                )

    def training(self) -> Iterator[Step]:
        """Yield what needs no quiet machine."""
        yield Step("reading the images", self._data("speed"), 5, self._read_data)
        for network in self.networks:
            seconds = START_S + self._images_trained * TRAINING_MS[network.arch] / 1000
            yield Step(f"training {network.name}", self._run(network), seconds, partial(self._train, network))
        for network in self.networks:
            copy = self._copy_of(network)
            yield Step(f"copying {network.name}", copy, COPY_S, partial(self._copy, network))

    def measuring(self) -> Iterator[Step]:
        """Yield the rest."""
        for network in self.networks:
            bundle = self._bundle(network)
            yield Step(f"exporting {network.name}", bundle, EXPORT_S, partial(self._export, network))
        bundle = self.folder / "int8"
        yield Step("exporting int8 to test it", bundle, EXPORT_S, self._export_int8)
        yield Step("testing int8", self._int8_report, BENCH_S, self._bench_int8)
        every = BENCH_S * (len(self.networks) + 3)
        yield Step("comparing all", self._comparison, every, self._compare)

    @property
    def _images_trained(self) -> float:
        """About how many images of 64 pixels a training is the work of."""
        images = self.settings.images or MOST_IMAGES
        return images * self.settings.epochs * (self.settings.image_size / 64) ** 2

    def _data(self, name: str) -> Path:
        return self.folder / f"{name}.npz"

    def _bundle(self, network: Network) -> Path:
        return self.folder / "bundles" / network.name

    @property
    def _int8_report(self) -> Path:
        return self.folder / "int8.json"

    @property
    def _comparison(self) -> Path:
        return self.folder / "comparison"

    def _read_data(self) -> None:
        options = SourceOptions(self.settings.image_size, skip_bad=False, images=1000)
        with progress() as watcher:
            found = prepare_source(self.settings.data, options)(watcher)
        most = self.settings.images or len(found.train)
        write_part(self._data("train"), found, most, len(found.validation), len(found.test))
        write_part(self._data("speed"), found, SPEED_TRAIN, SPEED_VALIDATION, SPEED_TEST)

    def _train(self, network: Network) -> None:
        words = ["--epochs", str(self.settings.epochs), "--image-size", str(self.settings.image_size)]
        self._finetune(network, "train", network.weights, self._run(network), *words)

    def _copy(self, network: Network) -> None:
        """Train the classifier alone for some images at the other size: all other weights stay equal."""
        words = ["--epochs", "1", "--unfreeze", "0", "--image-size", str(self.settings.speed_size)]
        weights = self._run(network) / MODEL
        self._finetune(network, "speed", weights, self._copy_of(network), *words)

    def _finetune(self, network: Network, data: str, weights: str | Path, run: Path, *words: str) -> None:
        run.parent.mkdir(exist_ok=True)
        start = ["--arch", network.arch, "--weights", weights]
        edgefit("finetune", "--data", self._data(data), *start, *words, "--out", run)

    def _export(self, network: Network) -> None:
        bundle = self._bundle(network)
        bundle.parent.mkdir(exist_ok=True)
        precisions = "fp32,int8" if network == self.networks[0] else "fp32"
        kinds = ["--formats", "onnx", "--precisions", precisions]
        edgefit("export", self._copy_of(network), *kinds, "--out", bundle)

    def _export_int8(self) -> None:
        run = self._run(self.networks[0])
        images = str(read_run(run).record.metrics.test.images)
        kinds = ["--formats", "onnx", "--precisions", "int8", "--eval-images", images]
        edgefit("export", run, *kinds, "--out", self.folder / "int8")

    def _bench_int8(self) -> None:
        edgefit("bench", self.folder / "int8", *self._quick, "--out", self._int8_report)

    def _compare(self) -> None:
        bundles = [self._bundle(network) for network in self.networks]
        edgefit("compare", *bundles, *self._quick, "--out", self._comparison)

    def found(self) -> tuple[list[PaperRow], NetworkComparison]:
        """Return the rows of the table, and the comparison that measured them."""
        compared, _ = read_comparison(self._comparison, f"{self.networks[0].name}/onnx-fp32")
        largest = max(compared.rows, key=lambda row: row.size_bytes or 0).name
        with_largest, _ = read_comparison(self._comparison, largest)
        runs = {each.name: read_run(self._run(each)).record for each in self.networks}
        int8 = _accuracy_of(read_report(self._int8_report).runs)
        return paper_rows(runs, compared, with_largest, int8), compared

    def _run(self, network: Network) -> Path:
        return self.folder / "runs" / network.name

    def _copy_of(self, network: Network) -> Path:
        return self.folder / "copies" / network.name


def write_part(path: Path, data: Dataset, train: int, validation: int, test: int) -> None:
    """Write some images of each split, stratified, with the keys that `edgefit finetune` reads."""
    splits = {"train": (data.train, train), "val": (data.validation, validation), "test": (data.test, test)}
    arrays = {"classes": np.array(data.classes)}
    for name, (split, count) in splits.items():
        part = _sample(split, count)
        arrays |= {f"{name}_images": part.images, f"{name}_labels": part.labels}
    unfinished = path.with_name(f"unfinished-{path.name}")
    np.savez_compressed(unfinished, **arrays)  # type: ignore[arg-type]
    unfinished.rename(path)


def _sample(split: Split, count: int) -> Split:
    chosen = sample_stratified(split.labels, count, SPLIT_SEED)
    return Split(split.images[chosen], split.labels[chosen])


def _accuracy_of(runs: Sequence[Run]) -> Accuracy:
    """Return the figures of the only variant; raises InputError if it did not complete."""
    (variant,) = (run for run in runs if run.is_variant)
    if variant.accuracy is None:
        raise InputError(f"int8 was not tested: {variant.case} {variant.status}: {variant.reason}")
    return variant.accuracy


def do(steps: Sequence[Step]) -> None:
    """Do what has no result yet, and say how much time is left."""
    todo = [step for step in steps if not step.result.exists()]
    began, done = time.monotonic(), 0.0
    for number, step in enumerate(todo, start=1):
        left = sum(each.seconds for each in todo[number - 1 :])
        factor = (time.monotonic() - began) / done if done else 1.0
        line = f"{number} of {len(todo)}: {step.what}; about {left * factor / 60:.0f} minutes left"
        print(line, file=sys.stderr, flush=True)
        step.act()
        done += step.seconds
