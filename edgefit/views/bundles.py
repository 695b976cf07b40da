"""Shows a bundle's manifest as a table. Pure: a manifest in, a rich renderable out."""

from pathlib import Path

from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from bench.bundle.manifest import ArtifactRecord, Manifest, VerificationRecord
from bench.bundle.recipe import HeldOut, Search
from bench.errors import first_sentence

_BYTES_PER_MB = 1e6


def bundle_view(manifest: Manifest, out: Path) -> RenderableType:
    """Show the size of each artifact, and how closely it matches the fp32 network."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("variant", no_wrap=True)
    for title in (
        "size\nMB",
        "largest\ndiff.",
        "SQNR\ndB",
        "agree-\nment",
        "retention\n(95 % interval)",
        "images",
        "s",
    ):
        table.add_column(title, justify="right", no_wrap=True)
    for artifact in manifest.artifacts:
        table.add_row(*_cells(artifact))
    parts: list[RenderableType] = [table]
    parts += [
        Text.from_markup(
            f"[bold red]{escape(failed.variant)} failed[/] in stage {escape(failed.stage)}: "
            f"{escape(failed.message)}"
        )
        for failed in manifest.failed
    ]
    parts += [Text(f"{missing.variant} was not made: {missing.reason}") for missing in manifest.not_made]
    parts += [
        Text.from_markup(f"[yellow]warning:[/yellow] {escape(artifact.variant)}: {escape(sentence)}")
        for artifact in manifest.artifacts
        for sentence in artifact.warnings
    ]
    parts += [
        Text(f"{artifact.variant}: {_search(artifact.search)}")
        for artifact in manifest.artifacts
        if artifact.search is not None
    ]
    parts += [
        Text(f"{artifact.variant}: {_classes(artifact)}")
        for artifact in manifest.artifacts
        if artifact.classes
    ]
    parts.append(Text(f"compared with the fp32 network on evaluation images; bundle: {out}"))
    parts.append(
        Text(f"the bundle contains {manifest.pack.images} test images, which may show patients: protect it")
    )
    return Group(*parts)


def _cells(artifact: ArtifactRecord) -> list[str]:
    verification = artifact.verification
    return [
        escape(artifact.variant),
        f"{artifact.size_bytes / _BYTES_PER_MB:.2f}",
        f"{verification.largest_difference:.2g}",
        "exact" if verification.sqnr_db is None else f"{verification.sqnr_db:.1f}",
        "–" if verification.agreement is None else f"{verification.agreement:.3f}",
        _retention(verification),
        str(verification.images),
        f"{artifact.seconds:.0f}",
    ]


def _retention(verification: VerificationRecord) -> str:
    if verification.retention is None:
        return "–"
    interval = (
        "" if verification.retention_ci95 is None else " ({:.3f}-{:.3f})".format(*verification.retention_ci95)
    )
    return f"{verification.retention:.3f}{interval}"


def _search(search: Search) -> str:
    """Describe the search for a recipe, and the recipe that was chosen."""
    best, count = search.best, len(search.best.recipe.excluded_modules)
    error = search.library_default_error
    failed = "" if error is None else f"; the library's own defaults failed ({first_sentence(error)})"
    return (
        f"{_plural(len(search.attempts), 'recipe')} tried in {search.seconds:.0f} s; "
        f"{_plural(count, 'module')} in fp32 ({best.share_in_fp32:.1%} of the multiply-accumulates); "
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
            agreements = [check.agreement for check in checks if check.agreement is not None]
            agreement = f"agreement {min(agreements):.3f} " if agreements else ""
            parts.append(f"{how} on {names} ({agreement}on {checks[0].images} images)")
    origin = "quantised before the export" if artifact.cpu is None else f"made for --cpu {artifact.cpu}"
    return f"{origin}, {'; '.join(parts)}"


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
