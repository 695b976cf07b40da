"""Manifests of schema 1 with the keys of schema 2. It knows the old keys, and reads no file.

The schema number stays 1: what schema 1 did not record is still missing.
"""

from collections.abc import Mapping
from typing import Any

from bench.bundle.preprocessing import unit_rgb
from device_profiles.schema1 import renamed

_EXCLUDED = {"left_in_float": "excluded_modules"}
_SEARCH = {
    **_EXCLUDED,
    "library_default_failed": "library_default_error",
    "taken": "chosen",
    "reached": "meets_goal",
}
_RECIPE = {**_EXCLUDED, "refined": "qat"}
_ATTEMPT = {"share_in_float": "share_in_fp32"}
_PREPROCESSING = {
    "resize": "to image_size x image_size, aspect ratio not kept; bilinear, antialiased (Pillow)",
    "grey_to_rgb": "repeated in three channels; transparency ignored",
    "scale": "value / 255; of 16-bit images value / 65535",
}

Json = dict[str, Any]


def renamed_manifest(manifest: Mapping[str, Any]) -> Json:
    """Return a schema 1 manifest with today's keys.

    Raises KeyError or TypeError if the document is not a manifest.
    """
    return {
        **manifest,
        "artifacts": [_artifact(artifact) for artifact in manifest["artifacts"]],
        "preprocessing": _preprocessing(manifest["preprocessing"], manifest["model"]["image_size"]),
    }


def _preprocessing(old: Mapping[str, Any], side: int) -> Mapping[str, Any]:
    """Return the record that edgefit's own sentences describe; sentences of others stay as they are."""
    return unit_rgb(side).model_dump(mode="json") if old == _PREPROCESSING else old


def _artifact(old: Mapping[str, Any]) -> Json:
    artifact = renamed(old, _EXCLUDED)
    if artifact.get("search") is not None:
        search = renamed(artifact["search"], _SEARCH)
        attempts = [renamed(attempt, _ATTEMPT) for attempt in search["attempts"]]
        search["attempts"] = [
            {**attempt, "recipe": renamed(attempt["recipe"], _RECIPE)} for attempt in attempts
        ]
        artifact["search"] = search
    return artifact
