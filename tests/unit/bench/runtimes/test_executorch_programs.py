"""What a file and an ETDump of ExecuTorch say, without its runtime: files of making/executorch_files.py."""

import math
import random
from collections import Counter
from pathlib import Path

import pytest
from making.executorch_files import MACS, PARAMETERS, SIDE
from making.repository import ROOT

from bench.bundle.flatbuffer import DamagedTableError
from bench.bundle.model_files import read_model_file
from bench.errors import InputError
from bench.runtimes.executed_executorch import executed_by
from bench.runtimes.program_executorch import NoMethodError, Program, read_program
from bench.statistics.precision import share_of_macs
from export.sources.recognising import recognise

STORED = ROOT / "tests" / "data" / "executorch"
PRECISIONS = ("fp32", "fp16", "int8")


def program_of(precision: str) -> Program:
    return read_program(STORED / f"{precision}.pte")


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_program_states_its_tensors_its_operators_and_their_multiply_accumulates(precision: str) -> None:
    program = program_of(precision)

    (taken,), (given,) = program.inputs, program.outputs
    assert not isinstance(taken, str)
    assert not isinstance(given, str)
    assert (taken.dtype, taken.shape) == ("float32", (1, 3, SIDE, SIDE))
    assert (given.dtype, given.shape) == ("float32", (1, 3))
    assert program.backends == ("XnnpackBackend",)
    assert Counter(step.kind for step in program.steps if step.multiplies) == {
        "Conv2d": 3,
        "FullyConnected": 1,
    }
    assert sum(step.macs or 0 for step in program.steps) == MACS
    assert sum(math.prod(value.shape) for value in program.constants if value.shape) == PARAMETERS


@pytest.mark.parametrize("precision", PRECISIONS)
def test_what_ran_is_read_from_the_events_and_its_size_from_the_file(precision: str) -> None:
    executed = executed_by((STORED / f"{precision}.etdp").read_bytes(), program_of(precision))

    assert share_of_macs(executed.operators) == {precision: 1.0}
    assert sum(operator.macs or 0 for operator in executed.operators) == MACS
    assert executed.operators[0].operation.startswith("Convolution (NHWC, ")
    conversions = (executed.casts, executed.quantise, executed.dequantise)
    assert conversions == {"fp32": (0, 0, 0), "fp16": (2, 0, 0), "int8": (0, 2, 1)}[precision]


def test_without_as_many_operators_as_the_file_has_their_sizes_are_unknown() -> None:
    other = Program(inputs=(), outputs=(), steps=(), constants=(), backends=())

    executed = executed_by((STORED / "fp32.etdp").read_bytes(), other)

    assert [operator.precision for operator in executed.operators] == ["fp32"] * 4
    assert share_of_macs(executed.operators) is None


def test_a_program_that_was_cut_off_is_refused_before_it_is_run(tmp_path: Path) -> None:
    whole = (STORED / "int8.pte").read_bytes()
    path = tmp_path / "model.pte"

    for length in range(60, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(
            InputError, match=r"model.pte: is an ExecuTorch program that was cut off; copy or"
        ):
            read_model_file(path)


def test_a_damaged_program_is_read_or_said_to_be_damaged(tmp_path: Path) -> None:
    chance, path = random.Random(0), tmp_path / "model.pte"
    for precision in PRECISIONS:
        for _ in range(100):
            content = bytearray((STORED / f"{precision}.pte").read_bytes())
            for _ in range(chance.randint(1, 8)):
                content[chance.randrange(8, len(content))] = chance.randrange(256)
            path.write_bytes(bytes(content[: chance.randint(8, len(content))]))
            try:
                read_program(path)
            except (DamagedTableError, NoMethodError):
                continue


def test_a_program_is_measured_but_nothing_is_exported_from_it() -> None:
    with pytest.raises(
        InputError,
        match=r"fp32.pte: edgefit measures ExecuTorch files, .* nothing of them; .*edgefit bench",
    ):
        recognise(str(STORED / "fp32.pte"), None)
