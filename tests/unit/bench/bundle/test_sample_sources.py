"""Data is read from arrays in files, and from a function of the user's own."""

from pathlib import Path

import numpy as np
import pytest

from bench.bundle.sample_sources import samples_in_files, samples_of_function, tensor_files
from bench.bundle.samples import Sample
from bench.errors import InputError


def written(tmp_path: Path, code: str) -> Path:
    path = tmp_path / "data.py"
    path.write_text(f"import numpy as np\n{code}")
    return path


def items_of(tmp_path: Path, code: str) -> list[Sample]:
    return list(samples_of_function(written(tmp_path, code), "load_data"))


def test_files_of_arrays_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    np.save(tmp_path / "b.npy", np.ones(2))
    np.savez(tmp_path / "a.npz", x=np.zeros(1), y=np.zeros(2))
    np.savez(tmp_path / "c.npz", np.zeros(3))

    samples = list(samples_in_files(tensor_files(tmp_path)))

    assert [list(sample.arrays) for sample in samples] == [["x", "y"], [""], [""]]
    assert samples[0].where == str(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"text", "cannot be read .* write arrays with numpy.save"),
        (b"PK\x03\x04", "is cut off"),
    ],
)
def test_a_file_without_arrays_is_refused(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(content)

    with pytest.raises(InputError, match=rf"a\.npz: {said}"):
        list(samples_in_files([tmp_path / "a.npz"]))


def test_pickled_objects_are_never_read(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{}], dtype=object), allow_pickle=True)

    with pytest.raises(InputError, match="cannot be read"):
        list(samples_in_files([tmp_path / "a.npy"]))


@pytest.mark.parametrize(
    "body",
    [
        "    yield {'x': np.zeros(2)}\n    yield {'x': np.ones(2)}",
        "    return [{'x': np.zeros(2)}, {'x': np.ones(2)}]",
        "    return iter([{'x': np.zeros(2)}, {'x': np.ones(2)}])",
    ],
)
def test_a_function_yields_or_returns_dictionaries(body: str, tmp_path: Path) -> None:
    samples = items_of(tmp_path, f"def load_data():\n{body}\n")

    assert [sample.arrays["x"].tolist() for sample in samples] == [[0, 0], [1, 1]]
    assert [sample.is_labelled for sample in samples] == [False, False]


def test_a_function_may_return_one_array_or_one_dictionary(tmp_path: Path) -> None:
    one = items_of(tmp_path, "def load_data():\n    return np.zeros((2, 3))\n")
    named = items_of(tmp_path, "def load_data():\n    return {'x': np.zeros(1)}\n")

    assert [sample.arrays[""].shape for sample in one] == [(2, 3)]
    assert [list(sample.arrays) for sample in named] == [["x"]]


def test_a_pair_is_data_and_a_label(tmp_path: Path) -> None:
    (sample,) = items_of(tmp_path, "def load_data():\n    yield {'x': np.zeros(1)}, 3\n")

    assert (list(sample.arrays), sample.is_labelled) == (["x"], True)


def test_the_function_may_import_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "edgefit_test_neighbour.py").write_text("VALUE = 7\n")

    (sample,) = items_of(
        tmp_path, "from edgefit_test_neighbour import VALUE\ndef load_data():\n    yield np.full(1, VALUE)\n"
    )

    assert sample.arrays[""].tolist() == [7]


def test_the_file_may_define_dataclasses_with_postponed_annotations(tmp_path: Path) -> None:
    path = tmp_path / "data.py"
    path.write_text(
        "from __future__ import annotations\nfrom dataclasses import dataclass\nimport numpy as np\n"
        "@dataclass\nclass Scan:\n    value: int\n\ndef load_data():\n    yield np.full(1, Scan(4).value)\n"
    )

    (sample,) = samples_of_function(path, "load_data")

    assert sample.arrays[""].tolist() == [4]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (
            "def load_data():\n    raise KeyError('lost')\n",
            r"data.py:load_data: raised KeyError: 'lost'; ",
        ),
        (
            "def load_data():\n    yield np.zeros(1)\n    raise SystemExit\n",
            r":load_data: raised SystemExit; ",
        ),
        (
            "1 / 0\n",
            r"data.py: raised ZeroDivisionError: division by zero; correct it",
        ),
        ("def other():\n    pass\n", r"data.py: has no function 'load_data'; define it, or name another"),
        (
            "def load_data():\n    yield 'text'\n",
            r"item 0 of .*data.py:load_data: is str, not an array",
        ),
        ("def load_data(x):\n    yield x\n", r"raised TypeError: load_data\(\) missing 1 required"),
    ],
)
def test_whatever_goes_wrong_in_it_is_one_error(code: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words):
        items_of(tmp_path, code)


def test_what_it_prints_does_not_go_to_stdout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    items_of(tmp_path, "print('hello')\ndef load_data():\n    print('there')\n    yield np.zeros(1)\n")

    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "hello\nthere\n"


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no such file; give a Python file and its function"):
        list(samples_of_function(tmp_path / "none.py", "load_data"))
