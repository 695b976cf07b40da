"""The card of a shipped artifact: its origin, its measurements with their conditions, its limits. Pure."""

from bench.bundle.manifest import ArtifactRecord, Bundle
from bench.choose.candidates import Candidate
from bench.choose.choosing import Choice
from bench.choose.ship.card_bundle import input_section, limits_of_use, network_of
from bench.markdown_text import escaped
from bench.report.class_markdown import MOST_COLUMNS, class_markdown
from bench.report.class_tables import class_table_of
from bench.report.schema import Accuracy
from bench.units import mb, mib, ms

_CARD = """# {title}

{network}

{chosen}

| what | value | conditions |
|---|---|---|
{table}

Measured {when}; {source}.{warnings}

{classes}{inputs}

## Limits of use

{limits}
- The latency holds for the runtime, threads and machine above. Measure again after an update:
  `edgefit check NEW_BUNDLE --baseline BUNDLE`.
{notes}"""


def card_of(choice: Choice, chosen: Candidate, bundle: Bundle, artifact: ArtifactRecord) -> str:
    """Return the text of `CARD.md`. Every number in it has its conditions."""
    report, manifest = chosen.report, bundle.manifest
    host = escaped(report.host.board or report.host.cpu)
    measured = escaped(f"{report.created} with edgefit {report.tool}")
    table = [
        _size(chosen, artifact),
        *_latency(chosen, host),
        f"| memory | {mib(chosen.memory_bytes):.0f} MiB | peak of a process that loads it and infers |",
        *_accuracy(chosen, bundle, artifact),
    ]
    warnings = [f"Warning: {escaped(warning)}." for warning in chosen.run.warnings]
    return _CARD.format(
        title=escaped(f"{artifact.variant} of {manifest.name}"),
        network=network_of(manifest),
        chosen="\n".join(_chosen(choice)),
        table="\n".join(table),
        when=f"{measured} on {host} ({escaped(report.host.os)})",
        source=f"report '{escaped(report.name)}', bundle {bundle.sha256[:16]}",
        warnings="\n".join(["", *warnings]) if warnings else "",
        classes=_classes(chosen),
        inputs=input_section(manifest, artifact),
        limits=limits_of_use(manifest),
        notes="".join(f"- {escaped(note)}\n" for note in manifest.notes),
    )


def _chosen(choice: Choice) -> list[str]:
    """Say what it was chosen for, and what has to be known beside that."""
    explanation = [f"- {escaped(sentence)}" for sentence in choice.explanation]
    chosen_for = f"Chosen for **{escaped(choice.profile)}** by {choice.prefer.value}"
    return [f"{chosen_for}: {escaped(choice.headline)}", "", *explanation]


def _size(chosen: Candidate, artifact: ArtifactRecord) -> str:
    """Return the size of the files that are copied, and that of the report if it is another."""
    is_another = chosen.run.size_bytes not in (None, artifact.size_bytes)
    other = f"; the report states {mb(chosen.size_bytes):.2f} MB" if is_another else ""
    return f"| size | {mb(artifact.size_bytes):.2f} MB | all files of this artifact{other} |"


def _latency(chosen: Candidate, host: str) -> list[str]:
    run, latency = chosen.run, chosen.latency
    runtime = escaped(f"{run.runtime} on {run.config.provider}, {run.config.label}, {run.provenance}")
    where = f"{runtime} on {host}"
    ends = latency.p50_ci95_ns
    interval = "no interval" if ends is None else f"{ms(ends[0]):.3g} to {ms(ends[1]):.3g}"
    processes = f"{latency.samples} samples in {latency.processes} processes"
    lines = [f"| latency, median | {ms(latency.p50_ns):.3g} ms ({interval}) | {where}; {processes} |"]
    if latency.p95_ns is not None:
        lines.append(f"| latency, p95 | {ms(latency.p95_ns):.3g} ms | the same |")
    if run.provenance == "proxy":
        lines.append(f"| | | measured on a proxy: not the latency of {escaped(chosen.report.profile.name)} |")
    if run.projected is not None:
        projected = run.projected
        lines.append(
            f"| latency, projected | {ms(projected.low_ns):.2g} to {ms(projected.high_ns):.2g} ms "
            f"| not measured, for {escaped(f'{chosen.report.profile.name}; from {projected.basis}')} |"
        )
    return lines


