"""The command that adds an extra follows from how edgefit was installed: folder, git, index or pipx."""

import json
import sys
from importlib import metadata
from pathlib import Path

import pytest

from bench import install_command as module
from bench.install_command import install_command, missing_packages

_REQUIRES = [
    "numpy>=1.26",
    "onnxruntime>=1.20; extra == 'onnx'",
    "openvino>=2025.0; extra == 'openvino'",
    "jinja2>=3.1; extra == 'report'",
    "onnxruntime>=1.20; extra == 'all'",
    "openvino>=2025.0; extra == 'all'",
    "jinja2>=3.1; extra == 'all'",
    "onnxruntime>=1.20; extra == 'dev'",
    'rare-tools>=1; platform_machine == "x86_64" and extra == "build-rare"',
]


class _Distribution:
    def __init__(self, direct_url: object) -> None:
        self._direct_url = direct_url

    def read_text(self, name: str) -> str | None:
        assert name == "direct_url.json"
        return None if self._direct_url is None else json.dumps(self._direct_url)


def _install(monkeypatch: pytest.MonkeyPatch, direct_url: object, *packages: str) -> None:
    def version(name: str) -> str:
        if name not in packages:
            raise metadata.PackageNotFoundError(name)
        return "1"

    monkeypatch.setattr(metadata, "distribution", lambda name: _Distribution(direct_url))
    monkeypatch.setattr(metadata, "requires", lambda name: _REQUIRES)
    monkeypatch.setattr(metadata, "version", version)


def _make_pipx(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    (folder / "pipx_metadata.json").write_text("{}")
    monkeypatch.setattr(sys, "prefix", str(folder))


@pytest.mark.parametrize(
    ("direct_url", "command"),
    [
        (None, "pip install 'edgefit[onnx]'"),
        ({"url": "file:///src/edgefit", "dir_info": {}}, "pip install '/src/edgefit[onnx]'"),
        ({"url": "file:///my%20src/edgefit", "dir_info": {}}, "pip install '/my src/edgefit[onnx]'"),
        (
            {"url": "file:///src/edgefit", "dir_info": {"editable": True}},
            "pip install --editable '/src/edgefit[onnx]'",
        ),
        (
            {"url": "https://git.example/edgefit", "vcs_info": {"vcs": "git", "commit_id": "0a1b"}},
            "pip install 'edgefit[onnx] @ git+https://git.example/edgefit'",
        ),
        (
            {"url": "file:///src/edgefit", "vcs_info": {"vcs": "git", "requested_revision": "v1"}},
            "pip install 'edgefit[onnx] @ git+file:///src/edgefit@v1'",
        ),
        (
            {"url": "https://files.example/edgefit-1-py3-none-any.whl", "archive_info": {}},
            "pip install 'edgefit[onnx] @ https://files.example/edgefit-1-py3-none-any.whl'",
        ),
    ],
)
def test_the_command_names_where_edgefit_came_from(
    direct_url: object, command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _install(monkeypatch, direct_url)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))

    assert install_command("onnx") == command


@pytest.mark.parametrize(
    ("installed", "extra", "extras"),
    [
        ((), "onnx", "onnx"),
        (("onnxruntime",), "openvino", "onnx,openvino"),
        (("onnxruntime", "jinja2"), "onnx", "onnx,report"),
        (("onnxruntime",), "all", "all"),
    ],
)
def test_pipx_keeps_the_extras_that_are_installed(
    installed: tuple[str, ...], extra: str, extras: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _install(monkeypatch, {"url": "file:///src/edgefit", "dir_info": {}}, *installed)
    _make_pipx(monkeypatch, tmp_path)

    assert install_command(extra) == f"pipx install --force '/src/edgefit[{extras}]'"


def test_pipx_from_an_index_needs_no_address(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _install(monkeypatch, None)
    _make_pipx(monkeypatch, tmp_path)

    assert install_command("onnx") == "pipx install --force 'edgefit[onnx]'"


def _remove(monkeypatch: pytest.MonkeyPatch) -> None:
    def distribution(name: str) -> metadata.Distribution:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", distribution)


def test_a_board_gets_its_packages_from_the_machine_with_edgefit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _remove(monkeypatch)
    monkeypatch.setattr(module, "__file__", str(tmp_path / "bench" / "install_command.py"))

    assert install_command("onnx").startswith("edgefit bench --on BOARD, or edgefit pack")


def test_a_checkout_that_is_not_installed_is_installed_from_its_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _remove(monkeypatch)
    monkeypatch.setattr(module, "__file__", str(tmp_path / "bench" / "install_command.py"))
    (tmp_path / "pyproject.toml").touch()

    assert install_command("onnx") == f"pip install '{tmp_path}[onnx]'"


def test_the_missing_packages_of_an_extra_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    _install(monkeypatch, None, "onnxruntime")

    assert missing_packages("all") == ["openvino", "jinja2"]
    assert missing_packages("build-rare") == ["rare-tools"]
