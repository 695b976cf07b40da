"""The card that goes out with a picked artifact: what it is, what was measured and how, and its limits. Pure."""

from bench.bundle import ArtifactRecord, Bundle
from bench.decide.choosing import Choice
from bench.decide.contenders import Contender


def card_of(choice: Choice, pick: Contender, bundle: Bundle, artifact: ArtifactRecord) -> str:
    """Return `CARD.md`; every number in it comes with its conditions."""
    report, run, manifest = pick.report, pick.run, bundle.manifest
    classes = ", ".join(manifest.model.classes)
    host = report.host.board or report.host.cpu
    lines = [
        f"# {artifact.variant} of {manifest.name}",
        "",
        f"{manifest.model.arch} at {manifest.model.image_size}×{manifest.model.image_size}, classes {classes}; "
        f"started from {manifest.model.weights}, tuned on {manifest.model.data}.",
        "",
        f"Chosen for **{choice.profile}** by {choice.prefer.value}: {choice.headline}",
        "",
        "| what | value | conditions |",
        "|---|---|---|",
        f"| size | {pick.size_mb:.2f} MB | {len(artifact.files)} file(s), all that the device must hold |",
        *_latency(pick, host),
        f"| memory | {pick.memory_mb:.0f} MiB | peak of a process that loads it and infers, Python included |",
        *_accuracy(pick),
        "",
        f"Measured on {report.created} with edgefit {report.tool} on {host} ({report.host.os}), report "
        f"'{report.name}', bundle {bundle.sha256[:16]}.",
        *(f"Doubt: {warning}." for warning in run.warnings),
        "",
        "## How an image becomes an input",
        "",
        f"Resize {manifest.preprocessing.resize}; grey {manifest.preprocessing.grey_to_rgb}; "
        f"{manifest.preprocessing.scale}. `classify.py` does just that; the network normalises by itself.",
        "",
        "## Limits of use",
        "",
        "- Not a medical device: no diagnosis may rest on it.",
        f"- The accuracy is that on {manifest.model.data} images; on images from other machines, of other "
        "ages or prepared in another way it is not known.",
        f"- It knows {len(manifest.model.classes)} classes ({classes}), and gives one of them to whatever it is "
        "shown, a photograph too.",
        "- The latency holds for the runtime, threads and machine above. Check an update against this one: "
        "`edgefit check NEW_BUNDLE --baseline THIS_BUNDLE`.",
        *(f"- {note}" for note in manifest.notes),
        "",
    ]
    return "\n".join(lines)


def _latency(pick: Contender, host: str) -> list[str]:
    run, latency = pick.run, pick.latency
    where = f"{run.runtime} on {run.provider}, {run.threads} threads, batch 1, {run.standing} on {host}"
    interval = "no interval" if latency.p50_ci95 is None else "{:.3g} to {:.3g}".format(*latency.p50_ci95)
    processes = f"{latency.samples} samples in {latency.processes} processes"
    lines = [f"| latency, median | {latency.p50:.3g} ms ({interval}) | {where}; {processes} |"]
    if latency.p95 is not None:
        lines.append(f"| latency, p95 | {latency.p95:.3g} ms | the same |")
    if run.standing == "stand-in":
        lines.append(f"| | | a stand-in: not the latency of {pick.report.profile.name} |")
    if run.projected_ms is not None:
        found = run.projected_ms
        lines.append(
            f"| latency, projected | {found.low:.2g} to {found.high:.2g} ms | for {pick.report.profile.name}, "
            f"not measured; from {found.basis} |"
        )
    return lines


def _accuracy(pick: Contender) -> list[str]:
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