def _accuracy(chosen: Candidate, bundle: Bundle, artifact: ArtifactRecord) -> list[str]:
    """Return what the answers are worth: by the labels where there are any, and against the source."""
    measured, positive = chosen.run.accuracy, chosen.report.positive_name
    is_run_folder = bundle.manifest.model.source is None
    if measured is None:
        return [] if is_run_folder else _verification(artifact)
    if is_run_folder:
        lines = _by_labels(measured, positive, "the fp32 network's", "at a score of 0")
        return [*lines, *_more_figures(measured, bundle)]
    lines = _by_labels(measured, positive, "the source's", "of the class with the larger score")
    return [*lines, *_more_figures(measured, bundle), *_by_source(measured)]


def _by_labels(measured: Accuracy, positive: str | None, whose: str, decided: str) -> list[str]:
    lines = []
    if measured.top1 is not None:
        lines = [f"| accuracy | {measured.top1:.3f} | {_counted(measured)}, with this file |"]
    retention = measured.retention
    if retention is not None and retention.ci95 is not None:
        low, high = retention.ci95
        figure = f"{retention.value:.3f} ({low:.3f} to {high:.3f})"
        lines.append(f"| retention | {figure} | of {whose} accuracy, 95 % interval, same images |")
    if measured.sensitivity is not None and measured.specificity is not None:
        of_class = "" if positive is None else f"positive: {escaped(positive)}; "
        both = f"{measured.sensitivity:.3f}, {measured.specificity:.3f}"
        lines.append(f"| sensitivity, specificity | {both} | {of_class}{decided}, same images |")
    return lines


def _counted(measured: Accuracy) -> str:
    labels = measured.decided // measured.images
    images = f"{measured.images} evaluation images"
    return images if labels == 1 else f"{labels} labels on each of {images}"


def _more_figures(measured: Accuracy, bundle: Bundle) -> list[str]:
    """Return the figures that only some networks have, and those of each label."""
    figures = (
        ("balanced accuracy", measured.balanced_accuracy, "mean over the classes, same images"),
        ("top 5", measured.top5, "same images"),
    )
    lines = [f"| {name} | {value:.3f} | {where} |" for name, value, where in figures if value is not None]
    lines += _auc("AUC", measured.auc, measured, "")
    lines += _auc("macro AUC", measured.macro_auc, measured, "mean over the classes or labels, ")
    names = bundle.manifest.model.classes
    for label in measured.by_label:
        name = escaped(names[label.label]) if names else f"label {label.label}"
        auc = "unknown" if label.auc is None else f"{label.auc:.3f}"
        lines.append(f"| AUC of {name} | {auc} | it applies to {label.positives} of these images |")
    return lines


def _auc(name: str, value: float | None, measured: Accuracy, what: str) -> list[str]:
    if value is None:
        return []
    if measured.auc_ci95 is None:
        return [f"| {name} | {value:.3f} | {what}same images |"]
    low, high = measured.auc_ci95
    return [f"| {name} | {value:.3f} ({low:.3f} to {high:.3f}) | {what}95 % interval, same images |"]


def _classes(chosen: Candidate) -> str:
    """Return the section about each class; nothing without classes or labels."""
    if chosen.run.accuracy is None or chosen.run.accuracy.top1 is None:
        return ""
    table, bundle = class_table_of(chosen.report, chosen.run, MOST_COLUMNS), chosen.report.bundle
    if table is None or bundle is None:
        return ""
    return "\n".join(["## Each class", "", *class_markdown(table, bundle.samples), "", ""])


def _by_source(measured: Accuracy) -> list[str]:
    """Return how far the artifact's outputs are those of the source, which needs no labels."""
    where = f"with the source's outputs, {measured.images} evaluation samples, with this file"
    figures = (("agreement", measured.agreement, 3), ("cosine similarity", measured.cosine, 4))
    lines = [
        f"| {name} | {value:.{digits}f} | {where} |" for name, value, digits in figures if value is not None
    ]
    return [*lines, f"| SQNR | {_sqnr(measured.sqnr_db)} | {where} |"]


def _verification(artifact: ArtifactRecord) -> list[str]:
    """Return the same from export, for an artifact whose outputs were not compared where it was measured."""
    verification = artifact.verification
    where = f"with the source's outputs, {verification.images} evaluation samples, at export"
    agreement = verification.agreement
    lines = [] if agreement is None else [f"| agreement | {agreement:.3f} | {where} |"]
    return [*lines, f"| SQNR | {_sqnr(verification.sqnr_db)} | {where} |"]


def _sqnr(sqnr_db: float | None) -> str:
    return "no difference" if sqnr_db is None else f"{sqnr_db:.1f} dB"
