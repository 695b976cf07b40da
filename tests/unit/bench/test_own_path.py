"""Where a process of edgefit finds modules, and what is said of a file that was imported too early."""

import ast
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from bench import own_path
from bench.own_path import HOME, PACKAGES, HiddenModuleError, put_own_first, refuse_hidden


def test_the_folders_of_the_user_are_searched_last(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    named, started_in = tmp_path / "named", tmp_path / "started"
    installed = ["/python/standard", "/python/site-packages"]
    monkeypatch.setenv("PYTHONPATH", str(named))
    monkeypatch.setattr(sys, "path", [HOME, str(started_in), str(named), *installed])

    put_own_first()

    assert sys.path == [*installed, str(named), str(started_in)]


def test_a_relative_entry_of_pythonpath_is_that_of_the_current_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", f"{os.pathsep}lib")
    monkeypatch.setattr(sys, "path", [HOME, "/bin", str(tmp_path), str(tmp_path / "lib"), "/python/standard"])

    put_own_first()

    assert sys.path == ["/python/standard", str(tmp_path), str(tmp_path / "lib"), "/bin"]


def test_pythons_own_folder_stays_first_even_if_pythonpath_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    standard = os.path.dirname(os.__file__)
    monkeypatch.setenv("PYTHONPATH", standard)
    monkeypatch.setattr(sys, "path", [HOME, "/bin", standard, "/python/site-packages"])

    put_own_first()

    assert sys.path == [standard, "/python/site-packages", "/bin"]


def test_every_package_is_edgefits_own_and_there_is_no_other() -> None:
    folders = {path.parent.name for path in Path(HOME).glob("*/__init__.py")} - {"tests"}

    assert set(PACKAGES) == folders
    assert {Path(sys.modules[name].__path__[0]).parent for name in PACKAGES if name in sys.modules} == {
        Path(HOME)
    }


@pytest.mark.parametrize("file", ["keyword.py", "keyword/__init__.py"])
def test_a_file_that_hides_a_module_of_pythons_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, file: str
) -> None:
    module = ModuleType("keyword")
    module.__file__ = str(tmp_path / file)
    monkeypatch.setitem(sys.modules, "keyword", module)

    with pytest.raises(
        HiddenModuleError, match=r"keyword(\.py)? hides Python's own module 'keyword'; rename"
    ):
        refuse_hidden([str(tmp_path)])
    refuse_hidden([str(tmp_path.parent)])


def test_a_deleted_current_folder_leaves_an_entry_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def gone(_: str) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(os.path, "abspath", gone)
    monkeypatch.setenv("PYTHONPATH", "lib")

    assert own_path.named_folders() == ["lib"]


@pytest.mark.parametrize("file", ["bench/own_path.py", "edgefit/__init__.py", "edgefit/__main__.py"])
def test_what_runs_before_edgefits_packages_are_found_imports_only_what_python_has_loaded(file: str) -> None:
    tree = ast.parse((Path(HOME) / file).read_text(encoding="utf-8"))
    imported = {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}

    assert imported <= {"os", "sys"}
    assert not [node for node in tree.body if isinstance(node, ast.ImportFrom)]


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_is_empty_so_that_finding_it_imports_nothing(package: str) -> None:
    if package != "edgefit":
        assert (Path(HOME) / package / "__init__.py").read_text(encoding="utf-8").strip() == ""
