"""What the int8 artifacts of one export share: held-out images, costs and recipes. It loads no torch."""

from pathlib import Path

from bench.errors import InputError
from export.evaluation import Chosen, choose_images
from export.messages import SearchTask
from export.options import ExportOptions
from export.quantisation.candidates import candidates_for
from export.questions import ask_costs, write_answered_pack
from models.progress import Progress
from models.run_folder import Run

_MOST_HELD_OUT = 256
_HELD_OUT = "held-out.npz"
_REFINED = "refined.safetensors"


def plan_search(options: ExportOptions, run: Run, folder: Path, progress: Progress) -> SearchTask | None:
    """Find what int8 costs the network and write the held-out images into `folder`; None for no search.

    Raises InputError where there are no images to search with.
    """
    if options.min_retention == 0:
        return None
    chosen = _held_out(run)
    pack = folder / _HELD_OUT
    write_answered_pack(pack, chosen, options, progress)
    costs = ask_costs(options, progress)
    candidates = candidates_for(costs, options.qat)
    return SearchTask(
        recipes=candidates.recipes,
        resorts=candidates.resorts,
        held_out=str(pack),
        min_retention=options.min_retention,
        costs=costs,
        refined=str(folder / _REFINED),
    )


def _held_out(run: Run) -> Chosen:
    held_out = run.images.heldout
    if not len(held_out):
        raise InputError(
            f"{run.folder}: holds no held-out images to search an int8 recipe on; fine-tune with a "
            "validation split, or give --min-retention 0 for no search"
        )
    chosen = choose_images(held_out.labels, _MOST_HELD_OUT)
    return Chosen(held_out.images[chosen], held_out.labels[chosen])
