"""The lines that use TorchScript in a shipped example give what bench's own session gives."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bench.bundle.signature import Array, Tensor
from bench.bundle.variants import Precision
from bench.run_config import RunConfig
from bench.runtimes.formats import FORMATS
from bench.runtimes.protocol import LoadOptions
from bench.runtimes.run_torchscript import load
from bench.runtimes.usage import RanAs, Usage

Answer = tuple[dict[str, torch.Tensor], torch.Tensor | None, list[torch.Tensor], tuple[torch.Tensor, int]]


class Nested(torch.nn.Module):
    """Gives a dictionary, nothing, a list, and a tuple with a number."""

    def forward(self, image: torch.Tensor) -> Answer:
        nothing: torch.Tensor | None = None
        return {"features": image + 1}, nothing, [image * 2, image * 3], (image.mean(dim=(1, 2)), 7)


class Bytes(torch.nn.Module):
    """Takes 8-bit values and float ones."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.full((3,), 0.1, dtype=dtype))

    def forward(self, image: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
        return image.to(self.weight.dtype) * factor * self.weight


@dataclass(frozen=True)
class Used:
    """A module as the lines of an example are run with it."""

    module: torch.nn.Module
    inputs: Sequence[Array]
    precision: Precision = Precision.FP32
    gives_one_tensor: bool = True
    place: str = "cpu"
    tensors: tuple[Tensor, ...] = field(init=False)

    def __post_init__(self) -> None:
        tensors = (
            Tensor(name=f"input_{index}", dtype=array.dtype.name, shape=array.shape)
            for index, array in enumerate(self.inputs)
        )
        object.__setattr__(self, "tensors", tuple(tensors))

    @property
    def usage(self) -> Usage:
        write = FORMATS["torchscript"].usage
        assert write is not None
        return write(
            RanAs(
                provider=self.place,
                place=self.place,
                threads=1,
                precision=self.precision,
                engine=None,
                in_half=False,
                inputs=self.tensors,
                gives_one_tensor=self.gives_one_tensor,
            )
        )

    def by_example(self, folder: Path) -> list[Array]:
        names: dict[str, Any] = {"HERE": folder, "ENTRY": "model.pt", "inputs": list(self.inputs)}
        exec("\n".join([self.usage.imports, self.usage.load, self.usage.infer]), names)
        outputs: list[Array] = names["outputs"]
        return outputs

    def by_bench(self, folder: Path) -> list[Array]:
        config = RunConfig(threads=1, provider="cpu")
        session = load(folder / "model.pt", LoadOptions(config, precision=self.precision))
        return list(session.infer(self.inputs))


IMAGE = np.linspace(0, 1, 12).reshape(1, 3, 4)
PIXELS = np.arange(3, dtype=np.uint8)[None]
USED = {
    "nested outputs": Used(Nested(), [IMAGE.astype(np.float32)], gives_one_tensor=False),
    "uint8 and float32": Used(Bytes(torch.float32), [PIXELS, np.full((1, 1), 2.0, np.float32)]),
    "uint8 and float16": Used(
        Bytes(torch.float16).half(), [PIXELS, np.full((1, 1), 2.0, np.float16)], precision=Precision.FP16
    ),
    "float64": Used(Bytes(torch.float64), [PIXELS.astype(np.float64), np.full((1, 1), 2.0)]),
}


@pytest.mark.parametrize("used", USED.values(), ids=USED.keys())
def test_the_example_gives_what_bench_gives(used: Used, tmp_path: Path) -> None:
    torch.jit.script(used.module).save(str(tmp_path / "model.pt"))  # type: ignore[no-untyped-call]

    mine, right = used.by_example(tmp_path), used.by_bench(tmp_path)

    assert len(mine) == len(right)
    for one, other in zip(mine, right, strict=True):
        assert one.dtype == other.dtype or other.dtype == np.float32
        assert np.array_equal(one.astype(other.dtype), other)


def test_a_gpu_computes_the_floats_of_an_fp16_file_in_half() -> None:
    def infer(*dtypes: str) -> str:
        inputs = [np.zeros((1, 3), dtype) for dtype in dtypes]
        return Used(Nested(), inputs, precision=Precision.FP16, place="cuda").usage.infer

    assert "tensor.half() if tensor.is_floating_point()" in infer("float32")
    assert "half" not in infer("float16")
    assert "half" not in infer("uint8")
    assert "tensor.to('cuda')" in infer("uint8")
