"""What is said of a report beside its numbers: conditions, the harness's own cost, doubts. Pure."""

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from bench.render import proxy_text
from bench.render.merged import merge
from bench.render.proxy_text import Names
from bench.render.sparkline import sparkline
from bench.report.schema import Report
from bench.runtimes.providers import short_name

_SPARKLINE_WIDTH = 30


@dataclass(frozen=True)
class Remark:
    """`who`: the rows that it is about, empty if it is about all of them."""

    kind: Literal["not completed", "warning"]
    who: str
    sentence: str


def conditions(report: Report) -> list[str]:
    """Return the sentences without which no number of this report means anything."""
    host, bundle, images = report.host, report.bundle, len(report.evaluation.labels)
    threads = sorted({run.threads for run in report.runs})
    what = (
        f"{bundle.name}: {bundle.model} at {bundle.image_size}×{bundle.image_size}, "
        f"weights {bundle.weights}, data {bundle.data}"
    )
    gpus = f", {', '.join(host.accelerators)}" if host.accelerators else ""
    where = (
        f"profile {report.profile.name} on {host.board or host.cpu}, {host.physical_cores} cores{gpus}, "
        f"{host.os}; {_listed(threads)} threads, batch 1"
    )
    quick = " (--quick)" if report.quick else ""
    kept = sum(run.predictions_cached_at is not None for run in report.runs)
    how = (
        f"{_sampling(report)}; "
        f"accuracy on {images} of {report.evaluation.pack_images} evaluation images{quick}"
        + (f", of {kept} variants kept from an earlier run on this machine" if kept else "")
    )
    return [what, where, how]


def _sampling(report: Report) -> str:
    timed = [run for run in report.runs if run.is_variant and run.latency_ms is not None]
    samples = sorted({run.latency_ms.samples for run in timed if run.latency_ms})
    processes = sorted({run.latency_ms.processes for run in timed if run.latency_ms})
    caches = sorted({run.file_cache for run in timed if run.file_cache})
    interval = any(run.latency_ms and run.latency_ms.p50_ci95 for run in timed)
    return (
        f"{_listed(samples)} samples a variant, taking turns, in {_listed(processes)} fresh processes each: "
        + ("±: 95 % interval of the median over processes" if interval else "no interval of the median")
        + f"; load and first inference: their median, file cache {' or '.join(caches) or 'not told'}"
    )


def _listed(numbers: list[int]) -> str:
    if len(numbers) > 2:
        return f"{numbers[0]} to {numbers[-1]}"
    return " or ".join(str(number) for number in numbers) or "no"


def row_names(report: Report) -> dict[tuple[str, str], str]:
    """Return what each variant's row is called: its variant, with its provider if the variant has several."""
    variants = [run for run in report.runs if run.is_variant]
    counts = Counter(run.variant for run in variants)
    return {
        run.case: f"{run.variant} {short_name(run.provider)}" if counts[run.variant] > 1 else run.variant
        for run in variants
    }


def beside(report: Report) -> list[str]:
    """Say what the harness itself costs, and how fast the machine was."""
    said = []
    for run in report.runs:
        if run.is_variant or run.latency_ms is None or run.memory_mb is None:
            continue
        memory = f"{run.memory_mb.peak or run.memory_mb.loaded:.0f} MiB"
        time = (
            f"{run.latency_ms.p50 * 1000:.1f} µs"
            if run.latency_ms.p50 < 0.1
            else f"{run.latency_ms.p50:.2f} ms"
        )
        said.append(f"{run.variant} ({run.runtime}): {time}, {memory}, {run.provenance}")
    return [" · ".join(said)] if said else []


def sustained(report: Report, names: Names) -> list[str]:
    """Say of each row that ran without a pause where it settled, with a line drawn of it."""
    lines = []
    for run in report.runs:
        if (found := run.sustained) is None:
            continue
        after = found.settled_after_s
        settles = (
            "does not settle"
            if after is None
            else f"settles at {found.settled_ms:.2f} ms after {after:.0f} s"
        )
        drawn = sparkline([point.p50_ms for point in found.points], _SPARKLINE_WIDTH)
        lines.append(
            f"sustained {found.seconds:.0f} s  {names[run.case]:<16} {drawn}  "
            f"{found.points[0].p50_ms:.2f} ms at first, {settles}, drift {found.drift:+.0%}, {run.provenance}"
        )
    return lines


def remarks(report: Report, names: Names) -> list[Remark]:
    """Return why rows did not run, then what is doubtful of some of them, then of all."""
    not_completed = [
        Remark("not completed", called, reason)
        for reason, called in proxy_text.grouped(
            (run.reason or "", f"{names.get(run.case, run.variant)} {run.status}")
            for run in report.runs
            if run.status != "completed"
        )
    ]
    completed = [run for run in report.runs if run.status == "completed"]
    of_all = Counter(sentence for run in completed for sentence in set(run.warnings))
    shared = [sentence for sentence, count in of_all.items() if count == len(completed) > 1]
    general = list(dict.fromkeys([*report.warnings, *shared]))
    own = merge(
        (names.get(run.case, run.variant), sentence)
        for run in completed
        for sentence in run.warnings
        if sentence not in general
    )
    return [
        *not_completed,
        *(Remark("warning", called, sentence) for called, sentence in own),
        *(Remark("warning", "", sentence) for sentence in general),
    ]
