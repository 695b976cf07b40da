"""Finds profiles and reads them: those that come along, a user's own folder, a path; one may extend another.

Nothing is repaired and nothing hides another: whatever is wrong is an error with file, key and remedy.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from device_profiles.errors import ProfileError
from device_profiles.profile import Profile
from device_profiles.validation import explain, nearest

_FOLDER = Path(__file__).parent
_ENDINGS = (".yaml", ".yml")
_EXTENDS = "extends"
# A mapping with one of these is a figure or a setting with its source: it is replaced whole, so that a value
# never comes to stand beside another value's source.
_WHOLE = ("value", "not_found")


def own_folder() -> Path:
    """Return the folder of a user's own profiles: $EDGEFIT_PROFILES, else one in the configuration folder."""
    if own := os.environ.get("EDGEFIT_PROFILES"):
        return Path(own)
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support/edgefit/profiles"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "edgefit" / "profiles"


def profile_paths() -> dict[str, Path]:
    """Return the file of every profile that has a name: those that come along, then the user's own.

    Raises ProfileError where two files bear one name, or EDGEFIT_PROFILES is no folder.
    """
    paths = {path.stem: path for path in sorted(_FOLDER.glob("*.yaml"))}
    folder = own_folder()
    if os.environ.get("EDGEFIT_PROFILES") and not folder.is_dir():
        raise ProfileError(f"EDGEFIT_PROFILES: {folder} is no folder; make it, or unset the variable")
    for path in sorted(path for ending in _ENDINGS for path in folder.glob(f"*{ending}")):
        if path.stem in paths:
            raise ProfileError(
                f"{path}: another profile is called '{path.stem}' too ({paths[path.stem]}); "
                "rename this file and its 'name', and let it say which one it extends"
            )
        paths[path.stem] = path
    return paths


def profile_names() -> list[str]:
    """Return the names of all profiles that have one."""
    return sorted(profile_paths())


def shipped_profiles() -> list[Profile]:
    """Return the profiles that come with edgefit, whatever a user's own folder holds."""
    return [read_profile(path) for path in sorted(_FOLDER.glob("*.yaml"))]


def load_profile(name_or_path: str) -> Profile:
    """Load a profile by name, or from a file if the text ends in .yaml or .yml, or holds a path separator.

    Raises ProfileError with the file, the key and the remedy.
    """
    if is_path(name_or_path):
        return read_profile(Path(name_or_path))
    paths = profile_paths()
    if name_or_path not in paths:
        raise ProfileError(
            f"unknown profile '{name_or_path}'; {nearest(name_or_path, sorted(paths))}"
            " (a file of your own is given by its path)"
        )
    return read_profile(paths[name_or_path])


def as_yaml(content: Mapping[str, Any]) -> str:
    """Return a profile's content as the text of its file."""
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)


def was_a_profile(content: bytes) -> bool:
    """Tell whether a file's content is a profile's, valid or not."""
    try:
        found = yaml.safe_load(content)
    except (UnicodeDecodeError, RecursionError, yaml.YAMLError):
        return False
    return isinstance(found, dict) and "name" in found and not {"extends", "sampling"}.isdisjoint(found)


def is_path(name_or_path: str) -> bool:
    """Tell whether a profile is given by its file rather than by its name."""
    return name_or_path.endswith(_ENDINGS) or "/" in name_or_path


def read_profile(path: Path) -> Profile:
    """Read one profile file, with what it extends; raises ProfileError."""
    try:
        profile = Profile.model_validate_json(_as_json(path, _content(path, ())))
    except ValidationError as error:
        raise ProfileError(explain(path, error, Profile)) from None
    for key in ("sampling", "quick", "budget"):
        if "source" not in getattr(profile, key).model_fields_set:
            raise ProfileError(f"{path}: the key '{key}.source' is missing: who chose these numbers, and why")
    if path.parent in (_FOLDER, own_folder()) and profile.name != path.stem:
        raise ProfileError(
            f"{path}: name: is '{profile.name}', and a profile is found by its file's: '{path.stem}'"
        )
    return profile


def _as_json(path: Path, content: Mapping[str, Any]) -> str:
    """Return the content as JSON, in whose terms the model is strict: a list is a list, a date a text."""
    try:
        return json.dumps(content, default=str)
    except (ValueError, RecursionError):
        raise ProfileError(f"{path}: holds itself; a YAML anchor must not lead back to itself") from None


def _content(path: Path, extended_by: tuple[Path, ...]) -> dict[str, Any]:
    """Return a file's mapping, laid over that of the profile it extends."""
    content = _read(path)
    base = content.pop(_EXTENDS, None)
    if base is None:
        return content
    if not isinstance(base, str):
        raise ProfileError(f"{path}: extends: must be a profile's name or path (seen: {base!r})")
    chain = (*extended_by, path.resolve())
    base_path = _path_of_base(path, base)
    if base_path.resolve() in chain:
        raise ProfileError(
            f"{path}: extends: '{base}' leads back to this file; a profile cannot extend itself"
        )
    return _laid_over(_content(base_path, chain), content)


def _path_of_base(path: Path, base: str) -> Path:
    if is_path(base):
        return path.parent / base
    paths = profile_paths()
    if base not in paths:
        raise ProfileError(f"{path}: extends: unknown profile '{base}'; {nearest(base, sorted(paths))}")
    return paths[base]


def _laid_over(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `changes`: mapping by mapping, but figures and lists whole."""
    merged = dict(base)
    for key, value in changes.items():
        below = merged.get(key)
        if isinstance(below, dict) and isinstance(value, dict) and not _is_whole(below) | _is_whole(value):
            merged[key] = _laid_over(below, value)
        else:
            merged[key] = value
    return merged


def _is_whole(mapping: Mapping[str, Any]) -> bool:
    return any(mark in mapping for mark in _WHOLE)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ProfileError(f"{path}: no such profile file; known names: edgefit profiles list") from None
    except (OSError, UnicodeDecodeError, RecursionError, yaml.YAMLError) as error:
        raise ProfileError(f"{path}: cannot be read as YAML ({_in_one_line(error)})") from None
    if not isinstance(content, dict):
        raise ProfileError(
            f"{path}: is not a profile: YAML with keys such as 'name' and 'sampling' is needed"
        )
    return content


def _in_one_line(error: Exception) -> str:
    return " ".join(str(error).split())
