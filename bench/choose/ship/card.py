"""The card of a shipped artifact: its origin, its measurements with their conditions, its limits. Pure."""

from bench.bundle.manifest import ArtifactRecord, Bundle
from bench.choose.candidates import Candidate
from bench.choose.choosing import Choice
from bench.units import mb, mib, ms

# Every card of every version contains this sentence, so that an earlier one is recognised by it.
UNCHANGING = "`classify.py` does just that; the network normalises by itself."
_CARD = """# {title}

{network}; {origin}.

{chosen}

| what | value | conditions |
|---|---|---|
{table}

Measured {when}; {source}.{warnings}

## How an image becomes an input

{steps}. {unchanging}

## Limits of use

- This is not a medical device. No diagnosis may be based on it.
- The accuracy holds for images of {data}. It is unknown for images from other devices, of other age
  groups, or with other preprocessing.
- It has {count} classes ({classes}) and gives one of them to every image, even to an ordinary photograph.
- The latency holds for the runtime, threads and machine above. Measure again after an update:
  `edgefit check NEW_BUNDLE --baseline BUNDLE`.
{notes}"""


def card_of(choice: Choice, chosen: Candidate, bundle: Bundle, artifact: ArtifactRecord) -> str:
    """Return the text of `CARD.md`. Every number in it has its conditions."""
    report, manifest = chosen.report, bundle.manifest
    model, steps = manifest.model, manifest.preprocessing
    classes, host = ", ".join(model.classes), report.host.board or report.host.cpu
    table = [
        f"| size | {mb(chosen.size_bytes):.2f} MB | all files of this artifact |",
        *_latency(chosen, host),
        f"| memory | {mib(chosen.memory_bytes):.0f} MiB | peak of a process that loads it and infers |",
        *_accuracy(chosen),
    ]
    warnings = [f"Warning: {warning}." for warning in chosen.run.warnings]
    return _CARD.format(
        title=f"{artifact.variant} of {manifest.name}",
        network=f"{model.arch} at {model.image_size}×{model.image_size}, classes {classes}",
        origin=f"starting weights {model.weights}, fine-tuned on {model.data}",
        chosen="\n".join(_chosen(choice)),
        table="\n".join(table),
        when=f"{report.created} with edgefit {report.tool} on {host} ({report.host.os})",
        source=f"report '{report.name}', bundle {bundle.sha256[:16]}",
        warnings="\n".join(["", *warnings]) if warnings else "",
        unchanging=UNCHANGING,
        steps="" if steps is None else steps.words,
        data=model.data,
        count=len(model.classes),
        classes=classes,
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


def _accuracy(chosen: Candidate) -> list[str]:
    measured = chosen.run.accuracy
    if measured is None:
        return []
    lines = [f"| accuracy | {measured.top1:.3f} | {measured.images} evaluation images, with this file |"]
    retention = measured.retention
    if retention is not None and retention.ci95 is not None:
        low, high = retention.ci95
        figure = f"{retention.value:.3f} ({low:.3f} to {high:.3f})"
        lines.append(f"| retention | {figure} | of the fp32 network's accuracy, 95 % interval, same images |")
    if measured.sensitivity is not None and measured.specificity is not None:
        both = f"{measured.sensitivity:.3f}, {measured.specificity:.3f}"
        lines.append(f"| sensitivity, specificity | {both} | at a score of 0, same images |")
    return lines
