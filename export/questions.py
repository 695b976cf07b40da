"""What the parent asks a worker about the network as a whole: its answers, and what int8 costs it."""

from pathlib import Path

import numpy as np

from bench.bundle.evaluation_pack import EvaluationPack, write_pack
from export.evaluation import Chosen
from export.messages import (
    Advanced,
    Answer,
    AskReference,
    MeasureSensitivity,
    Reference,
    Refused,
    Request,
    SensitivityMeasured,
    Tell,
    Told,
)
from export.options import ExportOptions
from export.quantisation.costs import Costs
from export.worker_process import WorkerProcess, ignore
from models.progress import Progress


class ReferenceFailedError(RuntimeError):
    """The network that every artifact is compared with could not be run: edgefit's or torch's fault."""


def write_answered_pack(
    path: Path, chosen: Chosen, what: str, options: ExportOptions, progress: Progress
) -> None:
    """Write images, labels and what the fp32 network answers; `what`: which images."""
    progress.begin(f"Asking the fp32 network about {what} images", 1)
    # First without logits, for the worker to read the images.
    unanswered = np.zeros((len(chosen.labels), 1), dtype=np.float32)
    write_pack(path, EvaluationPack(chosen.images, chosen.labels, unanswered))
    question = AskReference(run=options.run_folder, pack=str(path), threads=options.threads_used)
    answer = _ask(question, options)
    if not isinstance(answer, Reference):
        raise ReferenceFailedError(f"the fp32 network of {options.run} could not be run: {answer}")
    logits = np.array(answer.logits, dtype=np.float32)
    write_pack(path, EvaluationPack(chosen.images, chosen.labels, logits))
    progress.advance()


def ask_costs(options: ExportOptions, progress: Progress) -> Costs | Refused:
    """Return what int8 costs the network, layer by layer, or why that could not be found."""
    begun = False

    def receive(told: Told) -> None:
        nonlocal begun
        if isinstance(told, Advanced):
            if not begun:
                progress.begin("Finding what int8 costs", told.total)
            begun = True
            progress.advance()

    answer = _ask(
        MeasureSensitivity(run=options.run_folder, threads=options.threads_used, cpu=options.cpu),
        options,
        receive,
    )
    match answer:
        case SensitivityMeasured(costs=costs):
            return costs
        case Refused():
            return answer
        case _:
            raise AssertionError("a worker answers what it was asked")


def _ask(question: Request, options: ExportOptions, receive: Tell = ignore) -> Answer:
    with WorkerProcess() as worker:
        return worker.ask(question, options.timeout_s, receive)
