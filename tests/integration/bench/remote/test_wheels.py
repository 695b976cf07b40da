"""pip chooses wheels for the board, not for this machine. Here they come from a folder, not from an index."""

import hashlib
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from making.faulty_plan import Silent

from bench.errors import BoardError, InputError
from bench.remote.job_spec import Selection
from bench.remote.wheel_cache import cached_wheels
from bench.remote.wheelhouse import fill_wheelhouse, wheels_in, written_files
from bench.remote.wheels import (
    Platform,
    download_wheels,
    environment_key,
)

PI = Platform("3.11", "2.36", "aarch64")
ONNX = Selection(("onnx",), (), {})


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def offer(
    index: Path, name: str, tag: str = "py3-none-any", needs: tuple[str, ...] = (), version: str = "1.0"
) -> None:
    about = f"{name}-{version}.dist-info"
    metadata = [
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}",
        *(f"Requires-Dist: {need}" for need in needs),
    ]
    with zipfile.ZipFile(index / f"{name}-{version}-{tag}.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", f"VERSION = '{version}'\n")
        wheel.writestr(f"{about}/METADATA", "\n".join(metadata) + "\n")
        wheel.writestr(f"{about}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
        wheel.writestr(f"{about}/RECORD", "")


def names(wheels: list[Path]) -> list[str]:
    return [wheel.name for wheel in wheels]


def test_the_wheel_for_the_board_is_chosen(index: Path, tmp_path: Path) -> None:
    for tag in ("cp311-cp311-manylinux_2_28_x86_64", "cp311-cp311-manylinux_2_28_aarch64"):
        offer(index, "runtime", tag)
    offer(index, "runtime", "cp311-cp311-manylinux_2_39_aarch64", version="2.0")  # for a newer C library

    wheels = download_wheels(PI, ["runtime"], tmp_path / "out", Silent())

    assert names(wheels) == ["runtime-1.0-cp311-cp311-manylinux_2_28_aarch64.whl"]


def test_markers_are_evaluated_for_the_board(index: Path, tmp_path: Path) -> None:
    needs = (
        'for_arm ; platform_machine == "aarch64"',
        'for_intel ; platform_machine == "x86_64"',
        'for_old ; python_version < "3.11"',
        'for_extra ; extra == "more"',
    )
    offer(index, "runtime", needs=needs)
    offer(index, "for_arm", needs=("deep>=1",))
    offer(index, "deep")

    wheels = download_wheels(PI, ["runtime"], tmp_path / "out", Silent())

    assert [name.partition("-")[0] for name in names(wheels)] == ["deep", "for_arm", "runtime"]


def test_the_extras_of_a_requirement_are_downloaded(index: Path, tmp_path: Path) -> None:
    offer(index, "runtime", needs=("numbers[fast]",))
    offer(index, "numbers", needs=('speed ; extra == "fast"', 'beauty ; extra == "pretty"'))
    offer(index, "speed")

    wheels = download_wheels(PI, ["runtime"], tmp_path / "out", Silent())

    assert [name.partition("-")[0] for name in names(wheels)] == ["numbers", "runtime", "speed"]


def test_a_later_constraint_replaces_a_wheel_that_is_too_new(index: Path, tmp_path: Path) -> None:
    for version in ("1.0", "2.0"):
        offer(index, "numbers", version=version)
    offer(index, "runtime", needs=("numbers<2",))

    wheels = download_wheels(PI, ["numbers", "runtime"], tmp_path / "out", Silent())

    assert names(wheels) == ["numbers-1.0-py3-none-any.whl", "runtime-1.0-py3-none-any.whl"]
    assert names(sorted((tmp_path / "out").iterdir())) == names(wheels)


def test_what_the_board_has_is_not_downloaded(index: Path, tmp_path: Path) -> None:
    offer(index, "runtime", needs=("numbers",))

    assert names(download_wheels(PI, ["runtime"], tmp_path / "out", Silent(), provided=["Numbers"])) == [
        "runtime-1.0-py3-none-any.whl"
    ]


def test_a_distribution_without_a_wheel_for_the_board_is_named(index: Path, tmp_path: Path) -> None:
    offer(index, "runtime", "cp311-cp311-manylinux_2_28_x86_64")

    with pytest.raises(
        BoardError,
        match=r"runtime: no index that pip uses offers a wheel for Python 3.11, aarch64, glibc 2.36",
    ):
        download_wheels(PI, ["runtime"], tmp_path / "out", Silent())


def test_cached_wheels_need_no_index(index: Path) -> None:
    offer(index, "runtime")
    first = cached_wheels(PI, ["runtime"], Silent())
    (index / "runtime-1.0-py3-none-any.whl").unlink()

    assert cached_wheels(PI, ["runtime"], Silent()) == first


def _empty(wheel: Path) -> None:
    wheel.write_bytes(b"")


def _exchange(wheel: Path) -> None:
    wheel.write_bytes(bytes(wheel.stat().st_size))


def _empty_record(wheel: Path) -> None:
    (wheel.parent / "wheels.json").write_bytes(b"")


def _empty_folder(wheel: Path) -> None:
    shutil.rmtree(wheel.parent)
    wheel.parent.mkdir()


def _file_in_place_of_the_folder(wheel: Path) -> None:
    shutil.rmtree(wheel.parent)
    wheel.parent.touch()


@pytest.mark.parametrize(
    "damage",
    [_empty, _exchange, Path.unlink, _empty_record, _empty_folder, _file_in_place_of_the_folder],
)
def test_damaged_wheels_are_downloaded_again(index: Path, damage: Callable[[Path], None]) -> None:
    offer(index, "runtime")
    (wheel,) = cached_wheels(PI, ["runtime"], Silent())
    whole, watching = wheel.read_bytes(), Silent()
    damage(wheel)

    assert cached_wheels(PI, ["runtime"], watching) == [wheel]
    assert wheel.read_bytes() == whole
    (said,) = watching.sentences
    assert said.startswith(f"{wheel.parent}: the wheels in it are incomplete or damaged, or an earlier")
    assert [path.name for path in wheel.parent.parent.iterdir()] == [wheel.parent.name]


def test_a_board_that_has_everything_needs_no_wheel(index: Path) -> None:
    for _ in range(2):
        watching = Silent()
        assert cached_wheels(PI, ["runtime"], watching, provided=["runtime"]) == []
        assert watching.sentences == []


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        ("runtime-1.0-py3-none-any.whl#sha256=" + "0" * 64, "DO NOT MATCH THE HASHES"),
        ("..%2f..%2fruntime-1.0-py3-none-any.whl", "runtime"),
    ],
)
def test_a_wheel_of_another_hash_or_folder_is_refused(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, link: str, reason: str
) -> None:
    offer(index, "runtime")
    page = index / "page.html"
    page.write_text(f'<a href="{link}">runtime-1.0-py3-none-any.whl</a>')
    monkeypatch.setenv("PIP_FIND_LINKS", page.as_uri())

    with pytest.raises(BoardError, match=reason):
        download_wheels(PI, ["runtime"], tmp_path / "above" / "out", Silent())

    assert not list(tmp_path.rglob("above/*.whl"))
    assert not list(tmp_path.glob("*.whl"))


