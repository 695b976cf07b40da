"""The links in README, docs and the pages beside them, and the files that they name."""

import re
from pathlib import Path

import pytest
from making.markdown_links import anchors, broken_links, links
from making.repository import ROOT
from making.shown_commands import OTHER_PAGES, PAGES


def page_of(folder: Path, text: str) -> Path:
    page = folder / "page.md"
    page.write_text(text)
    return page


@pytest.mark.parametrize("page", [*PAGES, *OTHER_PAGES], ids=lambda page: page.name)
def test_the_links_of_a_page_lead_to_files_and_headings(page: Path) -> None:
    assert broken_links(page) == []


def test_every_page_of_docs_is_linked_from_another_one() -> None:
    linked = {(page.parent / target.partition("#")[0]).resolve() for page in PAGES for target in links(page)}
    lacking = {page.name for page in PAGES if page not in linked}

    assert lacking - {"README.md", "index.md"} == set()


def test_a_link_to_a_heading_that_there_is_not_is_found(tmp_path: Path) -> None:
    page = page_of(tmp_path, "# A `b`: [c](d.md), e\n\n[1](#a-b-c-e) [2](#a) [3](other.md)\n")

    assert broken_links(page) == ["d.md", "#a", "other.md"]


def test_headings_in_fences_are_none_and_equal_headings_are_counted(tmp_path: Path) -> None:
    page = page_of(tmp_path, "# One\n\n```\n# comment\n```\n\n## Two\n\n## Two\n")

    assert anchors(page) == {"one", "two", "two-1"}


def test_the_files_that_the_page_on_architecture_names_are_there() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    paths = re.findall(r"`((?:bench|device_profiles|edgefit|export|models)/[\w/.]*)`", text)

    assert [path for path in paths if not (ROOT / path).exists()] == []
    assert len(paths) > 30
