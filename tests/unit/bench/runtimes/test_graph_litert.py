"""A LiteRT file as it is read without LiteRT."""

import contextlib
from pathlib import Path

import pytest

pytest.importorskip("ai_edge_litert")

from making.tflite_files import control, with_open_batch

from bench.bundle.signature import Tensor
from bench.bundle.variants import Precision
from bench.runtimes.graph_litert import DamagedFileError, describe_file, read_file_graph
from bench.runtimes.run_litert import read_graph

IMAGE = Tensor(name="image", dtype="float32", shape=(1, 3, 96, 96))


def test_inputs_and_outputs_have_the_names_of_the_signature() -> None:
    described = describe_file(control())

    assert described.signature.inputs == (IMAGE,)
    assert described.signature.outputs == (Tensor(name="logits", dtype="float32", shape=(1, 2)),)
    assert described.precision is Precision.FP32


def test_an_axis_that_a_file_leaves_open_is_said_and_its_work_is_counted_for_any_size(tmp_path: Path) -> None:
    path = with_open_batch(tmp_path / "open.tflite")

    assert describe_file(path).signature.inputs[0].shape == ("?", 3, 96, 96)
    one, two = (
        read_graph(path, [IMAGE.model_copy(update={"shape": (batch, 3, 96, 96)})]).macs for batch in (1, 2)
    )
    assert one == read_graph(control(), [IMAGE]).macs
    assert two == 2 * (one or 0)


@pytest.mark.parametrize("kept", [9, 40, 400, 4000])
def test_a_file_that_was_cut_off_is_refused_in_one_sentence(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "cut.tflite"
    path.write_bytes(control().read_bytes()[:kept])

    with pytest.raises(DamagedFileError, match=r"^it is cut off or damaged$"):
        read_file_graph(path)


def test_damage_anywhere_is_refused_or_read_and_nothing_else(tmp_path: Path) -> None:
    content, path = control().read_bytes(), tmp_path / "damaged.tflite"
    for position in range(8, len(content), len(content) // 200):
        path.write_bytes(content[:position] + bytes([content[position] ^ 0xFF]) + content[position + 1 :])
        with contextlib.suppress(DamagedFileError):
            read_file_graph(path)
