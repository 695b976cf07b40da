"""What a checkpoint is, by its content, and what is refused, in one sentence with what to do."""

import gzip
import io
import json
import pickle
import re
import shlex
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from models.checkpoints.fitting import fit
from models.checkpoints.reading import Checkpoint, read_checkpoint
from models.errors import InputError

STATE: dict[str, Tensor] = {"features.0.weight": torch.arange(8.0), "features.0.bias": torch.ones(2)}


def assert_holds(checkpoint: Checkpoint, key: str = "") -> None:
    table = next(table for table in checkpoint.tables if table.name == key)
    assert table.tensors.keys() == STATE.keys()
    for name, value in STATE.items():
        torch.testing.assert_close(table.tensors[name], value)


def refused(path: Path) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InputError) as caught:
            read_checkpoint(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def run_line_of(message: str, folder: Path) -> dict[str, Tensor]:
    """Run the line that a refusal ends with, in this process, and return what it saved."""
    line = shlex.split(message[message.index("python -c") :])
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # a line leaves it to Python to close its file
        patch.chdir(folder)
        exec(line[2], {})
    return dict(torch.load(folder / "weights.pth", weights_only=True))


@pytest.mark.parametrize("name", ["w.pth", "w.ckpt", "w.pth.tar", "w.bin", "w.safetensors", "weights"])
@pytest.mark.parametrize("written", ["torch", "legacy", "safetensors"])
def test_the_content_decides_and_not_the_name(tmp_path: Path, name: str, written: str) -> None:
    path = tmp_path / name
    if written == "safetensors":
        save_file(STATE, path)
    else:
        torch.save(STATE, path, _use_new_zipfile_serialization=written == "torch")

    assert_holds(read_checkpoint(path))


def test_numpy_s_numbers_and_arrays_are_read_beside_the_tensors(tmp_path: Path) -> None:
    extras = {
        "best_acc1": np.float64(0.9),
        "is_best": np.bool_(True),
        "name": np.str_("resnet"),
        "history": np.arange(6, dtype=">i4").reshape(2, 3, order="F"),
        "empty": np.zeros((0, 3), np.float32),
    }
    torch.save({"state_dict": STATE, **extras}, tmp_path / "w.pth")

    assert_holds(read_checkpoint(tmp_path / "w.pth"), "state_dict")


def test_weights_that_are_numpy_s_arrays_become_tensors(tmp_path: Path) -> None:
    torch.save({name: value.numpy() for name, value in STATE.items()}, tmp_path / "w.pth")

    assert_holds(read_checkpoint(tmp_path / "w.pth"))


def test_the_index_of_several_files_reads_them_all(tmp_path: Path) -> None:
    (first, weight), (second, bias) = STATE.items()
    torch.save({first: weight}, tmp_path / "m-00001-of-00002.bin")
    save_file({second: bias}, tmp_path / "m-00002-of-00002.bin")
    index = tmp_path / "m.bin.index.json"
    files = {first: "m-00001-of-00002.bin", second: "m-00002-of-00002.bin"}
    index.write_text(json.dumps({"metadata": {}, "weight_map": files}))

    checkpoint = read_checkpoint(index)

    assert_holds(checkpoint)
    assert checkpoint.notes == ("The weights are those of 2 files, which m.bin.index.json lists.",)
    before = checkpoint.sha256
    save_file({second: bias + 1}, tmp_path / "m-00002-of-00002.bin")
    assert read_checkpoint(index).sha256 != before
    assert f"give the index of them, {index}" in refused(tmp_path / "m-00001-of-00002.bin")


@pytest.mark.parametrize("name", ["../w.bin", "missing.bin", "/etc/passwd"])
def test_an_index_reads_no_file_that_is_not_beside_it(tmp_path: Path, name: str) -> None:
    (tmp_path / "w.bin").write_bytes(b"")
    folder = tmp_path / "inner"
    folder.mkdir()
    index = folder / "m.index.json"
    index.write_text(json.dumps({"weight_map": {"a": name}}))

    assert f"names the file '{name}', which is not beside it; put it there" in refused(index)


class _Extra:
    """Something that only the training code knows."""


def _module() -> nn.Module:
    network = nn.Module()
    network.features = nn.Sequential(nn.Linear(4, 2))
    return network


@pytest.mark.parametrize(
    ("content", "chosen"),
    [
        ({"state_dict": STATE, "args": _Extra()}, 'c = c["state_dict"];'),
        ({"out": Path("/x"), "model": STATE}, 'c = c["model"];'),
        ({"model": STATE, "model_ema": STATE, "args": _Extra()}, 'c = c["model_ema"];'),
        ({**STATE, "args": _Extra()}, "isinstance(v, torch.Tensor)"),
        (_module(), "c = c.state_dict();"),
        ({"epoch": 1, "ema": None, "model": _module()}, 'c = c["model"].float().state_dict();'),
        ({"state_dict": STATE, "objects": np.array([_Extra()], dtype=object)}, 'c = c["state_dict"];'),
        ({"state_dict": STATE, "table": np.zeros(2, [("a", "f4"), ("b", "O")])}, 'c = c["state_dict"];'),
    ],
    ids=["class", "path", "averaged", "bare", "module", "module in it", "objects", "fields"],
)
@pytest.mark.parametrize("is_zipped", [True, False], ids=["zip", "legacy"])
def test_what_needs_code_is_refused_with_a_line_that_saves_its_tensors(
    tmp_path: Path, content: object, chosen: str, is_zipped: bool
) -> None:
    path = tmp_path / 'it\'s "mine".pth'
    torch.save(content, path, _use_new_zipfile_serialization=is_zipped)

    message = refused(path)

    assert "needs code to be loaded (" in message
    assert "if you trust the file" in message
    if is_zipped or "state_dict()" not in chosen:  # into a legacy file of a module nothing looks
        assert chosen in message
    assert set(run_line_of(message, tmp_path)) in (
        set(STATE),
        {"features.0.weight", "features.0.bias"},
    )


def test_another_protocol_of_pickle_is_refused_with_the_line(tmp_path: Path) -> None:
    torch.save({"model": STATE}, tmp_path / "w.pth", pickle_protocol=4)

    message = refused(tmp_path / "w.pth")

    assert "is a pickle of another protocol" in message
    assert run_line_of(message, tmp_path).keys() == STATE.keys()


def test_a_plain_pickle_is_refused_with_the_line(tmp_path: Path) -> None:
    (tmp_path / "w.pkl").write_bytes(pickle.dumps({name: value.numpy() for name, value in STATE.items()}))

    message = refused(tmp_path / "w.pkl")

    assert "is a pickle that torch.save did not write" in message
    assert run_line_of(message, tmp_path).keys() == STATE.keys()


def test_numpy_s_arrays_by_name_are_refused_with_the_line(tmp_path: Path) -> None:
    arrays: dict[str, Any] = {name: value.numpy() for name, value in STATE.items()}
    np.savez(tmp_path / "w.npz", **arrays)

    message = refused(tmp_path / "w.npz")

    assert "is NumPy arrays (.npz), not weights of PyTorch" in message
    assert run_line_of(message, tmp_path).keys() == STATE.keys()


def test_programs_are_refused_with_the_line_and_the_command_that_exports_them(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(nn.Linear(4, 2), torch.zeros(1, 4)).save(str(tmp_path / "s.pt"))  # type: ignore[no-untyped-call]
        program = torch.export.export(nn.Linear(4, 2).eval(), (torch.zeros(1, 4),))
        torch.export.save(program, tmp_path / "p.pt2")
        for name, what in (("s.pt", "a TorchScript program"), ("p.pt2", "a program of torch.export")):
            with pytest.raises(InputError) as caught:
                read_checkpoint(tmp_path / name)
            message = str(caught.value)
            assert (
                f"is {what}, not weights; export it as it is with: edgefit export {tmp_path / name}"
                in message
            )
            assert run_line_of(message, tmp_path).keys() == {"weight", "bias"}


SEVERAL = {
    f"{net}.{name}": value + number for number, net in enumerate("ab") for name, value in STATE.items()
}


def written_several(kind: str, folder: Path) -> Path:
    """Write two networks in a kind of checkpoint, under a name that says another."""
    path = folder / "w.pth"
    if kind == "safetensors":
        save_file(SEVERAL, path)
    elif kind == "several files":
        path = folder / "w.safetensors.index.json"
        for number, net in enumerate("ab"):
            part = {name: value for name, value in SEVERAL.items() if name.startswith(net)}
            save_file(part, folder / f"{number}.safetensors")
        files = {name: f"{'ab'.index(name[0])}.safetensors" for name in SEVERAL}
        path.write_text(json.dumps({"weight_map": files}))
    else:
        path = folder / "w.safetensors"
        tables = [{name[2:]: SEVERAL[name] for name in SEVERAL if name.startswith(net)} for net in "ab"]
        torch.save(
            {
                "a list": tables,
                "integers": dict(enumerate(tables)),
                "numpy": {**SEVERAL, "best": np.float64(1)},
            }[kind],
            path,
        )
    return path


@pytest.mark.parametrize("kind", ["safetensors", "several files", "a list", "integers", "numpy"])
def test_the_line_that_keeps_one_of_several_networks_works_for_every_kind(tmp_path: Path, kind: str) -> None:
    path = written_several(kind, tmp_path)

    with pytest.raises(InputError, match="holds several networks that fit") as caught:
        fit(read_checkpoint(path), STATE)

    message = str(caught.value)
    assert ("if you trust the file" in message) == (kind == "numpy")
    kept = {name.removeprefix("a."): value for name, value in run_line_of(message, tmp_path).items()}
    assert kept.keys() == STATE.keys()
    assert all(torch.equal(kept[name], STATE[name]) for name in STATE)


class _Calls:
    """What calls a function when it is unpickled."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.function, self.arguments


@pytest.mark.parametrize(
    ("function", "name"),
    [(eval, "eval"), (exec, "exec"), (open, "io.open"), (__import__("os").system, "posix.system")],
)
@pytest.mark.parametrize("is_zipped", [True, False], ids=["zip", "legacy"])
def test_a_file_that_calls_what_no_weights_need_is_refused_without_a_line(
    tmp_path: Path, function: Callable[..., object], name: str, is_zipped: bool
) -> None:
    path = tmp_path / "w.pth"
    harm = tmp_path / "harm"
    code = f"touch {harm}" if name == "posix.system" else f"open({str(harm)!r}, 'w')"
    torch.save(
        {"state_dict": STATE, "x": _Calls(function, code)}, path, _use_new_zipfile_serialization=is_zipped
    )

    message = refused(path)

    assert f"would call {name} when it is loaded, which no weights need" in message
    assert "python" not in message.removeprefix(str(path))
    assert not harm.exists()


class _Crafted:
    """An array of NumPy with a type that the file made up."""

    def __init__(self, *state: object) -> None:
        self.state = state

    def __reduce__(self) -> tuple[object, ...]:
        reconstruct = np.zeros(1).__reduce__()[0]
        return reconstruct, (np.ndarray, (0,), b"b"), self.state


@pytest.mark.parametrize(
    "content",
    [b"\0" * 3, b""],
)
def test_an_array_with_fewer_bytes_than_its_shape_needs_is_refused(tmp_path: Path, content: bytes) -> None:
    crafted = _Crafted(1, (1 << 20,), np.dtype("f8"), False, content)
    torch.save({"state_dict": STATE, "x": crafted}, tmp_path / "w.pth")

    assert refused(tmp_path / "w.pth")


def _bytes_of_a_checkpoint(tmp_path: Path) -> bytes:
    torch.save(STATE, tmp_path / "whole")
    return (tmp_path / "whole").read_bytes()


def test_a_damaged_pickle_is_not_taken_for_code(tmp_path: Path) -> None:
    whole = _bytes_of_a_checkpoint(tmp_path)
    at = whole.index(b"ctorch._utils")
    (tmp_path / "w.pth").write_bytes(whole[:at] + b"\0" * 8 + whole[at + 8 :])

    assert "is damaged, or torch.save did not write it" in refused(tmp_path / "w.pth")


def test_a_legacy_file_that_was_cut_off_is_damaged(tmp_path: Path) -> None:
    torch.save(STATE, tmp_path / "w.pth", _use_new_zipfile_serialization=False)
    (tmp_path / "w.pth").write_bytes((tmp_path / "w.pth").read_bytes()[:-20])

    assert "is damaged, or torch.save did not write it" in refused(tmp_path / "w.pth")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"no weights", "is text that begins with 'no weights', not weights of PyTorch"),
        (b'{"message": "Not Found"}', """is text that begins with '{"message": "Not Found"}'"""),
        (b"<!doctype html><title>Sign in</title>", "is a web page (HTML), not the file itself"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
        (b"/annex/objects/MD5-s1--aa\n", "git annex get"),
        (gzip.compress(b"x", mtime=0), "is a compressed file; unpack it"),
        (b"\x89HDF\r\n\x1a\n" + bytes(99), "is an HDF5 file, as Keras saves models (.h5), not weights"),
        (b"\x1c\0\0\0TFL3" + bytes(99), "is a LiteRT (TensorFlow Lite) model, not weights of PyTorch"),
        (b"\x08\x0a\x12\x07pytorch" + bytes(99), "is an ONNX model, which edgefit exports as it is"),
        (b"\xff\xfa\x01" * 9, "is of no kind that edgefit knows, not weights of PyTorch"),
        (b"\x80\x02]q\0.", "is a pickle that torch.save did not write"),
    ],
)
def test_a_file_of_another_kind_is_said_to_be_what_it_is(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "best.pth").write_bytes(content)

    message = refused(tmp_path / "best.pth")

    assert said in message
    assert re.search(r"; \w", message)


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_converted_line_ends_are_said_with_the_remedy(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"w.{suffix}"
    noise = torch.randn(4096, generator=torch.Generator().manual_seed(0))
    if suffix == "pth":
        torch.save({"w": noise}, path)
    else:
        save_file({"w": noise}, path)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))

    assert "its line ends were converted" in refused(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"state": {0: {"exp_avg": torch.zeros(3)}}, "param_groups": []}, "holds the state of an optimiser"),
        ([torch.zeros(3)], "holds an object of type list"),
        ({}, "holds an empty dictionary"),
        ({"epoch": 1, "a": 2, "b": 3, "c": 4}, "holds a dictionary with the keys 'epoch', 'a', 'b' …"),
        (torch.zeros(3), "holds an object of type Tensor"),
    ],
)
def test_a_file_without_tensors_by_name_says_what_it_holds(
    tmp_path: Path, content: object, said: str
) -> None:
    torch.save(content, tmp_path / "w.pth")

    assert f"{said}, and no tensors by name; give" in refused(tmp_path / "w.pth")


def test_a_folder_names_the_files_in_it(tmp_path: Path) -> None:
    assert "is a folder, not a file; give a .safetensors file" in refused(tmp_path)
    (tmp_path / "a.bin").write_bytes(b"x")
    (tmp_path / "model.safetensors.index.json").write_text("{}")
    assert f"such as {tmp_path / 'model.safetensors.index.json'}" in refused(tmp_path)
    (tmp_path / ".metadata").write_bytes(b"x")
    assert "dcp_to_torch" in refused(tmp_path)


def test_a_missing_file_and_a_link_to_nothing_are_said(tmp_path: Path) -> None:
    assert "no such file" in refused(tmp_path / "w.pth")
    (tmp_path / "w.pth").symlink_to("../.git/annex/objects/xx")
    assert "which is missing; fetch it with: git annex get" in refused(tmp_path / "w.pth")


def _legacy() -> bytes:
    content = io.BytesIO()
    tensors = {"a.weight": torch.ones(30), "b.weight": torch.ones(30)}
    torch.save(tensors, content, _use_new_zipfile_serialization=False)
    return content.getvalue()


def test_a_file_of_before_zip_that_was_cut_anywhere_is_refused(tmp_path: Path) -> None:
    path, whole = tmp_path / "w.pt", _legacy()
    for length in range(1, len(whole), 13):
        path.write_bytes(whole[:length])

        with pytest.raises(InputError) as caught:
            read_checkpoint(path)

        assert "\n" not in str(caught.value)


def test_a_file_of_before_zip_with_another_name_of_its_values_is_refused(tmp_path: Path) -> None:
    path, whole = tmp_path / "w.pt", _legacy()
    name = re.findall(rb"\d{10,}", whole)[0]
    path.write_bytes(whole[::-1].replace(name[::-1], b"9" * len(name), 1)[::-1])

    with pytest.raises(InputError, match=r"is damaged, or torch\.save did not write it"):
        read_checkpoint(path)
