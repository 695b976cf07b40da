"""Networks in Python and torch programs as sources: what they say of themselves, and what is refused."""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from bench.bundle.source_record import OutputRecord, SourceKind
from bench.errors import InputError
from export.sources.library import Build, Torchvision, for_channels
from export.sources.opening import describe_source, load
from export.sources.spec import OpenSource, SourceDescription, SourceSpec, StatedShape
from export.sources.torch_network import _fitted
from export.sources.weights import Weights, load_into, read_weights

MODULE = """
import torch
from torch import nn

print("imported")


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(1, 4, 3)
        self.head = nn.Linear(4, 2)

    def forward(self, image, extra=None):
        print("run")
        return {"scores": self.head(self.layer(image).mean((2, 3))), "means": [image.mean((1, 2, 3))]}


def build():
    torch.manual_seed(0)
    return Net()


def untrained():
    return Net()


class Noisy(Net):
    def forward(self, image):
        return self.head(self.layer(image).mean((2, 3))) + torch.randn(1)


def noisy():
    torch.manual_seed(0)
    return Noisy()


def fail():
    raise ValueError("no such file: weights.pth")


def number():
    return 3
"""
SHAPE = (1, 1, 6, 8)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "usersnet.py").write_text(MODULE)
    yield tmp_path
    sys.modules.pop("usersnet", None)
    if str(tmp_path) in sys.path:
        sys.path.remove(str(tmp_path))


def described(
    folder: Path, name: str, shape: tuple[int, ...] | None = SHAPE, weights: Path | None = None
) -> SourceDescription:
    spec = SourceSpec(
        kind=SourceKind.FUNCTION,
        name=name,
        folder=str(folder),
        weights=None if weights is None else str(weights),
    )
    return describe_source(spec, [] if shape is None else [StatedShape(name="", shape=shape)])


def test_a_function_s_network_has_its_arguments_as_inputs_and_flat_outputs(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    description = described(folder, "usersnet:build")
    signature = description.signature

    assert [tensor.words for tensor in signature.inputs] == ["image: float32 [1, 1, 6, 8]"]
    assert [tensor.words for tensor in signature.outputs] == [
        "output_0: float32 [1, 2]",
        "output_1: float32 [1]",
    ]
    assert description.stated is None
    assert capsys.readouterr().out == ""


def test_its_layers_give_what_it_gives(folder: Path) -> None:
    spec = SourceSpec(kind=SourceKind.FUNCTION, name="usersnet:build", folder=str(folder))
    signature = describe_source(spec, [StatedShape(name="image", shape=SHAPE)]).signature
    output = OutputRecord(name="output_0", index=0, kind="classes", activation="logits")
    source = OpenSource(
        spec=spec, inputs=signature.inputs, outputs=signature.outputs, output=output, producer=""
    )
    image = np.random.default_rng(0).random(SHAPE, dtype=np.float32)

    loaded = load(source)

    given = [value.numpy() for value in loaded.network(torch.from_numpy(image))]
    for value, expected in zip(given, loaded.source.run([image]), strict=True):
        assert np.allclose(value, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("usersnet:fail", "raised ValueError: no such file: weights.pth"),
        ("usersnet:number", "returned int, not a network"),
        ("usersnet:missing", "usersnet has no 'missing'"),
        ("usersnet:untrained", "builds other weights at every call (layer.weight differs)"),
        ("usersnet:noisy", "gives other outputs for the same input at every call"),
        ("nosuchnet:build", "there is no module 'nosuchnet' in"),
        ("usersnet", "write package.module:function"),
        ("models.networks:build", "edgefit has a package 'models' of its own"),
    ],
)
def test_a_path_that_gives_no_network_is_one_sentence(folder: Path, name: str, said: str) -> None:
    with pytest.raises(InputError) as error:
        described(folder, name)

    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_function_s_network_asks_for_the_shape_to_type(folder: Path) -> None:
    with pytest.raises(InputError, match="such as: --shape image:1x3x224x224"):
        described(folder, "usersnet:build", shape=None)


def test_a_shape_that_the_network_cannot_take_is_said(folder: Path) -> None:
    with pytest.raises(InputError, match=r"expected input.* to have 1 channels.*state another --shape"):
        described(folder, "usersnet:build", shape=(1, 3, 6, 8))


def test_weights_are_found_under_the_usual_keys_without_prefixes(tmp_path: Path) -> None:
    network, other = nn.Linear(3, 2), nn.Linear(3, 2)
    wrapped = {f"module._orig_mod.{name}": value for name, value in network.state_dict().items()}
    torch.save({"epoch": 3, "state_dict": wrapped}, tmp_path / "checkpoint.pth")

    load_into(other, read_weights(tmp_path / "checkpoint.pth", other), "nets:build")

    assert torch.equal(other.weight, network.weight)


def test_what_was_done_to_the_weights_is_described_with_their_hash(folder: Path) -> None:
    trained = {"layer.weight": torch.ones(4, 1, 3, 3), "layer.bias": torch.ones(4)}
    trained |= {"head.weight": torch.ones(2, 4), "head.bias": torch.ones(2)}
    state = {f"module._orig_mod.{name}": value for name, value in trained.items()}
    torch.save({"state_dict": state, "best_acc1": np.float64(0.9)}, folder / "best.ckpt")

    weights = described(folder, "usersnet:build", weights=folder / "best.ckpt").weights

    assert weights is not None
    assert weights.notes == (
        "The weights under 'state_dict' were used.",
        "The prefix 'module._orig_mod.' was removed from 4 names.",
    )
    assert weights.sha256 == hashlib.sha256((folder / "best.ckpt").read_bytes()).hexdigest()


