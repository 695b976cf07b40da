"""Formats are written down in several places; all of them say the same."""

import re
import subprocess
import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from bench.runtimes.table import RUNTIMES
from export.formats import FORMATS

ROOT = Path(__file__).parents[2]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


def packages_of(extra: str) -> set[str]:
    """Return the packages an extra installs, those of the extras it includes among them."""
    names: set[str] = set()
    for requirement in EXTRAS[extra]:
        if included := re.match(r"edgefit\[(.+)\]", requirement):
            names |= {name for part in included[1].split(",") for name in packages_of(part)}
        else:
            names.add(re.split(r"[<>=;\[ ]", requirement)[0])
    return names


def test_every_format_has_a_runtime_of_its_own() -> None:
    assert {name: row.runtime for name, row in FORMATS.items()} == {name: name for name in RUNTIMES}


def test_every_format_has_its_exporter_and_every_exporter_its_format() -> None:
    on_disk = {f"export.{path.stem}" for path in (ROOT / "export").glob("to_*.py")}

    assert {row.exporter for row in FORMATS.values()} == on_disk


def test_what_an_exporter_needs_is_in_its_extra() -> None:
    for row in FORMATS.values():
        assert set(row.needs) <= packages_of(row.extra)
        assert RUNTIMES[row.runtime].needs in row.needs


def test_precisions_with_special_needs_are_precisions_of_the_format() -> None:
    for row in FORMATS.values():
        assert set(row.calibrated) <= set(row.precisions)


def test_the_parent_loads_no_heavy_library() -> None:
    heavy = {package for row in FORMATS.values() for package in row.needs}
    program = f"import sys, export.export; print(sorted({heavy!r} & set(sys.modules)))"

    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert answer.stdout.strip() == "[]"


def test_no_format_is_asked_for_by_name_outside_its_own_files() -> None:
    for path in (ROOT / "export").glob("*.py"):
        if path.stem != "formats":
            assert not re.search(rf"[\"']({'|'.join(FORMATS)})[\"']", path.read_text()), path
