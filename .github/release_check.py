"""Whether a tag may be released; prints every reason against it, and ends with 1 if there is one.

usage: release_check.py TAG OWNER/NAME
"""

import re
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[1]
# What pyproject.toml has until somebody sets the account.
_NOT_SET = "OWNER"


def refusals(tag: str, repository: str, root: Path = _ROOT) -> list[str]:
    """Return every reason not to release `tag` of `repository`, as sentences."""
    version = _found(root / "edgefit" / "__init__.py", r'^__version__ = "(.+)"$')
    own = _found(root / "pyproject.toml", r'^Repository = "https://github\.com/([^/"]+/[^/"]+)"$')
    cited = _found(root / "CITATION.cff", r"^version: (.+)$")
    heading = _found(root / "CHANGELOG.md", rf"^## {re.escape(version)}(.*)$")
    reasons = []
    if own.partition("/")[0] == _NOT_SET:
        reasons.append("the repository's owner is not set; CONTRIBUTING.md says how ('Releases')")
    elif own != repository:
        reasons.append(
            f"this is {repository}, and pyproject.toml says {own}; release there, or correct its urls"
        )
    if tag != f"v{version}":
        reasons.append(f"the tag is {tag}, and edgefit/__init__.py says {version}; tag v{version}")
    if cited != version:
        reasons.append(f"CITATION.cff says {cited or 'no version'}, and edgefit/__init__.py says {version}")
    if not re.fullmatch(r" \(\d{4}-\d{2}-\d{2}\)", heading):
        reasons.append(f"CHANGELOG.md has no line '## {version} (YYYY-MM-DD)', with the day of the release")
    return reasons


def _found(path: Path, pattern: str) -> str:
    """Return the group of the first line that matches; empty where none does."""
    match = re.search(pattern, path.read_text(encoding="utf-8"), re.MULTILINE)
    return "" if match is None else match[1]


if __name__ == "__main__":
    found = refusals(*sys.argv[1:])
    for reason in found:
        sys.stdout.write(f"::error title=release::{reason}\n")
    sys.exit(1 if found else 0)
