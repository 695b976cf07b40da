"""The process that makes and verifies artifacts: one request a line in, answers on a pipe of its own.

It knows one format's exporter and runtime at a time; what its answers mean for the bundle is the parent's.
"""

import importlib
import os
import sys
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import torch
from torch import nn

from bench.bundle import ArtifactRecord, VerificationRecord, describe
from bench.evaluation_pack import EvaluationPack, read_pack
from bench.records import Record
from bench.runtimes.protocol import LoadOptions
from bench.runtimes.table import load_runtime, row_of
from bench.statistics.accuracy import Logits
from export.calibration import calibration_images
from export.exporter import Exported, Exporter, ExportRequest
from export.folding import fold_batch_norms
from export.messages import REQUESTS, Answer, AskReference, Entered, Made, Reference, Refused, Request, Task
from export.reference import reference_logits
from export.verification import LIMITS, WrongArtifactError, verify
from models.run_folder import Run, read_run

Enter = Callable[[str], None]


def obey(request: Request, enter: Enter) -> Answer:
    """Do what is asked; `enter` is told each stage. Raises whatever goes wrong."""
    torch.set_num_threads(request.threads)
    match request:
        case AskReference():
            enter("ask the fp32 network")
            network = read_run(Path(request.run)).network()
            logits = reference_logits(network, read_pack(Path(request.pack)).images)
            return Reference(logits=tuple(tuple(float(one) for one in row) for row in logits))
        case Task():
            return Made(artifact=_make(request, enter))


def _make(task: Task, enter: Enter) -> ArtifactRecord:
    begun = time.perf_counter()
    enter("load")
    folder = Path(task.bundle) / task.variant
    folder.mkdir()
    exporter = cast("Exporter", importlib.import_module(task.exporter))
    request = _request(task, folder)
    enter("export")
    exported = exporter.export(request)
    enter("verify")
    verification = _verify(task, exported)
    return _describe(task, exported, verification, len(request.calibration), time.perf_counter() - begun)


def _request(task: Task, folder: Path) -> ExportRequest:
    run, network = _load(task.run)
    count = task.calibration_images if task.uses_calibration else 0
    return ExportRequest(
        network=network,
        image_size=run.record.image_size,
        precision=task.precision,
        calibration=calibration_images(run.images, count),
        folder=folder,
    )


@lru_cache(maxsize=1)
def _load(folder: str) -> tuple[Run, nn.Module]:
    run = read_run(Path(folder))
    return run, fold_batch_norms(run.network())


def _verify(task: Task, exported: Exported) -> VerificationRecord:
    whole = read_pack(Path(task.pack))
    pack = whole.first(LIMITS[task.precision].images or len(whole))
    logits = _run_over(pack, task, exported)
    return verify(task.precision, logits, pack.reference_logits, pack.labels)


def _run_over(pack: EvaluationPack, task: Task, exported: Exported) -> Logits:
    """Load the artifact as bench will, and answer the pack image by image.

    One thread: at batch 1 a second one gains little, and costs much where another process wants the core.
    """
    runtime = load_runtime(task.runtime)
    options = LoadOptions(threads=1, provider=row_of(task.runtime).provider, engine=exported.engine)
    session = runtime.load(exported.entry, options)
    logits = np.concatenate([session.infer(pack.batch(index)) for index in range(len(pack))])
    session.close()
    return logits


def _describe(
    task: Task, exported: Exported, verification: VerificationRecord, calibrated_on: int, seconds: float
) -> ArtifactRecord:
    bundle = Path(task.bundle)
    files = sorted(path for path in (bundle / task.variant).rglob("*") if path.is_file())
    return ArtifactRecord(
        variant=task.variant,
        format=task.format,
        precision=task.precision,
        entry=exported.entry.relative_to(bundle).as_posix(),
        files=tuple(describe(bundle, path) for path in files),
        producer=exported.producer,
        verification=verification,
        seconds=round(seconds, 3),
        opset=exported.opset,
        engine=exported.engine,
        method=exported.method,
        calibration_images=calibrated_on or None,
        left_in_float=exported.left_in_float,
    )


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until the parent closes the pipe."""

    def send(message: Record) -> None:
        answers.write(message.model_dump_json(by_alias=True).encode() + b"\n")
        answers.flush()

    for line in requests:
        send(_answer(REQUESTS.validate_json(line), lambda stage: send(Entered(stage=stage))))


def _answer(request: Request, enter: Enter) -> Answer:
    entered = ["start"]

    def note(stage: str) -> None:
        entered.append(stage)
        enter(stage)

    try:
        return obey(request, note)
    except WrongArtifactError as error:
        return Refused(stage=entered[-1], message=f"the artifact is wrong and was not kept: {error}")
    except Exception as error:  # noqa: BLE001 - the one place where whatever an exporter raises becomes a row
        return Refused(stage=entered[-1], message=f"{type(error).__name__}: {error}")


def main() -> None:
    """Serve requests from stdin on the pipe whose number is the first argument.

    What a library prints to stdout goes to stderr, where it cannot be mistaken for an answer.
    """
    os.dup2(2, 1)
    with open(int(sys.argv[1]), "wb") as answers:
        serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
