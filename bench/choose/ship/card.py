"""The card of a shipped artifact: its origin, its measurements with their conditions, its limits. Pure."""

from bench.bundle.manifest import ArtifactRecord, Bundle
from bench.choose.candidates import Candidate
from bench.choose.choosing import Choice
from bench.choose.ship.card_bundle import input_section, limits_of_use, network_of
from bench.units import mb, mib, ms

_CARD = """# {title}

{network}

{chosen}

| what | value | conditions |
|---|---|---|
{table}

Measured {when}; {source}.{warnings}

{inputs}

## Limits of use

{limits}
- The latency holds for the runtime, threads and machine above. Measure again after an update:
  `edgefit check NEW_BUNDLE --baseline BUNDLE`.
{notes}"""


def card_of(choice: Choice, chosen: Candidate, bundle: Bundle, artifact: ArtifactRecord) -> str:
    """Return the text of `CARD.md`. Every number in it has its conditions."""
    report, manifest = chosen.report, bundle.manifest
    host = report.host.board or report.host.cpu
    table = [
        f"| size | {mb(chosen.size_bytes):.2f} MB | all files of this artifact |",
        *_latency(chosen, host),
        f"| memory | {mib(chosen.memory_bytes):.0f} MiB | peak of a process that loads it and infers |",
        *_accuracy(chosen, is_run_folder=manifest.model.source is None),
        *([] if manifest.model.source is None else _verification(artifact)),
    ]
    warnings = [f"Warning: {warning}." for warning in chosen.run.warnings]
    return _CARD.format(
        title=f"{artifact.variant} of {manifest.name}",
        network=network_of(manifest),
        chosen="\n".join(_chosen(choice)),
        table="\n".join(table),
        when=f"{report.created} with edgefit {report.tool} on {host} ({report.host.os})",
        source=f"report '{report.name}', bundle {bundle.sha256[:16]}",
        warnings="\n".join(["", *warnings]) if warnings else "",
        inputs=input_section(manifest),
        limits=limits_of_use(manifest),
        notes="".join(f"- {note}\n" for note in manifest.notes),
    )


def _chosen(choice: Choice) -> list[str]:
    """Say what it was chosen for, and what has to be known beside that."""
    explanation = [f"- {sentence}" for sentence in choice.explanation]
    return [f"Chosen for **{choice.profile}** by {choice.prefer.value}: {choice.headline}", "", *explanation]


def _latency(chosen: Candidate, host: str) -> list[str]:
    run, latency = chosen.run, chosen.latency
    where = f"{run.runtime} on {run.config.provider}, {run.config.label}, {run.provenance} on {host}"
    ends = latency.p50_ci95_ns
    interval = "no interval" if ends is None else f"{ms(ends[0]):.3g} to {ms(ends[1]):.3g}"
    processes = f"{latency.samples} samples in {latency.processes} processes"
    lines = [f"| latency, median | {ms(latency.p50_ns):.3g} ms ({interval}) | {where}; {processes} |"]
    if latency.p95_ns is not None:
        lines.append(f"| latency, p95 | {ms(latency.p95_ns):.3g} ms | the same |")
    if run.provenance == "proxy":
        lines.append(f"| | | measured on a proxy: not the latency of {chosen.report.profile.name} |")
    if run.projected is not None:
        projected = run.projected
        lines.append(
            f"| latency, projected | {ms(projected.low_ns):.2g} to {ms(projected.high_ns):.2g} ms "
            f"| not measured, for {chosen.report.profile.name}; from {projected.basis} |"
        )
    return lines


def _accuracy(chosen: Candidate, is_run_folder: bool) -> list[str]:
    """Return what the labels say; nothing where there are none."""
    measured = chosen.run.accuracy
    if measured is None:
        return []
    lines = [f"| accuracy | {measured.top1:.3f} | {measured.images} evaluation images, with this file |"]
    retention = measured.retention
    if retention is not None and retention.ci95 is not None:
        low, high = retention.ci95
        figure = f"{retention.value:.3f} ({low:.3f} to {high:.3f})"
        whose = "the fp32 network's" if is_run_folder else "the source's"
        lines.append(f"| retention | {figure} | of {whose} accuracy, 95 % interval, same images |")
    if measured.sensitivity is not None and measured.specificity is not None:
        both = f"{measured.sensitivity:.3f}, {measured.specificity:.3f}"
        lines.append(f"| sensitivity, specificity | {both} | at a score of 0, same images |")
    return lines


def _verification(artifact: ArtifactRecord) -> list[str]:
    """Return how far the artifact's answers are those of the source, which needs no labels."""
    verification = artifact.verification
    where = f"with the source's outputs, {verification.images} evaluation samples, at export"
    lines = []
    if verification.agreement is not None:
        lines.append(f"| agreement | {verification.agreement:.3f} | {where} |")
    sqnr = "no difference" if verification.sqnr_db is None else f"{verification.sqnr_db:.1f} dB"
    return [*lines, f"| SQNR | {sqnr} | {where} |"]
