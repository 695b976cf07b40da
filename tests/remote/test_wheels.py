"""Wheels are chosen for the board, not for this machine, by pip itself; here from a folder, no index."""

import zipfile
from pathlib import Path

import pytest
from making.faulty_plan import Silent
from packaging.requirements import Requirement

from bench.errors import BoardError, InputError
from bench.remote.job_spec import Selection
from bench.remote.wheelhouse import fill_wheelhouse, wheels_in
from bench.remote.wheels import Place, environment_key, gather, kept_wheels, requirements_of

PI = Place("3.11", "2.36", "aarch64")


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
        *(f"Requires-Dist: {one}" for one in needs),
    ]
    with zipfile.ZipFile(index / f"{name}-{version}-{tag}.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", f"VERSION = '{version}'\n")
        wheel.writestr(f"{about}/METADATA", "\n".join(metadata) + "\n")
        wheel.writestr(f"{about}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
        wheel.writestr(f"{about}/RECORD", "")


def names(wheels: list[Path]) -> list[str]:
    return [wheel.name for wheel in wheels]


def test_of_several_wheels_the_board_s_is_taken(index: Path, tmp_path: Path) -> None:
    for tag in ("cp311-cp311-manylinux_2_28_x86_64", "cp311-cp311-manylinux_2_28_aarch64"):
        offer(index, "runtime", tag)
    offer(index, "runtime", "cp311-cp311-manylinux_2_39_aarch64", version="2.0")  # for a newer C library

    found = gather(PI, ["runtime"], tmp_path / "out", Silent())

    assert names(found) == ["runtime-1.0-cp311-cp311-manylinux_2_28_aarch64.whl"]


def test_markers_are_asked_of_the_board(index: Path, tmp_path: Path) -> None:
    needs = (
        'for_arm ; platform_machine == "aarch64"',
        'for_intel ; platform_machine == "x86_64"',
        'for_old ; python_version < "3.11"',
        'for_extra ; extra == "more"',
    )
    offer(index, "runtime", needs=needs)
    offer(index, "for_arm", needs=("deep>=1",))
    offer(index, "deep")

    found = gather(PI, ["runtime"], tmp_path / "out", Silent())

    assert [one.partition("-")[0] for one in names(found)] == ["deep", "for_arm", "runtime"]


def test_the_extras_of_a_requirement_are_brought_too(index: Path, tmp_path: Path) -> None:
    offer(index, "runtime", needs=("numbers[fast]",))
    offer(index, "numbers", needs=('speed ; extra == "fast"', 'beauty ; extra == "pretty"'))
    offer(index, "speed")

    found = gather(PI, ["runtime"], tmp_path / "out", Silent())

    assert [one.partition("-")[0] for one in names(found)] == ["numbers", "runtime", "speed"]


def test_a_limit_that_is_found_later_replaces_a_wheel_that_is_too_new(index: Path, tmp_path: Path) -> None:
    for version in ("1.0", "2.0"):
        offer(index, "numbers", version=version)
    offer(index, "runtime", needs=("numbers<2",))

    found = gather(PI, ["numbers", "runtime"], tmp_path / "out", Silent())

    assert names(found) == ["numbers-1.0-py3-none-any.whl", "runtime-1.0-py3-none-any.whl"]
    assert names(sorted((tmp_path / "out").iterdir())) == names(found)


def test_what_the_board_has_is_not_brought(index: Path, tmp_path: Path) -> None:
    offer(index, "runtime", needs=("numbers",))

    assert names(gather(PI, ["runtime"], tmp_path / "out", Silent(), provided=["Numbers"])) == [
        "runtime-1.0-py3-none-any.whl"
    ]


def test_what_is_offered_for_another_machine_alone_is_an_error_that_names_it(
    index: Path, tmp_path: Path
) -> None:
    offer(index, "runtime", "cp311-cp311-manylinux_2_28_x86_64")

    with pytest.raises(
        BoardError, match=r"runtime: is offered as a wheel for Python 3.11, aarch64, glibc 2.36"
    ):
        gather(PI, ["runtime"], tmp_path / "out", Silent())


def test_gathered_once_they_need_no_index_again(index: Path) -> None:
    offer(index, "runtime")
    first = kept_wheels(PI, ["runtime"], Silent())
    (index / "runtime-1.0-py3-none-any.whl").unlink()

    assert kept_wheels(PI, ["runtime"], Silent()) == first


def test_an_interrupted_gathering_leaves_nothing_that_looks_whole(index: Path) -> None:
    offer(index, "runtime", needs=("missing",))
    with pytest.raises(BoardError):
        kept_wheels(PI, ["runtime"], Silent())
    offer(index, "missing")

    assert len(kept_wheels(PI, ["runtime"], Silent())) == 2


def test_the_device_part_needs_neither_the_command_line_s_packages_nor_an_exporter_s() -> None:
    wanted = requirements_of(["onnx"])

    found = {Requirement(one).name for one in wanted}
    assert found == {"numpy", "onnxruntime", "psutil", "pydantic", "pyyaml"}


def test_environments_differ_by_wheels_python_and_packages(index: Path, tmp_path: Path) -> None:
    offer(index, "runtime")
    wheels = gather(PI, ["runtime"], tmp_path / "out", Silent())

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
    fill_wheelhouse(folder, PI, ONNX, has_own=False, overwrite=False, progress=Silent())
    return folder


ONNX = Selection(("onnx",), (), {})


def test_a_wheelhouse_serves_boards_of_its_kind(wheelhouse: Path) -> None:
    newer = Place("3.11", "2.41", "aarch64")

    assert len(wheels_in(wheelhouse, newer, ONNX, has_own=False)) == 5


def test_of_a_wheelhouse_only_what_the_formats_need_is_brought(index: Path, tmp_path: Path) -> None:
    for name in ("numpy", "psutil", "pyyaml"):
        offer(index, name, version="99.0")
    offer(index, "pydantic", version="2.99")
    offer(index, "onnxruntime", needs=("flatbuffers",), version="99.0")
    offer(index, "flatbuffers")
    offer(index, "openvino", version="2099.0")
    both = Selection(("onnx", "openvino"), (), {})
    fill_wheelhouse(tmp_path / "both", PI, both, has_own=False, overwrite=False, progress=Silent())

    found = [wheel.name.partition("-")[0] for wheel in wheels_in(tmp_path / "both", PI, ONNX, has_own=False)]

    assert found == ["flatbuffers", "numpy", "onnxruntime", "psutil", "pydantic", "pyyaml"]


@pytest.mark.parametrize(
    "board",
    [Place("3.13", "2.41", "aarch64"), Place("3.11", "2.36", "x86_64"), Place("3.11", "2.31", "aarch64")],
)
def test_a_wheelhouse_for_another_board_is_refused(wheelhouse: Path, board: Place) -> None:
    with pytest.raises(InputError, match=r"is for Python 3.11, aarch64, glibc 2.36, and the board has"):
        wheels_in(wheelhouse, board, ONNX, has_own=False)


def test_a_wheelhouse_that_lacks_a_runtime_or_was_damaged_is_refused(wheelhouse: Path) -> None:
    with pytest.raises(InputError, match="holds no runtime for openvino"):
        wheels_in(wheelhouse, PI, Selection(("onnx", "openvino"), (), {}), has_own=False)
    next(wheelhouse.glob("numpy*")).write_bytes(b"damaged")
    with pytest.raises(InputError, match="is not the wheel that was gathered"):
        wheels_in(wheelhouse, PI, ONNX, has_own=False)


@pytest.mark.parametrize("content", ["", "{", '{"python": 3}', "[]"])
def test_a_wheelhouse_whose_note_is_spoilt_is_refused_in_one_line(wheelhouse: Path, content: str) -> None:
    (wheelhouse / "wheelhouse.json").write_text(content)

    with pytest.raises(InputError, match=r"wheelhouse.json.*fill it with: edgefit wheelhouse") as error:
        wheels_in(wheelhouse, PI, ONNX, has_own=False)

    assert "\n" not in str(error.value)


def test_a_folder_that_is_no_wheelhouse_is_refused_with_the_command_that_fills_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"edgefit wheelhouse --python 3.11 --glibc 2.36 --machine aarch64"):
        wheels_in(tmp_path, PI, ONNX, has_own=False)
