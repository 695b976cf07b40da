"""Shows a bundle's manifest as a table. Pure: a manifest in, a rich renderable out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table

from bench.bundle.manifest import (
    ArtifactRecord,
    ClassVerification,
    Manifest,
    NotMade,
    Preprocessing,
    VerificationRecord,
)
from bench.bundle.model_set import with_origins
from bench.bundle.recipe import HeldOut, Search
from bench.bundle.source_record import PreprocessCheck, RivalVerdict, SourceRecord
from bench.errors import first_sentence
from bench.render.lines import line, line_of

_BYTES_PER_MB = 1e6


@dataclass(frozen=True)
class _Column:
    """A column of the table."""

    title: str
    """Its heading."""
    text: Callable[[ArtifactRecord], str | None]
    """An artifact's figure; None where there is none."""


_COLUMNS = (
    _Column("size\nMB", lambda artifact: f"{artifact.size_bytes / _BYTES_PER_MB:.2f}"),
    _Column("largest\ndiff.", lambda artifact: f"{artifact.verification.largest_difference:.2g}"),
    _Column("SQNR\ndB", lambda artifact: _sqnr(artifact.verification)),
    _Column("agree-\nment", lambda artifact: _share(artifact.verification.agreement)),
    _Column("retention\n(95 % interval)", lambda artifact: _retention(artifact.verification)),
    _Column("images", lambda artifact: str(artifact.verification.images)),
    _Column("s", lambda artifact: f"{artifact.seconds:.0f}"),
)


def bundle_view(manifest: Manifest, out: Path) -> RenderableType:
    """Show the size of each artifact, and how closely it matches the fp32 network, or the source."""
    failed = [
        line_of((f"{failed.variant} failed", "bold red"), f" in stage {failed.stage}: {failed.message}")
        for failed in manifest.failed
    ]
    warnings = [
        line_of(("warning:", "yellow"), f" {artifact.variant}: {sentence}")
        for artifact in manifest.artifacts
        for sentence in artifact.warnings
    ]
    lines = [
        *_not_made_lines(manifest.not_made),
        *_source_lines(manifest),
    ]
    return Group(
        _table(manifest.artifacts),
        *failed,
        *map(line, lines),
        *warnings,
        *map(line, _int8_lines(manifest)),
        *map(line, [*_positive(manifest), _compared(manifest, out), _protect(manifest)]),
    )


def _not_made_lines(not_made: Sequence[NotMade]) -> Iterator[str]:
    """Yield each reason once, with the variants that it is about."""
    for reason in dict.fromkeys(missing.reason for missing in not_made):
        variants = [missing.variant for missing in not_made if missing.reason == reason]
        yield f"{', '.join(variants)} {'was' if len(variants) == 1 else 'were'} not made: {reason}"


