"""What the networks of a comparison are called."""

from pathlib import Path

from edgefit.networks import network_names


def test_networks_have_their_own_names_or_those_of_their_folders() -> None:
    here, there = Path("/x/here"), Path("/x/there")

    other_names = network_names({here: "a", there: "b"})
    same_name = network_names({here: "net", there: "net"})
    of_a_file = network_names({here: "net.onnx"}, ["net.onnx"])

    assert list(other_names.values()) == ["a", "b"]
    assert list(same_name.values()) == ["here", "there"]
    assert list(of_a_file.values()) == ["here"]
