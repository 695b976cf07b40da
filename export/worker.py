"""The process that makes and verifies artifacts. It reads a request a line and answers on a pipe of its own.

It knows one format's exporter and runtime at a time. The parent decides what its answers mean for the bundle.
"""

import math
import os
import sys
import time
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
import numpy.typing as npt
import torch

from bench.bundle.cpu_class import TARGETS, CpuClass
from bench.bundle.evaluation_pack import read_pack
from bench.bundle.judged_output import judged_values, stacked
from bench.bundle.manifest import ArtifactRecord, ClassVerification, VerificationRecord, describe
from bench.bundle.recipe import Search
from bench.bundle.signature import Signature
from bench.bundle.variants import Precision
from bench.errors import BenchError, InputError
from bench.record import Record
from bench.runtimes.installed import import_runtime
from bench.system.host import cpu_class_here
from export.artifact import copy_own, is_made_for_this_machine, make, run_on_pack
from export.best_artifact import make_best
from export.calibration import calibration_inputs
from export.exporter import Exported
from export.half_precision import NothingInHalfError
from export.messages import (
    REQUESTS,
    Advanced,
    Answer,
    ComputeReference,
    DescribeSource,
    Entered,
    Made,
    MeasureSensitivity,
    ProgressMessage,
    Reference,
    Refused,
    Report,
    Request,
    SensitivityMeasured,
    SourceDescribed,
    Task,
    WrongInput,
)
from export.networks import simulate
from export.quantisation.sensitivity import Sensitivity
from export.quantisation.sensitivity_analysis import analyse_sensitivity
from export.sources.base_layers import layers_of
from export.sources.opening import describe_source, load
from export.sources.source import NotLayeredError
from export.sources.spec import OpenSource
from export.stages import steps_of
from export.verification import LIMITS, WrongArtifactError, verify
from models.errors import InputError as ModelsInputError

_WRONG_INPUT = (BenchError, ModelsInputError)
_IMAGES_FOR_SENSITIVITY = 16
# Sums that do not saturate are computed unfused or by slow kernels, so they are computed for few images.
_IMAGES_FOR_OTHER_CLASSES = 64


def handle(request: Request, report: Report) -> Answer:
    """Answer a request; `report` receives each stage and step. Whatever goes wrong is raised."""
    torch.set_num_threads(request.threads)
    match request:
        case DescribeSource():
            return SourceDescribed(description=describe_source(request.spec, request.shapes))
        case ComputeReference():
            return _compute_reference(request, report)
        case MeasureSensitivity():
            return SensitivityMeasured(sensitivity=_measure_sensitivity(request, report))
        case Task():
            return Made(artifact=_make(request, report))


def _compute_reference(request: ComputeReference, report: Report) -> Reference:
    report(Entered(stage="run the source"))
    source, pack = load(request.source).source, read_pack(Path(request.pack))
    inputs, output = request.source.inputs, request.source.output
    rows = []
    for index in range(len(pack)):
        values = judged_values(source.run(pack.inputs(index, inputs)), output)
        _refuse_not_finite(request.source, values, index)
        rows.append(values)
        report(Advanced(done=index + 1, total=len(pack)))
    return Reference(logits=tuple(tuple(map(_finite, row)) for row in stacked(rows)))


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _refuse_not_finite(source: OpenSource, values: npt.NDArray[np.float32], index: int) -> None:
    if not np.isfinite(values).all():
        wrong = values[~np.isfinite(values)].flat[0]
        raise InputError(
            f"{source.spec.name}: its output '{source.output.name}' has the value {wrong} for sample "
            f"{index + 1} of the data; give weights that are finite numbers, and samples and --preprocess as "
            "in training"
        )


def _measure_sensitivity(request: MeasureSensitivity, report: Report) -> Sensitivity:
    report(Entered(stage="simulate int8"))
    try:
        simulated = simulate(request.source, request.calibration, steps_of(report))
    except NotLayeredError as error:
        base = load(request.source).base
        if base is None:
            raise
        return Sensitivity(layers=layers_of(base), activations=(), unmeasured=str(error))
    return analyse_sensitivity(
        simulated.network,
        simulated.images[: simulated.footprint.stored_at_once(_IMAGES_FOR_SENSITIVITY)],
        simulated.ranges,
        TARGETS[request.cpu].weight_level,
        lambda done, total: report(Advanced(done=done, total=total)),
        are_classes=request.source.output.kind == "classes",
    )


