"""Text from outside in Markdown: it is shown as it is, as part of the line that it stands in. Pure."""

import re

from user_files.printable import one_line, without_commands

_ACTIVE = re.compile(r"[\\`*_{}\[\]()#+!|~$]")
# What begins a list or underlines a heading, if a line begins with it.
_ACTIVE_AT_THE_START = re.compile(r"^(\s*\d*)([-=.)])(?=[-=\s]|$)")


def escaped(text: str) -> str:
    """Escape the characters that Markdown or HTML interpret. Names come from the bundle's author."""
    plain = one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # GitHub notifies a whole team for @team, even after a backslash. A zero-width space prevents it.
    shown = _ACTIVE.sub(r"\\\g<0>", plain).replace("@", "@\u200b")
    return _ACTIVE_AT_THE_START.sub(r"\1\\\2", shown)


def code(name: str) -> str:
    """Return a name as code, in which Markdown interprets nothing but the end of it."""
    return f"`{without_commands(one_line(name)).replace('`', chr(39))}`"
