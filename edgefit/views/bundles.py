"""A bundle's manifest as a table for the terminal. Pure: a manifest in, something rich can print out."""

from pathlib import Path

from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from bench.bundle.manifest import ArtifactRecord, Manifest, VerificationRecord
from bench.bundle.recipe import Search

_BYTES_PER_MB = 1e6


def bundle_view(manifest: Manifest, out: Path) -> RenderableType:
    """Show each artifact's size and how close it comes to the fp32 network it was made from."""
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
            f"[bold red]{escape(failed.variant)} failed[/] in {failed.stage}: {escape(failed.message)}"
        )
        for failed in manifest.failed
    ]
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
    parts.append(Text(f"against the fp32 network, on evaluation images; bundle: {out}"))
    parts.append(
        Text(f"it holds {manifest.pack.images} test images, which may be patients': handle it with care")
    )
    return Group(*parts)


def _cells(artifact: ArtifactRecord) -> list[str]:
    found = artifact.verification
    return [
        escape(artifact.variant),
        f"{artifact.size_bytes / _BYTES_PER_MB:.2f}",
        f"{found.largest_difference:.2g}",
        "exact" if found.sqnr_db is None else f"{found.sqnr_db:.1f}",
        f"{found.agreement:.3f}",
        _retention(found),
        str(found.images),
        f"{artifact.seconds:.0f}",
    ]


def _retention(found: VerificationRecord) -> str:
    interval = "" if found.retention_ci95 is None else " ({:.3f}-{:.3f})".format(*found.retention_ci95)
    return f"{found.retention:.3f}{interval}"


def _search(search: Search) -> str:
    """Say what the search for a recipe found, and on which images."""
    best, count = search.best, len(search.best.recipe.excluded_modules)
    return (
        f"{_plural(len(search.attempts), 'recipe')} tried in {search.seconds:.0f} s; "
        f"{_plural(count, 'layer')} in float ({best.share_in_fp32:.1%} of the multiply-accumulates); "
        f"agreement {best.held_out.agreement:.3f}, retention {best.held_out.retention:.3f} on "
        f"{search.images} held-out images"
    )


def _classes(artifact: ArtifactRecord) -> str:
    """Say what int8 was made for, and on which classes of CPUs it was measured or simulated."""
    parts = []
    for how in ("measured", "simulated"):
        checked = [each for each in artifact.classes if each.how == how]
        if checked:
            names = ", ".join(each.cpu_class.description for each in checked)
            agreement, images = min(each.agreement for each in checked), checked[0].images
            parts.append(f"{how} on {names} (agreement {agreement:.3f} on {images} images)")
    return f"made for --cpu {artifact.cpu}: {'; '.join(parts)}"


def _plural(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
