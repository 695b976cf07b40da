"""Text for Markdown that stays text, whatever it holds. Pure."""

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~$])")


def escaped(text: str) -> str:
    """Escape what Markdown or HTML would take for its own; names come from whoever made the bundle."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\n", " ")
    # No backslash keeps GitHub from telling a whole team; a space without width does.
    return _SPECIAL.sub(r"\\\1", plain).replace("@", "@\u200b")
