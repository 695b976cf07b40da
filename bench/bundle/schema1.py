"""Manifests of schema 1, with their keys as schema 2 calls them. It knows the old keys and reads no file.

What schema 1 did not know stays unknown, and the schema number says so.
"""

from collections.abc import Mapping
from typing import Any

from device_profiles.schema1 import renamed

_EXCLUDED = {"left_in_float": "excluded_modules"}
_RECIPE = {**_EXCLUDED, "refined": "qat"}
_ATTEMPT = {"share_in_float": "share_in_fp32"}

Json = dict[str, Any]


def renamed_manifest(manifest: Mapping[str, Any]) -> Json:
    """Return a manifest's document of schema 1 with today's keys; KeyError or TypeError if it is none."""
    return {**manifest, "artifacts": [_artifact(artifact) for artifact in manifest["artifacts"]]}


def _artifact(old: Mapping[str, Any]) -> Json:
    artifact = renamed(old, _EXCLUDED)
    if artifact.get("search") is not None:
        search = renamed(artifact["search"], _EXCLUDED)
        attempts = [renamed(attempt, _ATTEMPT) for attempt in search["attempts"]]
        search["attempts"] = [{**one, "recipe": renamed(one["recipe"], _RECIPE)} for one in attempts]
        artifact["search"] = search
    return artifact
