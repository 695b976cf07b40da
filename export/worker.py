"""The process that makes and verifies artifacts: one request a line in, answers on a pipe of its own.

It knows one format's exporter and runtime at a time; what its answers mean for the bundle is the parent's.
"""

import os
import sys
import time
from pathlib import Path
from typing import BinaryIO, Literal

import torch

from bench.bundle.cpu_class import TARGETS, CpuClass
from bench.bundle.evaluation_pack import read_pack
from bench.bundle.manifest import ArtifactRecord, ClassVerification, VerificationRecord, describe
from bench.bundle.recipe import Search
from bench.bundle.variants import Precision
from bench.record import Record
from bench.system.host import cpu_class_here
from export.artifact import answers_of, is_made_for_this_machine, make
from export.best_artifact import make_best
from export.exporter import Exported
from export.messages import (
    REQUESTS,
    Advanced,
    Answer,
    AskReference,
    Entered,
    Made,
    MeasureSensitivity,
    Reference,
    Refused,
    Request,
    SensitivityMeasured,
    Task,
    Tell,
    Told,
)
from export.networks import load, simulate
from export.quantisation.costs import Costs
from export.quantisation.sensitivity import find_costs
from export.reference import reference_logits
from export.verification import LIMITS, WrongArtifactError, verify

_IMAGES_TO_FIND_COSTS = 16
# Sums that do not saturate are computed unfused or by slow kernels: few images, for they take long.
_IMAGES_FOR_OTHER_CLASSES = 64


def handle(request: Request, tell: Tell) -> Answer:
    """Do what is asked; `tell` hears each stage and step. Raises whatever goes wrong."""
    torch.set_num_threads(request.threads)
    match request:
        case AskReference():
            tell(Entered(stage="ask the fp32 network"))
            network = load(request.run).run.network()
            logits = reference_logits(network, read_pack(Path(request.pack)).images)
            return Reference(logits=tuple(tuple(float(one) for one in row) for row in logits))
        case MeasureSensitivity():
            return SensitivityMeasured(costs=_find_costs(request, tell))
        case Task():
            return Made(artifact=_make(request, tell))


def _find_costs(request: MeasureSensitivity, tell: Tell) -> Costs:
    tell(Entered(stage="simulate int8"))
    simulated = simulate(request.run)
    images = simulated.images[:_IMAGES_TO_FIND_COSTS]
    return find_costs(
        simulated.network,
        images,
        simulated.ranges,
        TARGETS[request.cpu].weight_level,
        lambda done, total: tell(Advanced(done=done, total=total)),
    )


def _make(task: Task, tell: Tell) -> ArtifactRecord:
    begun = time.perf_counter()
    tell(Entered(stage="load"))
    folder = Path(task.bundle) / task.variant
    folder.mkdir()
    load(task.run)
    tell(Entered(stage="export"))
    search = None
    if task.search is None:
        exported = make(task, None, folder, tell)
    else:
        exported, search = make_best(task, task.search, folder, tell)
    tell(Entered(stage="verify"))
    verification = _verify(task, exported)
    classes = _check_classes(task, exported, verification, tell)
    return _describe(task, exported, verification, classes, search, time.perf_counter() - begun)


def _verify(task: Task, exported: Exported) -> VerificationRecord:
    whole = read_pack(Path(task.pack))
    pack = whole.first(LIMITS[task.precision].images or len(whole))
    logits = answers_of(task, exported, pack, exact=not is_made_for_this_machine(task))
    return verify(task.precision, logits, pack.reference_logits, pack.labels)


def _check_classes(
    task: Task, exported: Exported, verification: VerificationRecord, tell: Tell
) -> tuple[ClassVerification, ...]:
    """Return what an int8 artifact's answers are on each class of CPUs that it is made for.

    Its sums saturate on none of them, so what was not measured here is simulated, once for all.
    """
    if task.precision is not Precision.INT8:
        return ()
    classes, own = TARGETS[task.cpu].classes, cpu_class_here()
    others = [each for each in classes if each is not own]
    here: tuple[ClassVerification, ...] = ()
    if own in classes:
        here = (_class_verification(own, "measured", verification),)
    if not others:
        return here
    tell(Entered(stage="simulate other CPUs"))
    pack = read_pack(Path(task.pack)).first(_IMAGES_FOR_OTHER_CLASSES)
    logits = answers_of(task, exported, pack, exact=True)
    simulated = verify(task.precision, logits, pack.reference_logits, pack.labels)
    return (*here, *(_class_verification(each, "simulated", simulated) for each in others))


def _class_verification(
    cpu_class: CpuClass, how: Literal["measured", "simulated"], verification: VerificationRecord
) -> ClassVerification:
    return ClassVerification(
        cpu_class=cpu_class,
        how=how,
        images=verification.images,
        agreement=verification.agreement,
        sqnr_db=verification.sqnr_db,
    )


def _describe(
    task: Task,
    exported: Exported,
    verification: VerificationRecord,
    classes: tuple[ClassVerification, ...],
    search: Search | None,
    seconds: float,
) -> ArtifactRecord:
    bundle = Path(task.bundle)
    files = sorted(path for path in (bundle / task.variant).rglob("*") if path.is_file())
    calibrated_on = min(task.calibration_images, len(load(task.run).run.images.calibration.labels))
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
        cpu=task.cpu if task.precision is Precision.INT8 else None,
        classes=classes,
        method=exported.method,
        calibration_images=calibrated_on or None,
        excluded_modules=exported.excluded_modules,
        search=search,
    )


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until the parent closes the pipe."""

    def send(message: Record) -> None:
        answers.write(message.model_dump_json(by_alias=True).encode() + b"\n")
        answers.flush()

    for line in requests:
        send(_answer(REQUESTS.validate_json(line), send))


def _answer(request: Request, tell: Tell) -> Answer:
    entered = ["start"]

    def note(told: Told) -> None:
        if isinstance(told, Entered):
            entered.append(told.stage)
        tell(told)

    try:
        return handle(request, note)
    except WrongArtifactError as error:
        return Refused(stage=entered[-1], message=f"the artifact is wrong and was not kept: {error}")
    except Exception as error:  # noqa: BLE001 - the one place where whatever an exporter raises becomes a row
        return Refused(stage=entered[-1], message=f"{type(error).__name__}: {error}")


def main() -> None:
    """Serve requests from stdin on the pipe whose number is the last argument.

    What a library prints to stdout goes to stderr, where it cannot be mistaken for an answer.
    """
    os.dup2(2, 1)
    with open(int(sys.argv[-1]), "wb") as answers:
        serve(sys.stdin.buffer, answers)
