"""How Sphinx makes the site: `make docs` writes it to build/docs.

The source folder is the repository, because pages link to files outside docs/. Pages are plain Markdown, as
GitHub shows it, and so the contents of the sidebar stand here.
"""

import shutil
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parent.parent
CONTENTS = {
    "Use edgefit": ("your-own-model", "model-files", "boards", "ci-recipes", "int8"),
    "Commands": ("commands/*",),
    "Reference": ("cli", "api", "report-schema", "manifest-schema", "glossary"),
    "How it works": ("measuring", "benchmarks", "architecture"),
    "Why it is built this way": ("decisions/*",),
    "Extend edgefit": ("contributing", "adding-*"),
    "Project": ("../README", "../CHANGELOG", "../SECURITY"),
}
"""The sidebar: pages by caption, below docs/, with patterns. A page in none of them is a warning."""
SHOWN_AS = {"docs/contributing": ROOT / ".github" / "CONTRIBUTING.md"}
"""Pages that the site shows with the text of another file: a published site may lack hidden folders."""

project = "edgefit"
author = "the edgefit contributors"
extensions = ["myst_parser"]
root_doc = "docs/index"
source_suffix = {".md": "markdown"}
include_patterns = ["docs/**.md", "README.md", "CHANGELOG.md", "SECURITY.md"]
exclude_patterns = [".*", "build", "dist", "**/__pycache__"]
nitpicky = True

# The anchors of headings are those of GitHub. A link to a page or an anchor that is not there is a warning.
myst_heading_anchors = 4
myst_enable_extensions = ["html_image"]
# Fences without a language show the terminal.
highlight_language = "text"
# `--json` stays as it is typed.
smartquotes = False

html_theme = "furo"
html_title = "edgefit"
html_copy_source = False
html_extra_path = ["site"]

# The address that stands for the reader's own.
linkcheck_ignore = [r"https://github\.com/OWNER/.*"]
linkcheck_timeout = 30
linkcheck_retries = 2


def _pages(pattern: str) -> list[str]:
    """Return the names of the pages that a pattern means, as Sphinx writes them."""
    folder, _, name = pattern.rpartition("/")
    found = sorted((ROOT / "docs" / folder).resolve().glob(f"{name}.md"))
    return [f"/{path.relative_to(ROOT).with_suffix('').as_posix()}" for path in found]


def _contents() -> str:
    """Return the sidebar as directives."""
    directives = []
    for caption, patterns in CONTENTS.items():
        if pages := [page for pattern in patterns for page in _pages(pattern)]:
            lines = ["", "```{toctree}", ":hidden:", f":caption: {caption}", "", *pages, "```", ""]
            directives.append("\n".join(lines))
    return "".join(directives)


def _read(app: Sphinx, name: str, source: list[str]) -> None:
    """Add the sidebar to the index, and put the text of another file in the place of a page."""
    if name == app.config.root_doc:
        source[0] += _contents()
    if name in SHOWN_AS:
        source[0] = SHOWN_AS[name].read_text(encoding="utf-8")


def _publish_schemas(app: Sphinx, exception: Exception | None) -> None:
    """Copy the JSON Schemas to addresses that stay the same; links lead to copies of their own."""
    if exception is None and app.builder.format == "html":
        shutil.copytree(ROOT / "docs" / "schemas", app.outdir / "docs" / "schemas", dirs_exist_ok=True)


def setup(app: Sphinx) -> None:
    """Connect what is above to Sphinx."""
    app.connect("source-read", _read)
    app.connect("build-finished", _publish_schemas)
