"""The site of docs/ builds without a warning, and every link in it leads somewhere."""

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from making.made_once import made_once
from making.repository import ROOT

pytest.importorskip("sphinx", reason="the site needs the extra docs, and Python 3.11")


class Page(HTMLParser):
    """What a page links to, and what can be linked to in it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Collect links, images and anchors."""
        for name, value in attributes:
            if name in ("href", "src") and value:
                self.targets.append(value)
            if name in ("id", "name") and value:
                self.anchors.add(value)


def make_site(folder: Path) -> None:
    """Build the site as `make docs` does."""
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-E",
        "-W",
        "--keep-going",
        "-q",
        "-c",
        "docs",
        ".",
        str(folder),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_once(tmp_path_factory, "site", make_site)


def broken_links(path: Path, pages: dict[Path, Page]) -> list[str]:
    """The links of a built page that lead nowhere; addresses of other sites aside."""
    broken = []
    for target in pages[path].targets:
        address = urlsplit(target)
        if address.scheme or address.netloc:
            continue
        file = (path.parent / unquote(address.path)).resolve() if address.path else path
        anchors = pages[file].anchors if file in pages else set()
        if not file.exists() or (address.fragment and file in pages and address.fragment not in anchors):
            broken.append(target)
    return broken


def test_every_link_of_the_site_leads_somewhere(site: Path) -> None:
    pages = {path: Page(path) for path in sorted(site.rglob("*.html"))}

    assert len(pages) > 20
    assert {path.name: links for path in pages if (links := broken_links(path, pages))} == {}


def test_every_page_of_docs_is_on_the_site(site: Path) -> None:
    pages = {path.relative_to(ROOT).with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")}

    assert [page for page in pages if not (site / page).is_file()] == []


def test_the_schemas_have_addresses_that_stay(site: Path) -> None:
    for schema in (ROOT / "docs" / "schemas").iterdir():
        assert (site / "docs" / "schemas" / schema.name).read_bytes() == schema.read_bytes()