@pytest.mark.parametrize("content", [b"", b"no archive", None])
def test_a_damaged_wheel_of_an_index_is_named(index: Path, tmp_path: Path, content: bytes | None) -> None:
    path = index / "runtime-1.0-py3-none-any.whl"
    if content is None:
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr("runtime.py", "")
    else:
        path.write_bytes(content)

    with pytest.raises((BoardError, InputError), match=r"runtime-1\.0|Wheel 'runtime'|runtime"):
        download_wheels(PI, ["runtime"], tmp_path / "out", Silent())


def test_an_interrupted_download_is_not_cached(index: Path) -> None:
    offer(index, "runtime", needs=("missing",))
    with pytest.raises(BoardError):
        cached_wheels(PI, ["runtime"], Silent())
    offer(index, "missing")

    assert len(cached_wheels(PI, ["runtime"], Silent())) == 2


def test_environments_differ_by_wheels_python_and_packages(index: Path, tmp_path: Path) -> None:
    offer(index, "runtime")
    wheels = download_wheels(PI, ["runtime"], tmp_path / "out", Silent())

    keys = {
        environment_key(wheels, False, "3.11"),
        environment_key(wheels, True, "3.11"),
        environment_key(wheels, False, "3.12"),
        environment_key([], False, "3.11"),
    }
    assert len(keys) == 4


@pytest.fixture
def wheelhouse(index: Path, tmp_path: Path) -> Path:
    for name in ("numpy", "psutil", "pydantic", "pyyaml"):
        offer(index, name, version="99.0" if name != "pydantic" else "2.99")
    offer(index, "onnxruntime", version="99.0")
    folder = tmp_path / "wheelhouse"
    fill_wheelhouse(folder, PI, ONNX, has_system_runtimes=False, overwrite=False, progress=Silent())
    return folder


def test_a_wheelhouse_serves_a_board_with_a_newer_glibc(wheelhouse: Path) -> None:
    newer = Platform("3.11", "2.41", "aarch64")

    assert len(wheels_in(wheelhouse, newer, ONNX, has_system_runtimes=False)) == 5