def _table(artifacts: Sequence[ArtifactRecord]) -> Table:
    """Return the table without the columns in which no artifact has a figure."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("variant", no_wrap=True)
    shown = [
        column
        for column in _COLUMNS
        if not artifacts or any(column.text(artifact) is not None for artifact in artifacts)
    ]
    for column in shown:
        table.add_column(column.title, justify="right", no_wrap=True)
    for artifact in artifacts:
        table.add_row(line(artifact.variant), *(column.text(artifact) or "–" for column in shown))
    return table


def _int8_lines(manifest: Manifest) -> list[str]:
    searches = [
        f"{artifact.variant}: {_search(artifact.search, len(artifact.excluded_modules))}"
        for artifact in manifest.artifacts
        if artifact.search is not None
    ]
    classes = [
        f"{artifact.variant}: {_classes(artifact)}" for artifact in manifest.artifacts if artifact.classes
    ]
    return searches + classes


def _source_lines(manifest: Manifest) -> list[str]:
    """Return what the source is and how its images are prepared; nothing of a run folder."""
    source = manifest.model.source
    if source is None:
        return []
    own = "" if source.variant is None else f"; {source.variant} is the file itself, unchanged"
    held = "values" if source.output.kind == "values" else f"{source.output.kind}, {source.output.activation}"
    judged = f"{source.kind.value} {source.name}{own}; judged: its output '{source.output.name}' ({held})"
    return [judged, *_preprocessing_lines(manifest.preprocessing, source)]


def _preprocessing_lines(preprocessing: Preprocessing | None, source: SourceRecord) -> list[str]:
    """Return how images are prepared, where that was stated, and how it was checked."""
    if preprocessing is None:
        return ["its inputs are ready arrays, so there is no preprocessing to check"]
    lines = [f"images: {with_origins(preprocessing.words, source.origins)}"]
    check = source.check
    if check is None:
        return [*lines, "the preprocessing was not checked, because that takes labelled images"]
    decisions = "" if check.decisions_each == 1 else f" of {check.images * check.decisions_each} decisions"
    checked = (
        f"preprocessing checked on {check.images} labelled images: {check.correct}{decisions} right as stated"
    )
    rivals = [_rivals(check, verdict) for verdict in _VERDICTS if check.worth_showing(verdict)]
    lines.append("; ".join([checked, *rivals]))
    if check.trusted:
        better = "other preprocessing" if check.fitting_order is None else "another order of the classes"
        lines.append(f"warning: {better} is significantly better, and --trust-preprocess went on")
    return lines


_VERDICTS: Mapping[RivalVerdict, str] = {
    "better": "significantly better",
    "equal": "no significant difference",
    "worse": "worse",
}


def _rivals(check: PreprocessCheck, verdict: RivalVerdict) -> str:
    """Return the rivals of one verdict, each with how many decisions were right with it."""
    rivals = [f"{rival.name} ({rival.correct} right)" for rival in check.worth_showing(verdict)]
    return f"{_VERDICTS[verdict]}: {', '.join(rivals)}"


def _positive(manifest: Manifest) -> list[str]:
    positive, classes = manifest.pack.positive_class, manifest.model.classes
    if positive is None or not manifest.pack.labelled:
        return []
    return [f"positive class, of sensitivity: {classes[positive] if classes else f'class {positive}'}"]


def _compared(manifest: Manifest, out: Path) -> str:
    source = manifest.model.source
    reference = "fp32 network" if source is None else "source"
    noun = "images" if source is None or manifest.preprocessing is not None else "samples"
    gap = "" if manifest.pack.labelled else ", which have no labels, so there is no accuracy"
    if source is not None and source.output.kind == "values":
        gap = "; its output holds no classes, so there is no accuracy"
    return f"compared with the {reference} on evaluation {noun}{gap}; bundle: {out}"


def _protect(manifest: Manifest) -> str:
    if manifest.model.source is not None and manifest.preprocessing is None:
        return f"the bundle contains {manifest.pack.images} samples of your data: protect it"
    return f"the bundle contains {manifest.pack.images} test images, which may show patients: protect it"


def _sqnr(verification: VerificationRecord) -> str:
    return "exact" if verification.sqnr_db is None else f"{verification.sqnr_db:.1f}"


def _share(share: float | None) -> str | None:
    return None if share is None else f"{share:.3f}"


def _retention(verification: VerificationRecord) -> str | None:
    if verification.retention is None:
        return None
    interval = (
        "" if verification.retention_ci95 is None else " ({:.3f}-{:.3f})".format(*verification.retention_ci95)
    )
    return f"{verification.retention:.3f}{interval}"


def _search(search: Search, in_fp32: int) -> str:
    """Describe the search for a recipe, and the chosen file, which has `in_fp32` modules in fp32."""
    best = search.best
    error = search.library_default_error
    failed = "" if error is None else f"; the library's own defaults failed ({first_sentence(error)})"
    return (
        f"{_plural(len(search.attempts), 'recipe')} tried in {search.seconds:.0f} s; "
        f"{_plural(in_fp32, 'module')} in fp32 ({best.share_in_fp32:.1%} of the multiply-accumulates); "
        f"{_held_out(best.held_out)} on {search.images} held-out images{failed}"
    )


def _held_out(result: HeldOut) -> str:
    figures = [("agreement", result.agreement), ("retention", result.retention)]
    parts = [f"{name} {value:.3f}" for name, value in figures if value is not None]
    parts += [f"SQNR {result.sqnr_db:.1f} dB"] if result.sqnr_db is not None and not parts else []
    return ", ".join(parts) or "exact"


def _classes(artifact: ArtifactRecord) -> str:
    """Say which CPUs int8 was made for, and on which of them it was measured or simulated."""
    parts = []
    for how in ("measured", "simulated"):
        checks = [check for check in artifact.classes if check.how == how]
        if checks:
            names = ", ".join(check.cpu_class.description for check in checks)
            parts.append(f"{how} on {names} ({_worst(checks)} on {checks[0].images} images)")
    origin = "quantised before the export" if artifact.cpu is None else f"made for --cpu {artifact.cpu}"
    return f"{origin}, {'; '.join(parts)}"


def _worst(checks: Sequence[ClassVerification]) -> str:
    """Return the lowest agreement; of an output without classes the lowest SQNR."""
    agreements = [check.agreement for check in checks if check.agreement is not None]
    if agreements:
        return f"agreement {min(agreements):.3f}"
    ratios = [check.sqnr_db for check in checks if check.sqnr_db is not None]
    return f"SQNR {min(ratios):.1f} dB" if ratios else "exact"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
