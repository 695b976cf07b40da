"""Which tensors of a checkpoint are a network's: prefixes, wrappers, averaged weights, several networks."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from models.checkpoints.fitting import Fit, fit
from models.checkpoints.reading import Checkpoint, read_checkpoint
from models.errors import InputError

State = dict[str, Tensor]


class Net(nn.Module):
    """Convolution, batch norm and a linear head."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        self.classifier = nn.Linear(4, 2)


class Wrapped(nn.Module):
    """The same network as a part of another class."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = Net()


OWN: State = dict(Net().state_dict())
MODEL: State = {name: value.clone() for name, value in Net().state_dict().items()}
OTHER: State = {name: value + 1 for name, value in MODEL.items()}
COUNT = len(OWN)


def prefixed(prefix: str, state: State = MODEL) -> State:
    return {f"{prefix}{name}": value for name, value in state.items()}


def saved(tmp_path: Path, content: object) -> Checkpoint:
    torch.save(content, tmp_path / "w.pth")
    return read_checkpoint(tmp_path / "w.pth")


def assert_same(found: Fit, expected: State) -> None:
    assert found.tensors.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found.tensors[name], value)


@pytest.mark.parametrize(
    "prefix",
    [
        *("module.", "_orig_mod.", "model.", "backbone.", "encoder.", "net.", "student.", "my_own.cnn."),
        *("module._orig_mod.", "_orig_mod.module.", "model.backbone.", "module.encoder_q."),
    ],
)
def test_a_prefix_is_removed_whatever_it_is_and_said(tmp_path: Path, prefix: str) -> None:
    found = fit(saved(tmp_path, prefixed(prefix)), OWN)

    assert_same(found, MODEL)
    assert found.notes == (f"The prefix '{prefix}' was removed from {COUNT} names.",)


@pytest.mark.parametrize(
    "key", ["state_dict", "model", "net", "state_dict_ema", "model_state_dict", "weights", "any"]
)
def test_a_wrapper_is_found_by_its_content_and_said(tmp_path: Path, key: str) -> None:
    found = fit(saved(tmp_path, {"epoch": 3, "loss": torch.tensor(0.1), key: prefixed("module.")}), OWN)

    assert_same(found, MODEL)
    assert found.notes == (
        f"The weights under '{key}' were used.",
        f"The prefix 'module.' was removed from {COUNT} names.",
    )


def test_a_bare_state_dict_needs_no_word(tmp_path: Path) -> None:
    found = fit(saved(tmp_path, MODEL), OWN)

    assert_same(found, MODEL)
    assert found.notes == ()


def test_wrappers_in_wrappers_and_in_lists_are_opened(tmp_path: Path) -> None:
    found = fit(saved(tmp_path, [{"run": {"best": MODEL}}, 3]), OWN)

    assert_same(found, MODEL)
    assert found.notes == ("The weights under '0/run/best' were used.",)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            {"state_dict": OTHER, "state_dict_ema": MODEL},
            "The weights under 'state_dict_ema' were used; the file has 'state_dict' as well.",
        ),
        (
            {"model": prefixed("module.", OTHER), "model_ema": prefixed("module.")},
            "The weights under 'model_ema' were used; the file has 'model' as well.",
        ),
        (
            {"model": OTHER, "best_model": MODEL},
            "The weights under 'best_model' were used; the file has 'model' as well.",
        ),
        (
            {"student": prefixed("module.backbone.", OTHER), "teacher": prefixed("backbone.")},
            "The weights under 'teacher' were used; the file has 'student' as well.",
        ),
        (
            {**prefixed("student.", OTHER), **prefixed("teacher.")},
            "The weights under 'teacher.' were used; the file has 'student.' as well.",
        ),
        (
            {"state_dict": {**prefixed("module.encoder_q."), **prefixed("module.encoder_k.", OTHER)}},
            "The weights under 'state_dict/module.encoder_q.' were used; the file has",
        ),
    ],
    ids=["ema", "model_ema", "best", "DINO", "both in one table", "MoCo"],
)
def test_of_two_networks_the_averaged_one_is_taken_and_both_are_said(
    tmp_path: Path, content: object, said: str
) -> None:
    found = fit(saved(tmp_path, content), OWN)

    assert_same(found, MODEL)
    assert any(note.startswith(said) for note in found.notes)


def test_averaged_weights_without_the_statistics_of_batch_norms_are_not_taken(tmp_path: Path) -> None:
    parameters = {name: value for name, value in OTHER.items() if "running" not in name}

    found = fit(saved(tmp_path, {"ema": parameters, "model": MODEL}), OWN)

    assert_same(found, MODEL)
    assert found.notes == ("The weights under 'model' were used; the file has 'ema' as well.",)


def test_two_networks_of_which_neither_is_preferred_are_an_error_with_the_line_to_keep_one(
    tmp_path: Path,
) -> None:
    checkpoint = saved(tmp_path, {**prefixed("models.0."), **prefixed("models.1.", OTHER)})

    with pytest.raises(InputError) as caught:
        fit(checkpoint, OWN)

    assert "holds several networks that fit, such as 'models.0.' and 'models.1.'" in str(caught.value)
    assert 'if k.startswith("models.0.")' in str(caught.value)


def test_two_equal_copies_are_one_network(tmp_path: Path) -> None:
    assert_same(fit(saved(tmp_path, {"a": MODEL, "b": MODEL}), OWN), MODEL)


def test_weights_of_a_loss_beside_the_network_are_left_out_and_said(tmp_path: Path) -> None:
    state = {**prefixed("model."), "criterion.weight": torch.ones(2)}

    found = fit(saved(tmp_path, {"state_dict": state, "callbacks": {"best": torch.tensor(1.0)}}), OWN)

    assert_same(found, MODEL)
    assert found.notes[-1] == "1 tensor was not used ('criterion.weight') without the prefix 'model.'."


def test_the_counts_of_a_profiler_are_left_out_and_said(tmp_path: Path) -> None:
    found = fit(saved(tmp_path, {**MODEL, "features.0.total_ops": torch.zeros(1)}), OWN)

    assert_same(found, MODEL)
    assert found.notes == ("1 count of a profiler was not used, such as features.0.total_ops.",)


def test_the_state_of_an_optimiser_is_no_network(tmp_path: Path) -> None:
    optimiser = {"state": {"x": OTHER}, "param_groups": []}

    assert_same(fit(saved(tmp_path, {"optimizer": optimiser, "model": MODEL}), OWN), MODEL)


@pytest.mark.parametrize("prefix", ["", "module.", "backbone.", "module.backbone."])
def test_a_network_that_wraps_another_gets_its_own_names(tmp_path: Path, prefix: str) -> None:
    own = dict(Wrapped().state_dict())

    found = fit(saved(tmp_path, prefixed(prefix)), own)

    assert found.tensors.keys() == own.keys()
    added = f"The prefix 'backbone.' was added to {COUNT} names."
    assert (added in found.notes) == (not prefix.endswith("backbone."))


def test_the_names_of_another_network_are_left_as_they_are(tmp_path: Path) -> None:
    strange = {"module.layer1.weight": torch.ones(1), "module.classifier.bias": torch.ones(2)}

    assert fit(saved(tmp_path, strange), OWN).tensors.keys() == strange.keys()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_floats_become_float32_and_that_is_said(tmp_path: Path, dtype: torch.dtype) -> None:
    state = {name: value.to(dtype) if value.is_floating_point() else value for name, value in MODEL.items()}

    found = fit(saved(tmp_path, state), OWN)

    assert found.tensors["features.0.weight"].dtype == torch.float32
    name = str(dtype).removeprefix("torch.")
    assert found.notes == (f"The weights are stored as {name}, and were converted to float32.",)


def test_a_buffer_of_integers_stays_one(tmp_path: Path) -> None:
    own = {"index": torch.zeros(3, dtype=torch.int64), "weight": torch.zeros(2)}

    found = fit(saved(tmp_path, {"index": torch.arange(3), "weight": torch.ones(2)}), own)

    assert found.tensors["index"].dtype == torch.int64
