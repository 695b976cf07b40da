"""How Sphinx makes the site: `make docs` writes it to build/docs.

The source folder is the repository, because pages link to files outside docs/. Pages are plain Markdown, as
GitHub shows it, and so the contents of the sidebar stand here.
"""

import os.path
import re
import shutil
from pathlib import Path

import tomllib
from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parent.parent
URLS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"].get("urls", {})
CONTENTS = {
    "Use edgefit": ("your-own-model", "model-files", "boards", "ci-recipes", "formats", "int8"),
    "Commands": ("commands/*",),
    "Reference": ("cli", "api", "report-schema", "manifest-schema", "glossary"),
    "How it works": ("measuring", "benchmarks", "architecture"),
    "Why it is built this way": ("decisions/*",),
    "Extend edgefit": ("contributing", "adding-*"),
    "Project": ("../README", "../CHANGELOG", "../SECURITY"),
}
"""The sidebar: pages by caption, below docs/, with patterns. A page in none of them is a warning."""
CONTRIBUTING = ".github/CONTRIBUTING.md"
CONTRIBUTING_PAGE = "docs/contributing.md"
"""The page that the site shows with the text of CONTRIBUTING: a published site may lack hidden folders."""
LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)[^)\s]+(?=\))")
"""The target of a link to a file."""
# In a file at the top, `../../issues` leads to a page of GitHub's own about the repository.
GITHUB = re.compile(r"\.\./\.\./(?=issues|pulls|discussions|releases|security|actions)")

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


def _moved(text: str, old: str, new: str) -> str:
    """Return a page's text with links that hold in another folder."""
    return LINK.sub(lambda link: os.path.relpath(os.path.join(old, link[0]), new), text)


def _read(app: Sphinx, name: str, source: list[str]) -> None:
    """Add the sidebar to the index, show CONTRIBUTING in the place of its page, and lead links to both."""
    text = source[0]
    if f"{name}.md" == CONTRIBUTING_PAGE:
        text = _moved((ROOT / CONTRIBUTING).read_text(encoding="utf-8"), ".github", "docs")
    if name == app.config.root_doc:
        text += _contents()
    if "/" not in name and "Repository" in URLS:
        text = LINK.sub(lambda link: GITHUB.sub(f"{URLS['Repository']}/", link[0]), text)
    source[0] = LINK.sub(lambda link: link[0].replace(CONTRIBUTING, CONTRIBUTING_PAGE), text)


def _publish_schemas(app: Sphinx, exception: Exception | None) -> None:
    """Copy the JSON Schemas to addresses that stay the same; links lead to copies of their own."""
    if exception is None and app.builder.format == "html":
        shutil.copytree(ROOT / "docs" / "schemas", app.outdir / "docs" / "schemas", dirs_exist_ok=True)


def setup(app: Sphinx) -> None:
    """Connect what is above to Sphinx."""
    app.connect("source-read", _read)
    app.connect("build-finished", _publish_schemas)
