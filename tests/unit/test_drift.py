"""What is written down twice says the same in both places."""

import ast
import re
import sys
from inspect import signature
from typing import get_args

import pytest

from bench.harness.case_worker import CaseWorker
from bench.run.request import QUICK_IMAGES
from bench.runtimes.formats import FORMATS
from bench.runtimes.profile_names import load_checked_profile
from device_profiles.loading import profile_names

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from making.repository import ROOT
from making.shown_commands import commands

from bench.bundle.cpu_class import TARGETS
from bench.bundle.variants import Precision
from bench.runtimes.providers import place_of
from device_profiles.descriptions import descriptions
from device_profiles.facts import PrecisionName
from device_profiles.settings import Sampling

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_every_runtime_has_its_module_and_its_extra() -> None:
    modules = {path.stem for path in (ROOT / "bench" / "runtimes").glob("run_*.py")} - {"run_null"}

    assert {row.module.rpartition(".")[2] for row in FORMATS.values()} == modules
    for row in FORMATS.values():
        packages = PROJECT["project"]["optional-dependencies"][row.extra]
        assert any(re.match(rf"{row.needs}\b", package.replace("-", "_")) for package in packages)


def test_every_runtime_and_exporter_is_in_the_typing_contract() -> None:
    contract = (ROOT / "tests" / "typing_contract.py").read_text()
    modules = [*(ROOT / "bench" / "runtimes").glob("run_*.py"), *(ROOT / "export").glob("to_*.py")]

    assert [module.stem for module in modules if len(re.findall(rf"\b{module.stem}\b", contract)) < 2] == []


def test_every_direct_dependency_is_pinned() -> None:
    pinned = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    extras = PROJECT["project"]["optional-dependencies"].values()
    wanted = {
        re.split(r"[<>=\[; ]", package)[0].replace("_", "-").lower()
        for group in [PROJECT["project"]["dependencies"], *extras]
        for package in group
    } - {"edgefit"}

    assert wanted <= pinned


# models/ and bench/ do not know each other, so that each has its own of what all of its modules share.
ONE_IN_EACH_STAGE = {"InputError", "Progress", "Record"}
# What the Python API returns is the record of that name, with views: a subclass of it.
WITH_VIEWS = {"NetworkComparison", "Report", "Checked", "Choice"}


def test_no_two_classes_have_one_name() -> None:
    packages = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    files: dict[str, list[str]] = {}
    for path in sorted(path for package in packages for path in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                files.setdefault(node.name, []).append(path.relative_to(ROOT).as_posix())

    assert {name: places for name, places in files.items() if len(places) > 1}.keys() == (
        ONE_IN_EACH_STAGE | WITH_VIEWS
    )


def test_packages_say_nothing_when_imported() -> None:
    for package in PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
        for init in (ROOT / package).rglob("__init__.py"):
            content = init.read_text()
            assert content == "" or init == ROOT / "edgefit" / "__init__.py"


def test_profiles_name_formats_and_providers_that_there_are_and_know_the_precisions() -> None:
    for name in profile_names():
        load_checked_profile(name)
    assert set(get_args(PrecisionName)) == {precision.value for precision in Precision}
    board = load_checked_profile("raspberry-pi-5")
    assert board.runtimes
    for name, choice in board.runtimes.items():
        assert choice.providers == (FORMATS[name].provider,)
    for row in FORMATS.values():
        assert all(re.fullmatch(row.provider_pattern, provider) for provider in row.providers)
    assert {place_of(row.provider) for row in FORMATS.values()} == {"cpu"}


def test_no_text_that_a_user_reads_writes_down_how_many_variants_there_are() -> None:
    texts = [ROOT / "README.md", ROOT / "pyproject.toml", *(ROOT / "docs").rglob("*.md")]
    for path in [*texts, *(ROOT / "edgefit").rglob("*.py"), *(ROOT / "export").rglob("*.py")]:
        assert not re.search(r"\b[Nn]ine\b|\b9 (artifacts|variants|files)", path.read_text()), path


def test_help_and_page_name_the_images_of_a_quick_run() -> None:
    for text in ("edgefit/options.py", "docs/commands/bench.md"):
        assert f"first {QUICK_IMAGES} images" in (ROOT / text).read_text(), text


def test_a_profile_names_the_time_after_which_warm_up_ends() -> None:
    limit_s = signature(CaseWorker.start).parameters["warm_up_s"].default

    assert f"after {limit_s:g} s" in descriptions(Sampling)["warm_up"]


def test_export_and_its_page_list_the_cpus_that_int8_is_made_for() -> None:
    export = dict(commands())["edgefit export"]
    (cpu,) = [parameter for parameter in export.params if "--cpu" in parameter.opts]
    shown = re.search(r"\[--cpu (\S+)\]", (ROOT / "docs" / "commands" / "export.md").read_text())

    assert cpu.metavar == "|".join(TARGETS)
    assert shown is not None
    assert shown[1] == cpu.metavar


def test_every_command_has_its_page_and_every_page_its_command() -> None:
    folder = ROOT / "docs" / "commands"
    titles = {page.read_text().partition("\n")[0] for page in folder.glob("*.md")}
    names = {words.split()[1] for words, _ in commands()}

    assert titles == {f"# edgefit {name}" for name in names} | {"# Configuration"}
    assert {page.stem for page in folder.glob("*.md")} == names | {"configuration"}


@pytest.mark.parametrize("kind", ["unit", "integration"])
def test_folders_of_tests_are_folders_of_the_code(kind: str) -> None:
    tests = ROOT / "tests" / kind
    folders = {path.parent.relative_to(tests) for path in tests.rglob("test_*.py")}

    assert [str(folder) for folder in folders if not (ROOT / folder).is_dir()] == []
