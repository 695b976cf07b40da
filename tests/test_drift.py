"""What is written down twice says the same in both places."""

import re
import sys
from pathlib import Path
from typing import get_args

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from making.shown_commands import commands

from bench.bundle.cpu_class import TARGETS
from bench.bundle.variants import Precision
from bench.runtimes.providers import place_of
from bench.runtimes.table import RUNTIMES
from device_profiles.facts import PrecisionName
from device_profiles.loading import load_profile
from device_profiles.profile import FormatName, fault_of

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_every_runtime_has_its_module_and_its_extra() -> None:
    modules = {path.stem for path in (ROOT / "bench" / "runtimes").glob("run_*.py")} - {"run_null"}

    assert {row.module.rpartition(".")[2] for row in RUNTIMES.values()} == modules
    for row in RUNTIMES.values():
        packages = PROJECT["project"]["optional-dependencies"][row.extra]
        assert any(re.match(rf"{row.needs}\b", package) for package in packages)


def test_every_direct_dependency_is_pinned() -> None:
    pinned = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    extras = PROJECT["project"]["optional-dependencies"].values()
    wanted = {
        re.split(r"[<>=\[; ]", package)[0].replace("_", "-").lower()
        for group in [PROJECT["project"]["dependencies"], *extras]
        for package in group
    } - {"edgefit"}

    assert wanted <= pinned


def test_packages_say_nothing_when_imported() -> None:
    for package in PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
        for init in (ROOT / package).rglob("__init__.py"):
            content = init.read_text()
            assert content == "" or init == ROOT / "edgefit" / "__init__.py"


def test_profiles_know_the_formats_their_usual_providers_and_the_precisions() -> None:
    assert set(get_args(FormatName)) == RUNTIMES.keys()
    assert set(get_args(PrecisionName)) == {precision.value for precision in Precision}
    board = load_profile("raspberry-pi-5")
    assert {name: choice.providers for name, choice in board.runtimes.items()} == {
        name: (row.provider,) for name, row in RUNTIMES.items()
    }
    assert fault_of(board) is None
    assert {place_of(row.provider) for row in RUNTIMES.values()} == {"cpu"}


def test_export_and_readme_list_the_cpus_that_int8_is_made_for() -> None:
    export = dict(commands())["edgefit export"]
    (cpu,) = [parameter for parameter in export.params if "--cpu" in parameter.opts]
    shown = re.search(r"\[--cpu (\S+)\]", (ROOT / "README.md").read_text())

    assert cpu.metavar == "|".join(TARGETS)
    assert shown is not None
    assert shown[1] == cpu.metavar
