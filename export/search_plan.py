"""What the int8 artifacts of one export share: held-out images, costs and recipes. It loads no torch."""

from pathlib import Path

from export.evaluation import Chosen, choose_images
from export.messages import Refused, SearchTask
from export.options import ExportOptions
from export.quantisation.candidates import candidates_for
from export.questions import ask_costs, write_answered_pack
from models.progress import Progress
from models.run_folder import Run

_MOST_HELD_OUT = 512
_HELD_OUT = "held-out.npz"


def plan_search(options: ExportOptions, run: Run, folder: Path, progress: Progress) -> SearchTask | Refused:
    """Find what int8 costs the network and write the held-out images into `folder`.

    Returns why int8 cannot be made, if it cannot even be simulated.
    """
    held_out, pack = run.images.heldout, folder / _HELD_OUT
    chosen = choose_images(held_out.labels, _MOST_HELD_OUT)
    images = Chosen(held_out.images[chosen], held_out.labels[chosen])
    write_answered_pack(pack, images, "held-out", options, progress)
    costs = ask_costs(options, progress)
    if isinstance(costs, Refused):
        return costs
    return SearchTask(
        candidates=candidates_for(costs, options.qat),
        held_out=str(pack),
        min_retention=options.min_retention,
        costs=costs,
        scratch=str(folder),
    )
