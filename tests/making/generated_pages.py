"""Pages and schemas that are made from the code: `make docs-generate` writes them, a test compares them."""

from collections.abc import Callable
from pathlib import Path

from bench.bundle.manifest import Manifest
from bench.report.schema import Report
from making.command_page import command_page
from making.json_schemas import schema_text
from making.repository import ROOT
from making.schema_pages import schema_page

_TYPES = """\
Behind each key stands its type, then its meaning.

- A key that *may be missing* has a default. Files of older versions lack it.
- *By name* means an object whose keys are names.
- Keys that end in `_ns` hold nanoseconds, keys that end in `_bytes` bytes.
- Ratios and shares are plain numbers, where 1 is 100 %. All numbers are finite, and integers fit in 64 bits.
"""
_REPORT = f"""\
# The report

`edgefit bench bundle --out report.json` writes a report: one JSON file with every sample, the machine, and
the device's profile. It also has the figures that follow from the samples. edgefit computes these figures
again whenever it reads a report, and refuses a file in which they differ.

This page describes schema 2. Reports of schema 1 can be read too. The same as a JSON Schema:
[report.schema.json](schemas/report.schema.json). [How edgefit measures](measuring.md) explains what the
numbers are worth, and the [glossary](glossary.md) explains the words.

{_TYPES}"""
_MANIFEST = f"""\
# The manifest of a bundle

`edgefit export` writes a bundle: a folder with artifacts, an evaluation pack, and `manifest.json`. The
manifest lists every file with its hash. A bundle with a missing, changed or unlisted file is refused.

This page describes schema 2. Bundles of schema 1 can be read too. The same as a JSON Schema:
[manifest.schema.json](schemas/manifest.schema.json). The [glossary](glossary.md) explains the words.

{_TYPES}"""

DOCS = ROOT / "docs"
GENERATED: dict[Path, Callable[[], str]] = {
    DOCS / "cli.md": command_page,
    DOCS / "report-schema.md": lambda: schema_page(_REPORT, Report),
    DOCS / "manifest-schema.md": lambda: schema_page(_MANIFEST, Manifest),
    DOCS / "schemas" / "report.schema.json": lambda: schema_text(Report),
    DOCS / "schemas" / "manifest.schema.json": lambda: schema_text(Manifest),
}


def write_all() -> None:
    """Write every generated file."""
    for path, text in GENERATED.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    write_all()
