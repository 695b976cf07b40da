"""Lines of a terminal that hold text from outside: each stays one entry, whatever its text holds. Pure."""

from rich.text import Text

from user_files.printable import one_line, shortened


def line(text: str, style: str = "") -> Text:
    """Return a sentence or a name as one line, which a terminal may wrap."""
    return Text(shortened(one_line(text)), style)


def line_of(*parts: tuple[str, str] | str) -> Text:
    """Return parts of a sentence, each with its style, as one line."""
    styled = ((part, "") if isinstance(part, str) else part for part in parts)
    return Text.assemble(*(line(text, style) for text, style in styled))
