"""Generated radiographs as a data set. It knows which seeds they come from, and not how one is drawn."""

from models.dataset import Dataset, Images, Labels, Split
from models.errors import InputError
from models.progress import Progress
from models.sources.options import HELD_OUT_SHARE, SPLIT_SEED, Loader, SourceOptions
from models.sources.splitting import Indices, split_off
from models.synthetic.radiograph import CLASSES, FILMS_PER_DATASET, dataset_seeds, render_many

FEWEST, MOST = 50, FILMS_PER_DATASET
NOTE = "The radiographs are synthetic: no patient, and nothing clinical is proved by any figure on them."


def prepare_synthetic(options: SourceOptions) -> Loader:
    """`options.images` radiographs, each of a patient of its own, always the same ones."""

    if not FEWEST <= options.images <= MOST:
        raise InputError(
            f"--images {options.images}: out of range, give a whole number from {FEWEST} to {MOST}"
        )

    def load(progress: Progress) -> Dataset:
        progress.begin("Drawing synthetic radiographs", options.images)
        images, labels = render_many(dataset_seeds(0, options.images), options.image_size, progress.advance)
        return _split(images, labels)

    return load


def _split(images: Images, labels: Labels) -> Dataset:
    """20 % for the test, and of the rest 20 % for validation, stratified."""
    rest, test = split_off(labels, _alone(len(labels)), HELD_OUT_SHARE, SPLIT_SEED)
    kept, held = split_off(labels[rest], _alone(len(rest)), HELD_OUT_SHARE, SPLIT_SEED)

    def take(chosen: Indices) -> Split:
        return Split(images[chosen], labels[chosen])

    return Dataset("synthetic", CLASSES, take(rest[kept]), take(rest[held]), take(test), (NOTE,))


def _alone(count: int) -> list[str]:
    return [str(index) for index in range(count)]