def test_a_network_without_its_head_is_an_error_for_a_random_head_is_never_exported(folder: Path) -> None:
    state = {"backbone.layer.weight": torch.ones(4, 1, 3, 3), "backbone.layer.bias": torch.ones(4)}
    torch.save({**state, "fc.weight": torch.ones(2, 4), "fc.bias": torch.ones(2)}, folder / "best.pth")

    with pytest.raises(InputError, match=r"does not fit usersnet:build: it misses head\.weight, head\.bias"):
        described(folder, "usersnet:build", weights=folder / "best.pth")


def test_two_networks_in_a_file_are_an_error_of_export_too(folder: Path) -> None:
    network = nn.Linear(3, 2)
    state = {f"{name}.weight": torch.randn(2, 3) for name in ("a", "b")}
    torch.save(state, folder / "best.pth")

    with pytest.raises(InputError, match=r"holds several networks that fit, such as 'a\.' and 'b\.'"):
        read_weights(folder / "best.pth", network)


def test_weights_that_do_not_fit_are_named(tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(2, 4), "extra": torch.zeros(1)}, tmp_path / "w.safetensors")

    network = nn.Linear(3, 2)
    with pytest.raises(InputError) as error:
        load_into(network, read_weights(tmp_path / "w.safetensors", network), "nets:build")

    assert (
        "does not fit nets:build: it misses bias; has too much extra; has other shapes for weight [2, 4] "
        "instead of [2, 3]"
    ) in str(error.value)


def test_a_pickled_module_is_never_loaded(tmp_path: Path) -> None:
    torch.save(nn.Linear(3, 2), tmp_path / "whole.pth")

    with pytest.raises(InputError, match=r"needs code to be loaded \(torch\.nn\.modules\.linear\.Linear\)"):
        read_weights(tmp_path / "whole.pth", nn.Linear(3, 2))


def test_a_damaged_file_of_weights_is_named(tmp_path: Path) -> None:
    for name in ("w.pth", "w.safetensors"):
        (tmp_path / name).write_bytes(b"PK\x03\x04nothing")
        with pytest.raises(InputError, match=r"is cut off .*copy or download it again"):
            read_weights(tmp_path / name, nn.Linear(3, 2))


def test_classes_and_channels_are_those_of_the_weights() -> None:
    library = Torchvision()
    trained = library.build("squeezenet1_1", Build(classes=3, channels=1))
    weights = Weights(Path("w"), trained.state_dict(), "0" * 64)

    build = _fitted(library.build("squeezenet1_1", Build()), weights, Build())

    assert build == Build(classes=3, channels=1)


def test_an_unknown_network_is_named_with_those_that_are_like_it() -> None:
    spec = SourceSpec(kind=SourceKind.TORCHVISION, name="torchvision/resnet81")

    with pytest.raises(InputError, match=r"torchvision/resnet81: .*resnet18"):
        describe_source(spec, [])


def test_a_library_s_network_without_weights_asks_for_them() -> None:
    spec = SourceSpec(kind=SourceKind.TORCHVISION, name="torchvision/squeezenet1_1")

    with pytest.raises(InputError, match="give yours with --weights FILE"):
        describe_source(spec, [])


def test_torchvision_states_its_preprocessing_and_none_of_one_channel_from_three() -> None:
    stated = Torchvision().stated("resnet18")
    assert stated is not None

    assert stated.origin == "torchvision's transforms of resnet18"
    assert (stated.size, stated.resize, stated.crop_pct) == ((224, 224), "crop", 0.875)
    assert stated.mean == (0.485, 0.456, 0.406)
    assert for_channels(stated, 1).mean is None
    assert for_channels(stated, 1).channels == "grey"


def test_a_damaged_program_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "model.pt2").write_bytes(b"PK\x03\x04 and nothing else PK\x05\x06")
    spec = SourceSpec(kind=SourceKind.PROGRAM, name=str(tmp_path / "model.pt2"))

    with pytest.raises(InputError, match="cannot be loaded as a program") as error:
        describe_source(spec, [])

    assert "\n" not in str(error.value)


def test_a_program_with_an_open_batch_takes_one_sample(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)).eval()
    batch = torch.export.Dim("batch")
    program = torch.export.export(
        network, (torch.zeros(2, 1, 6, 8),), dynamic_shapes=({0: batch},), strict=False
    )
    torch.export.save(program, tmp_path / "model.pt2")
    spec = SourceSpec(kind=SourceKind.PROGRAM, name=str(tmp_path / "model.pt2"))

    description = describe_source(spec, [])

    assert [tensor.words for tensor in description.signature.inputs] == ["input: float32 [1, 1, 6, 8]"]
    assert [tensor.words for tensor in description.signature.outputs] == ["logits: float32 [1, 2]"]
    assert description.precision.value == "fp32"


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "is empty"), (b"hello", "is text that begins with 'hello', not weights of PyTorch")],
)
def test_a_file_without_weights_is_said_to_be_what_it_is(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "best.pth").write_bytes(content)

    with pytest.raises(InputError, match=rf"best\.pth: {said}; "):
        read_weights(tmp_path / "best.pth", nn.Linear(3, 2))