def test_only_the_wheels_of_the_formats_are_taken_from_a_wheelhouse(index: Path, tmp_path: Path) -> None:
    for name in ("numpy", "psutil", "pyyaml"):
        offer(index, name, version="99.0")
    offer(index, "pydantic", version="2.99")
    offer(index, "onnxruntime", needs=("flatbuffers",), version="99.0")
    offer(index, "flatbuffers")
    offer(index, "openvino", version="2099.0")
    both = Selection(("onnx", "openvino"), (), {})
    fill_wheelhouse(
        tmp_path / "both", PI, both, has_system_runtimes=False, overwrite=False, progress=Silent()
    )

    wheels = [
        wheel.name.partition("-")[0]
        for wheel in wheels_in(tmp_path / "both", PI, ONNX, has_system_runtimes=False)
    ]

    assert wheels == ["flatbuffers", "numpy", "onnxruntime", "psutil", "pydantic", "pyyaml"]


@pytest.mark.parametrize(
    "board",
    [
        Platform("3.13", "2.41", "aarch64"),
        Platform("3.11", "2.36", "x86_64"),
        Platform("3.11", "2.31", "aarch64"),
    ],
)
def test_a_wheelhouse_for_another_board_is_refused(wheelhouse: Path, board: Platform) -> None:
    with pytest.raises(InputError, match=r"is for Python 3.11, aarch64, glibc 2.36, and the board has"):
        wheels_in(wheelhouse, board, ONNX, has_system_runtimes=False)


def test_an_incomplete_or_damaged_wheelhouse_is_refused(wheelhouse: Path) -> None:
    with pytest.raises(InputError, match="this wheelhouse has no runtime for openvino"):
        wheels_in(wheelhouse, PI, Selection(("onnx", "openvino"), (), {}), has_system_runtimes=False)
    next(wheelhouse.glob("numpy*")).write_bytes(b"damaged")
    with pytest.raises(InputError, match="this wheel is missing or was changed"):
        wheels_in(wheelhouse, PI, ONNX, has_system_runtimes=False)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("wheels", {"../../outside-1.0-py3-none-any.whl": "0" * 64}),
        ("wheels", {"/etc/passwd": "0" * 64}),
        ("wheels", {"a/b-1.0-py3-none-any.whl": "0" * 64}),
        ("wheels", {"..": "0" * 64}),
        ("wheels", {"wheelhouse.json": "0" * 64}),
        ("wheels", {"x-1.0-py3-none-any.whl": "../x"}),
        ("python", "three"),
        ("glibc", "new"),
    ],
)
def test_a_wheelhouse_with_a_record_that_names_something_else_is_refused(
    wheelhouse: Path, key: str, value: object
) -> None:
    path = wheelhouse / "wheelhouse.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))

    with pytest.raises(InputError, match=rf"wheelhouse.json: .*{key}.*fill it with: edgefit wheelhouse"):
        wheels_in(wheelhouse, PI, ONNX, has_system_runtimes=False)
    assert written_files(wheelhouse) is None


def test_a_wheel_that_is_no_archive_is_named(wheelhouse: Path) -> None:
    wheel = next(wheelhouse.glob("numpy*"))
    wheel.write_bytes(b"no archive")
    path = wheelhouse / "wheelhouse.json"
    record = json.loads(path.read_text())
    record["wheels"][wheel.name] = hashlib.sha256(b"no archive").hexdigest()
    path.write_text(json.dumps(record))

    with pytest.raises(InputError, match=r"numpy-.*\.whl: this wheel is damaged"):
        wheels_in(wheelhouse, PI, ONNX, has_system_runtimes=False)


@pytest.mark.parametrize("content", ["", "{", '{"python": 3}', "[]"])
def test_a_wheelhouse_with_a_damaged_record_is_refused_in_one_line(wheelhouse: Path, content: str) -> None:
    (wheelhouse / "wheelhouse.json").write_text(content)

    with pytest.raises(InputError, match=r"wheelhouse.json.*fill it with: edgefit wheelhouse") as error:
        wheels_in(wheelhouse, PI, ONNX, has_system_runtimes=False)

    assert "\n" not in str(error.value)


def test_a_device_gets_only_what_the_runtime_imports_of_what_its_package_requires(
    index: Path, tmp_path: Path
) -> None:
    offer(index, "executorch", needs=("an_exporter_that_is_no_wheel",))
    offer(index, "torch", needs=("sympy",))
    offer(index, "sympy")

    wheels = download_wheels(PI, ["executorch", "torch"], tmp_path / "out", Silent())

    assert [name.partition("-")[0] for name in names(wheels)] == ["executorch", "sympy", "torch"]
