"""Whether samples, processes, predictions and times of a report fit its plan and each other."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone

from bench.harness.interleaving import end_of_sampling
from bench.harness.plan import block_samples
from bench.harness.timed_outputs import MOST_DIFFERENCE
from bench.measurements import Block, Completed, End, ProcessTiming
from bench.report.schema import Evaluation, Report, Run
from bench.run.request import QUICK_IMAGES
from bench.verify.document import VerifiedPart, part
from device_profiles.settings import Sampling
from user_files.wording import counted

# Clocks of boards without a battery are wrong by hours.
_CLOCKS_DIFFER = timedelta(days=1)


def times_part(report: Report, now: datetime) -> VerifiedPart:
    """Compare when the report was made with now, and when its predictions were computed with that."""
    created = _time(report.created)
    if created is None:
        return part("dates", "when it was made", [f"'created' is {report.created!r}, no time of ISO 8601"])
    wrong = []
    if created > now + _CLOCKS_DIFFER:
        wrong.append(f"'created' is {report.created}, which is in the future")
    for run in report.runs:
        cached = None if run.completed is None else run.completed.predictions_cached_at
        computed = None if cached is None else _time(cached)
        if computed is not None and computed > created + _CLOCKS_DIFFER:
            wrong.append(f"{run.case}: its predictions are of {cached}, after the report was made")
    return part("dates", f"it was made at {report.created}", wrong)


def _time(text: str) -> datetime | None:
    """Return a time of ISO 8601; without a zone it is taken for UTC. None if it is none."""
    try:
        time = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return time if time.tzinfo is not None else time.replace(tzinfo=timezone.utc)


def samples_part(report: Report) -> VerifiedPart:
    """Compare blocks, processes and the end of sampling with the profile's plan."""
    sampling = report.profile.quick if report.quick else report.profile.sampling
    wrong = [
        f"{run.case}: {sentence}"
        for run in report.runs
        if run.completed is not None
        for sentence in _of_row(run, run.completed, sampling)
    ]
    positions = [
        block.position
        for run in report.runs
        if run.completed is not None
        for process in run.completed.processes
        for block in process.blocks
    ]
    has_failed = any(run.status == "failed" for run in report.runs)
    wrong += _of_positions(positions, are_all_here=not has_failed and report.joint_run is None)
    most = counted(sampling.check_after_processes[-1], "process", "processes")
    checked = (
        f"{counted(len(positions), 'block')} of at most {sampling.block_samples} samples, "
        f"{sampling.blocks} in a process, and at most {most}, as the profile plans"
    )
    return part("samples", checked, wrong)


def _of_positions(positions: Sequence[int], are_all_here: bool) -> Iterator[str]:
    """Yield what is impossible in the order of all blocks, which are counted as they are measured.

    `are_all_here`: the blocks of a row that failed are not kept, and those of networks that took turns with
    this one are in their own reports.
    """
    if len(set(positions)) < len(positions):
        yield "two blocks have one position in the run"
    lacking = max(positions, default=-1) + 1 - len(set(positions))
    if lacking > 0 and are_all_here:
        yield f"{lacking} blocks were measured and are in no row, and no row failed"


def _of_row(run: Run, measured: Completed, sampling: Sampling) -> Iterator[str]:
    most = sampling.check_after_processes[-1]
    repetitions = {process.repetition for process in measured.processes}
    if max(repetitions) >= most:
        yield f"repetition {max(repetitions) + 1} of at most {most}"
    if any(process.group >= measured.groups for process in measured.processes):
        yield f"a process is of group {max(process.group for process in measured.processes) + 1}, of "
        f"{measured.groups}"
    for process in measured.processes:
        yield from _of_process(process, sampling)
    blocks = {(process.group, process.repetition): 0 for process in measured.processes}
    for process in measured.processes:
        blocks[process.group, process.repetition] += len(process.blocks)
    if max(blocks.values()) > sampling.blocks:
        yield f"{max(blocks.values())} blocks in one repetition, of {sampling.blocks}"
    if run.is_variant and (sentence := _of_end(measured, sampling, len(repetitions))) is not None:
        yield sentence


