"""What the networks of a comparison are called."""

from dataclasses import replace
from pathlib import Path

from bench.bundle.manifest import Bundle, read_bundle
from edgefit.networks import network_names


def named(bundle: Bundle, name: str) -> Bundle:
    return replace(bundle, manifest=bundle.manifest.model_copy(update={"name": name}))


def test_networks_have_the_names_of_their_bundles_or_of_their_folders(bundle_folder: Path) -> None:
    bundle = read_bundle(bundle_folder)
    here, there = Path("/x/here"), Path("/x/there")

    other_names = network_names({here: named(bundle, "a"), there: named(bundle, "b")})
    same_name = network_names({here: bundle, there: bundle})
    of_a_file = network_names({here: named(bundle, "net.onnx")}, ["net.onnx"])

    assert list(other_names.values()) == ["a", "b"]
    assert list(same_name.values()) == ["here", "there"]
    assert list(of_a_file.values()) == ["here"]
