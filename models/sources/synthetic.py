"""Makes a data set of generated radiographs. It knows their seeds, and not how one is drawn."""

from dataclasses import replace

from models.dataset import Dataset, Images, Labels, Split
from models.errors import InputError
from models.positive import positive_class
from models.progress import Progress
from models.sources.options import HELD_OUT_SHARE, SPLIT_SEED, Loader, SourceOptions
from models.sources.splitting import Indices, split_off
from models.synthetic.radiograph import CLASSES, FILMS_PER_DATASET, dataset_seeds, render_many

FEWEST, MOST = 50, FILMS_PER_DATASET
NOTE = "The radiographs are synthetic: they show no patient, and figures on them prove nothing clinical."


def prepare_synthetic(options: SourceOptions) -> Loader:
    """Return a loader of `options.images` radiographs of different patients, always the same ones."""
    if not FEWEST <= options.images <= MOST:
        raise InputError(
            f"--images {options.images} is out of range; give an integer from {FEWEST} to {MOST}"
        )

    positive = positive_class(CLASSES, options.positive)

    def load(progress: Progress) -> Dataset:
        progress.begin("Drawing synthetic radiographs", options.images)
        images, labels = render_many(dataset_seeds(0, options.images), options.image_size, progress.advance)
        return replace(_split(images, labels), positive=positive)

    return load


def _split(images: Images, labels: Labels) -> Dataset:
    """Hold out 20 % for the test, and 20 % of the rest for validation, stratified."""
    rest, test = split_off(labels, _one_group_each(len(labels)), HELD_OUT_SHARE, SPLIT_SEED)
    training, validation = split_off(labels[rest], _one_group_each(len(rest)), HELD_OUT_SHARE, SPLIT_SEED)

    def take(chosen: Indices) -> Split:
        return Split(images[chosen], labels[chosen])

    return Dataset("synthetic", CLASSES, take(rest[training]), take(rest[validation]), take(test), (NOTE,))


def _one_group_each(count: int) -> list[str]:
    return [str(index) for index in range(count)]
