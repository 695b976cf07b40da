"""The links of Markdown pages, and the anchors that GitHub gives their headings."""

import re
from pathlib import Path

_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
_LINK_TEXT = re.compile(r"\[([^\]]*)\]\([^)]*\)")


def links(page: Path) -> list[str]:
    """The targets of a page's links to files and headings; addresses of other sites aside."""
    targets = _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8")))
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings. Of two equal headings the second ends in -1."""
    found: dict[str, int] = {}
    for heading in _HEADING.findall(_FENCE.sub("", page.read_text(encoding="utf-8"))):
        text = _LINK_TEXT.sub(r"\1", heading).lower()
        anchor = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        found[anchor] = found.get(anchor, -1) + 1
    repeated = {f"{anchor}-{count}" for anchor, last in found.items() for count in range(1, last + 1)}
    return {*found, *repeated}


def broken_links(page: Path) -> list[str]:
    """The links of a page that lead nowhere."""
    broken = []
    for target in links(page):
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        is_there = file.exists() and (not anchor or file.suffix != ".md" or anchor in anchors(file))
        broken += [] if is_there else [target]
    return broken