def _of_process(process: ProcessTiming, sampling: Sampling) -> Iterator[str]:
    name = f"process {process.repetition + 1}"
    if not 1 <= len(process.warm_up_ns) <= sampling.warm_up:
        yield f"{name}: {len(process.warm_up_ns)} inferences of warm-up, of 1 to {sampling.warm_up}"
        return
    if process.cached_share is not None and not 0 <= process.cached_share <= 1:
        yield f"{name}: a share of {process.cached_share:g} of its file was in the cache"
    most = block_samples(sampling, process.warm_up_ns)
    for block in process.blocks:
        if not 1 <= len(block.ns) <= most:
            yield f"{name}: a block of {len(block.ns)} samples, of 1 to {most}"
        if (sentence := _of_block(block)) is not None:
            yield f"{name}: {sentence}"
    if len({block.pass_index for block in process.blocks}) < len(process.blocks):
        yield f"{name}: two blocks of one pass"


def _of_block(block: Block) -> str | None:
    """Return what is impossible in a block; None if nothing is."""
    if min(block.ns) < 0:
        return "a sample is negative"
    elapsed = None if block.counters is None else block.counters.elapsed_ns
    if elapsed is not None and sum(block.ns) > elapsed:
        return f"samples of {sum(block.ns)} ns in a block of {elapsed} ns"
    return None


def _of_end(measured: Completed, sampling: Sampling, repetitions: int) -> str | None:
    """Return why sampling cannot have ended as the row says; None if it can."""
    if measured.ended not in (End.NARROW, End.PROCESSES, End.FEW):
        return None
    end = end_of_sampling(measured.processes, repetitions, sampling, out_of_time=False)
    if end is measured.ended:
        return None
    should = "going on" if end is None else f"'{end.value}'"
    return f"sampling ended because '{measured.ended.value}', and its samples give {should}"


def predictions_part(report: Report) -> VerifiedPart:
    """Compare the number of predictions with the images; say which an earlier run computed."""
    evaluation = report.evaluation
    gaps = [
        f"{run.case}: its predictions are those of an earlier run, of {run.completed.predictions_cached_at}"
        for run in report.runs
        if run.completed is not None and run.completed.predictions_cached_at is not None
    ]
    if evaluation is None:
        return part("predictions", None, gaps=["model files have no labels, so there is no accuracy"])
    wrong = [*_of_evaluation(evaluation, report.quick)]
    for run in report.runs:
        if run.completed is None or not run.is_variant:
            continue
        rows = () if run.completed.logits is None else run.completed.logits
        if len(rows) != evaluation.images:
            wrong.append(f"{run.case}: predictions for {len(rows)} of {evaluation.images} images")
        elif {len(row) for row in rows} != {len(evaluation.reference_logits[0])}:
            wrong.append(f"{run.case}: predictions and reference have another number of values")
    checked = f"every completed variant has predictions for {evaluation.images} images"
    return part("predictions", checked, wrong, gaps)


def _of_evaluation(evaluation: Evaluation, quick: bool) -> Iterator[str]:
    planned = min(QUICK_IMAGES, evaluation.pack_images) if quick else evaluation.pack_images
    if evaluation.images != planned:
        yield f"{evaluation.images} images were evaluated, and {planned} are planned"
    if evaluation.labels is not None and len(evaluation.labels) != evaluation.images:
        yield f"{len(evaluation.labels)} labels for {evaluation.images} images"


def timed_outputs_part(report: Report) -> VerifiedPart:
    """Say how many outputs of timed inferences were compared; a large difference needs a warning."""
    measured = [(run, run.completed) for run in report.runs if run.is_variant and run.completed is not None]
    differences = [difference for _, row in measured for difference in row.output_differences]
    without = [run.case for run, row in measured if not row.output_differences]
    gaps = [f"{', '.join(without)}: none was compared with the accuracy pass"] if without else []
    wrong = [
        f"{run.case}: a difference of outputs is negative"
        for run, row in measured
        if min(row.output_differences, default=0) < 0
    ]
    wrong += [
        f"{run.case}: a timed inference's output differs by {row.largest_output_difference:.2g}, and no "
        "warning says so"
        for run, row in measured
        if (row.largest_output_difference or 0) > MOST_DIFFERENCE
        and not any("from one inference to the next" in warning for warning in run.warnings)
    ]
    if not differences:
        return part("timed outputs", None, wrong, gaps)
    largest = max(differences)
    words = (
        "all are equal" if largest == 0 else f"the largest difference is {largest:.2g} of the largest value"
    )
    checked = f"{len(differences)} outputs of timed inferences against the accuracy pass: {words}"
    return part("timed outputs", checked, wrong, gaps)
