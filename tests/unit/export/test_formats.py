"""Formats are written down in several places; all of them say the same."""

import re
import sys

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from making.repository import ROOT

from bench.bundle.model_suffixes import FORMAT_TITLES
from bench.bundle.variants import Precision
from bench.runtimes.formats import BUILD, FORMATS

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


def import_name(package: str) -> str:
    return package.replace("-", "_")


def test_every_format_has_an_exporter_and_every_exporter_a_format() -> None:
    on_disk = {f"export.{path.stem}" for path in (ROOT / "export").glob("to_*.py")}

    assert {row.exporter for row in FORMATS.values()} == on_disk


def test_what_an_exporter_needs_is_in_its_extra() -> None:
    for row in FORMATS.values():
        installed = {import_name(package) for package in packages_of(BUILD) | packages_of(row.build_extra)}
        assert set(row.exporter_needs) <= installed
        assert row.needs in row.exporter_needs


def test_where_an_extra_is_offered_is_what_the_row_says() -> None:
    for row in FORMATS.values():
        markers = [requirement.partition(";")[2] for requirement in EXTRAS[row.build_extra]]
        machines = {name for marker in markers for name in re.findall(r"platform_machine=='(\w+)'", marker)}
        pythons = {name for marker in markers for name in re.findall(r"python_version>='([\d.]+)'", marker)}
        assert machines == set(row.build_machines)
        assert pythons - {"{}.{}".format(*row.build_python)} == set()
        assert pythons or row.build_python == (3, 10)


def test_an_extra_that_exports_one_format_needs_what_every_export_needs() -> None:
    for row in FORMATS.values():
        assert packages_of(BUILD) <= packages_of(row.build_extra)


def test_a_format_without_a_precision_says_why() -> None:
    for row in FORMATS.values():
        assert (set(row.precisions) == set(Precision)) == (not row.why_not_all)


def test_precisions_with_special_needs_are_precisions_of_the_format() -> None:
    for row in FORMATS.values():
        assert set(row.calibrated) <= set(row.precisions)


def test_only_a_formats_own_files_name_it() -> None:
    for path in (ROOT / "export").glob("*.py"):
        others = [name for name, row in FORMATS.items() if row.exporter != f"export.{path.stem}"]
        assert not re.search(rf"[\"']({'|'.join(others)})[\"']", path.read_text()), path


def test_the_suffixes_that_are_taken_are_those_of_the_table() -> None:
    assert {row.suffixes[0]: row.title for row in FORMATS.values()} == FORMAT_TITLES
