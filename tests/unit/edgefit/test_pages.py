"""The links in README and docs."""

import re

from making.shown_commands import PAGES


def test_the_links_between_pages_lead_somewhere() -> None:
    for page in [*PAGES, PAGES[0].parent / ".github" / "CONTRIBUTING.md"]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
