"""The commands that README, docs and help show, as somebody would type them."""

import re
from collections.abc import Iterator

import typer
from typer.core import TyperCommand, TyperGroup

from edgefit.app import app
from edgefit.late_commands import LateCommand
from making.repository import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
OTHER_PAGES = [ROOT / ".github" / "CONTRIBUTING.md", ROOT / "SECURITY.md"]
_PATTERN = re.compile(r"…|\[[-a-z]|\||\b[A-Z]{2,}|\$")


def commands() -> Iterator[tuple[str, TyperCommand]]:
    """Every command with the words that call it."""
    yield from _below(typer.main.get_group(app), "edgefit")


def _below(group: TyperGroup, words: str) -> Iterator[tuple[str, TyperCommand]]:
    for name, command in group.commands.items():
        inner = command.loaded if isinstance(command, LateCommand) else command
        if isinstance(inner, TyperGroup):
            yield from _below(inner, f"{words} {name}")
        else:
            assert isinstance(inner, TyperCommand)
            yield f"{words} {name}", inner


def examples(command: TyperCommand) -> list[str]:
    """The examples in a command's help."""
    return re.findall(r"^ *(edgefit .*)$", command.help or "", re.MULTILINE)


def in_pages() -> list[str]:
    """The commands in README and docs, but for patterns of what can be written."""
    text = "\n".join(page.read_text() for page in PAGES)
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    inline = re.findall(r"`(edgefit [a-z]+ [^`\n]+)`", text)  # `edgefit bench` alone is a name
    found = [re.sub(r"\s+#.*$|\s{3,}.*$", "", line.strip().removeprefix("$ ")) for line in [*lines, *inline]]
    return [line for line in found if line.startswith("edgefit ") and not _PATTERN.search(line)]


def shown() -> list[str]:
    """Every command that is shown anywhere."""
    return sorted({*in_pages(), *(line for _, command in commands() for line in examples(command))})
