"""The links in README, docs and the pages beside them, and the files that they name."""

import re

from making.shown_commands import OTHER_PAGES, PAGES


def test_the_links_between_pages_lead_somewhere() -> None:
    for page in [*PAGES, *OTHER_PAGES]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            if target.startswith("../../security/"):  # a page of GitHub, not a file
                continue
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_files_that_the_page_on_architecture_names_are_there() -> None:
    root = PAGES[0].parent
    text = (root / "docs" / "architecture.md").read_text()
    paths = re.findall(r"`((?:bench|device_profiles|edgefit|export|models)/[\w/.]*)`", text)

    assert [path for path in paths if not (root / path).exists()] == []
    assert len(paths) > 30
