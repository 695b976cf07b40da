"""The card that goes out with a picked artifact: what it is, what was measured, how, and its limits. Pure."""

from bench.bundle.manifest import ArtifactRecord, Bundle
from bench.choose.candidates import Candidate
from bench.choose.choosing import Choice

# In every card, of every version.
UNCHANGING = "`classify.py` does just that; the network normalises by itself."
_CARD = """# {title}

{network}; {origin}.

{chosen}

| what | value | conditions |
|---|---|---|
{table}

Measured {when}; {source}.{doubts}

## How an image becomes an input

{steps}. {unchanging}

## Limits of use

- Not a medical device: no diagnosis may rest on it.
- The accuracy is that on images of {data}. On images from other machines, of other ages, or prepared in
  another way it is not known.
- It knows {count} classes ({classes}), and gives one of them to whatever it is shown, a photograph too.
- The latency holds for the runtime, threads and machine above; after an update measure again, with
  `edgefit check NEW_BUNDLE --baseline BUNDLE`.
{notes}"""


def card_of(choice: Choice, pick: Candidate, bundle: Bundle, artifact: ArtifactRecord) -> str:
    """Return `CARD.md`; every number in it comes with its conditions."""
    report, manifest = pick.report, bundle.manifest
    model, steps = manifest.model, manifest.preprocessing
    classes, host = ", ".join(model.classes), report.host.board or report.host.cpu
    table = [
        f"| size | {pick.size_mb:.2f} MB | all files of this artifact |",
        *_latency(pick, host),
        f"| memory | {pick.memory_mb:.0f} MiB | peak of a process that loads and infers, Python included |",
        *_accuracy(pick),
    ]
    warnings = [f"Doubt: {warning}." for warning in pick.run.warnings]
    return _CARD.format(
        title=f"{artifact.variant} of {manifest.name}",
        network=f"{model.arch} at {model.image_size}×{model.image_size}, classes {classes}",
        origin=f"started from {model.weights}, tuned on {model.data}",
        chosen=f"Chosen for **{choice.profile}** by {choice.prefer.value}: {choice.headline}",
        table="\n".join(table),
        when=f"{report.created} with edgefit {report.tool} on {host} ({report.host.os})",
        source=f"report '{report.name}', bundle {bundle.sha256[:16]}",
        warnings="\n".join(["", *warnings]) if warnings else "",
        unchanging=UNCHANGING,
        steps=f"Resize {steps.resize}; grey {steps.grey_to_rgb}; {steps.scale}",
        data=model.data,
        count=len(model.classes),
        classes=classes,
        notes="".join(f"- {note}\n" for note in manifest.notes),
    )


def _latency(pick: Candidate, host: str) -> list[str]:
    run, latency = pick.run, pick.latency
    where = f"{run.runtime} on {run.provider}, {run.threads} thread(s), batch 1, {run.provenance} on {host}"
    interval = "no interval" if latency.p50_ci95 is None else "{:.3g} to {:.3g}".format(*latency.p50_ci95)
    processes = f"{latency.samples} samples in {latency.processes} processes"
    lines = [f"| latency, median | {latency.p50:.3g} ms ({interval}) | {where}; {processes} |"]
    if latency.p95 is not None:
        lines.append(f"| latency, p95 | {latency.p95:.3g} ms | the same |")
    if run.provenance == "proxy":
        lines.append(f"| | | a proxy: not the latency of {pick.report.profile.name} |")
    if run.projected_ms is not None:
        found = run.projected_ms
        lines.append(
            f"| latency, projected | {found.low:.2g} to {found.high:.2g} ms | not measured, for "
            f"{pick.report.profile.name}; from {found.basis} |"
        )
    return lines


def _accuracy(pick: Candidate) -> list[str]:
    found = pick.run.accuracy
    if found is None:
        return []
    lines = [f"| accuracy | {found.top1:.3f} | {found.images} evaluation images, on this very file |"]
    if found.retention is not None and found.retention.ci95 is not None:
        low, high = found.retention.ci95
        kept = f"{found.retention.value:.3f} ({low:.3f} to {high:.3f})"
        lines.append(f"| retention | {kept} | of the fp32 network's accuracy, 95 % interval, same images |")
    if found.sensitivity is not None and found.specificity is not None:
        both = f"{found.sensitivity:.3f}, {found.specificity:.3f}"
        lines.append(f"| sensitivity, specificity | {both} | at a score of 0, same images |")
    return lines