def _make(task: Task, report: Report) -> ArtifactRecord:
    began = time.perf_counter()
    report(Entered(stage="load"))
    folder = Path(task.bundle) / task.variant
    folder.mkdir()
    load(task.source)
    report(Entered(stage="export"))
    search = None
    if task.is_own:
        exported = copy_own(task, folder)
    elif task.search is None:
        exported = make(task, None, folder, report)
    else:
        exported, search = make_best(task, task.search, folder, report)
    report(Entered(stage="verify"))
    verification = _verify(task, exported, report)
    classes = _check_classes(task, exported, verification, report)
    return _describe(task, exported, verification, classes, search, time.perf_counter() - began)


def _verify(task: Task, exported: Exported, report: Report) -> VerificationRecord:
    whole = read_pack(Path(task.pack))
    pack = whole.first(LIMITS[task.precision].images or len(whole))
    logits = run_on_pack(task, exported, pack, exact=not is_made_for_this_machine(task), report=report)
    return verify(task.precision, logits, pack.reference_logits, pack.labels, task.source.output)


def _check_classes(
    task: Task, exported: Exported, verification: VerificationRecord, report: Report
) -> tuple[ClassVerification, ...]:
    """Verify an int8 artifact on each class of CPUs that it is made for.

    Its sums saturate on none of these classes, so one simulation stands for all that this machine is not of.
    What somebody else quantised may saturate, and is verified on this machine alone.
    """
    if task.precision is not Precision.INT8:
        return ()
    if task.calibration is None:
        here_class = cpu_class_here()
        return () if here_class is None else (_class_verification(here_class, "measured", verification),)
    classes, own = TARGETS[task.cpu].classes, cpu_class_here()
    others = [cpu_class for cpu_class in classes if cpu_class is not own]
    here: tuple[ClassVerification, ...] = ()
    if own in classes:
        here = (_class_verification(own, "measured", verification),)
    if not others:
        return here
    report(Entered(stage="simulate other CPUs"))
    pack = read_pack(Path(task.pack)).first(_IMAGES_FOR_OTHER_CLASSES)
    logits = run_on_pack(task, exported, pack, exact=True, report=report)
    simulated = verify(task.precision, logits, pack.reference_logits, pack.labels, task.source.output)
    return (*here, *(_class_verification(cpu_class, "simulated", simulated) for cpu_class in others))


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
    calibrated_on = len(calibration_inputs(task.calibration, (), task.calibration_images))
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
        cpu=task.cpu if task.precision is Precision.INT8 and task.calibration is not None else None,
        classes=classes,
        method=exported.method,
        calibration_images=calibrated_on or None,
        excluded_modules=exported.excluded_modules,
        warnings=exported.warnings,
        search=search,
        signature=_signature(task, exported),
    )


def _signature(task: Task, exported: Exported) -> Signature:
    """Read the file's inputs and outputs. What it leaves open is as the source has it."""
    stated, source = import_runtime(task.runtime).describe(exported.entry).signature, task.source
    inputs = tuple(
        tensor
        if tensor.is_fixed and tensor.is_numeric
        else tensor.model_copy(update={"shape": own.shape, "dtype": own.dtype})
        for tensor, own in zip(stated.inputs, source.inputs, strict=True)
    )
    outputs = stated.outputs or tuple(
        own.model_copy(update={"name": f"output_{index}"}) for index, own in enumerate(source.outputs)
    )
    return Signature(inputs=inputs, outputs=outputs)


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until the parent closes the pipe."""

    def send(message: Record) -> None:
        answers.write(message.model_dump_json(by_alias=True).encode() + b"\n")
        answers.flush()

    for line in requests:
        send(_answer(REQUESTS.validate_json(line), send))


def _answer(request: Request, report: Report) -> Answer:
    stages = ["start"]

    def note(message: ProgressMessage) -> None:
        if isinstance(message, Entered):
            stages.append(message.stage)
        report(message)

    try:
        return handle(request, note)
    except WrongArtifactError as error:
        return Refused(stage=stages[-1], message=f"the artifact is wrong and was not kept: {error}")
    except (NotLayeredError, NothingInHalfError) as error:
        return Refused(stage=stages[-1], message=str(error))
    except Exception as error:  # noqa: BLE001 - whatever an exporter raises becomes a row of the manifest
        if isinstance(request, DescribeSource | ComputeReference) and isinstance(error, _WRONG_INPUT):
            return WrongInput(message=str(error), exit_code=error.exit_code)
        return Refused(stage=stages[-1], message=f"{type(error).__name__}: {error}")


def main() -> None:
    """Read requests from stdin and answer on the pipe whose number is the last argument.

    Whatever a library prints to stdout goes to stderr, where nothing can mistake it for an answer.
    """
    os.dup2(2, 1)
    with open(int(sys.argv[-1]), "wb") as answers:
        serve(sys.stdin.buffer, answers)
