"""Finds profiles and reads them: those that come along, a user's own folder, a path; one may extend another.

Nothing is repaired and nothing hides another: whatever is wrong is an error with file, key and remedy.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from device_profiles.errors import ProfileError
from device_profiles.profile import Profile, fault_of
from device_profiles.schema1 import upgraded
from device_profiles.validation import explain, nearest
from device_profiles.yaml_text import read_yaml

_FOLDER = Path(__file__).parent
_ENDINGS = (".yaml", ".yml")
_EXTENDS = "extends"
_LARGEST_BYTES = 1 << 20
_SHOWN = 80
# A mapping with one of these is a figure with its source: it is replaced whole, so that a value never comes
# to stand beside another value's source.
_WHOLE = ("value", "not_found")
_SOURCE = "source"


def own_folder() -> Path:
    """Return the folder of a user's own profiles: $EDGEFIT_PROFILES, else one in the configuration folder."""
    if own := os.environ.get("EDGEFIT_PROFILES"):
        return Path(own)
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support/edgefit/profiles"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "edgefit" / "profiles"


def profile_paths() -> dict[str, Sequence[Path]]:
    """Return the files of every profile that has a name: those that come along, then the user's own.

    More than one for a name is an error to whoever asks for it (see path_of). Raises ProfileError if
    EDGEFIT_PROFILES is no folder.
    """
    folder = own_folder()
    if os.environ.get("EDGEFIT_PROFILES") and not folder.is_dir():
        raise ProfileError(f"EDGEFIT_PROFILES: {folder} is no folder; make it, or unset the variable")
    found: dict[str, list[Path]] = {}
    for path in (*_FOLDER.glob("*.yaml"), *(one for end in _ENDINGS for one in folder.glob(f"*{end}"))):
        if not path.name.startswith("."):
            found.setdefault(path.stem, []).append(path)
    return dict(sorted(found.items()))


def profile_names() -> list[str]:
    """Return the names of all profiles that have one."""
    return list(profile_paths())


def path_of(name: str) -> Path:
    """Return the file of a profile by its name; raises ProfileError if there is none, or more than one."""
    paths = profile_paths()
    if name not in paths:
        shown = " ".join(name.split())[:_SHOWN]
        raise ProfileError(
            f"unknown profile '{shown}'; {nearest(Path(name).stem, list(paths))}"
            " (a file of your own is given by its path)"
        )
    first, *others = paths[name]
    if others:
        raise ProfileError(
            f"{others[0]}: another profile is called '{name}' too ({first}); rename this file and its "
            "'name', and let it say which one it extends"
        )
    return first


def shipped_profiles() -> list[Profile]:
    """Return the profiles that come with edgefit, whatever a user's own folder holds."""
    return [read_profile(path) for path in sorted(_FOLDER.glob("*.yaml"))]


def load_profile(name_or_path: str) -> Profile:
    """Load a profile by name, or from a file if the text ends in .yaml or .yml, or holds a path separator.

    Raises ProfileError with the file, the key and the remedy.
    """
    return read_profile(Path(name_or_path) if is_path(name_or_path) else path_of(name_or_path))


def is_path(name_or_path: str) -> bool:
    """Tell whether a profile is given by its file rather than by its name."""
    return name_or_path.endswith(_ENDINGS) or "/" in name_or_path


def read_profile(path: Path) -> Profile:
    """Read one profile file, with what it extends; raises ProfileError."""
    return profile_of(_read(path), path)


def profile_of(content: Mapping[str, Any], path: Path) -> Profile:
    """Return the profile that a file at `path` with such a content is; raises ProfileError."""
    return _profile(path, _whole_content(content, path, ()))


def _profile(path: Path, content: Mapping[str, Any]) -> Profile:
    _refuse_unknown(path, content)
    try:
        profile = Profile.model_validate_json(json.dumps(content))
    except ValidationError as error:
        raise ProfileError(explain(path, error, Profile)) from None
    if (fault := fault_of(profile)) is not None:
        raise ProfileError(f"{path}: {fault}")
    if path.parent in (_FOLDER, own_folder()) and profile.name != path.stem:
        raise ProfileError(
            f"{path}: name: is '{profile.name}', and a profile is found by its file's: '{path.stem}'"
        )
    return profile


def _refuse_unknown(path: Path, content: Mapping[str, Any]) -> None:
    """Raise ProfileError for the first key at the top that none is; the model knows nothing of `extends`."""
    known = [_EXTENDS, *Profile.model_fields]
    for key in content:
        if key not in known:
            raise ProfileError(f"{path}: unknown key '{key}'; {nearest(key, known)}")


def _whole_content(content: Mapping[str, Any], path: Path, extended_by: tuple[Path, ...]) -> dict[str, Any]:
    """Return a file's mapping, laid over that of the profile it extends, which is valid by itself."""
    _refuse_unknown(path, content)
    own = dict(content)
    base = own.pop(_EXTENDS, None)
    if base is None:
        return own
    if "name" not in own:
        raise ProfileError(
            f"{path}: the key 'name' is missing: one that extends another has a name of its own"
        )
    chain = (*extended_by, path.resolve())
    base_path = _path_of_base(path, base)
    if base_path.resolve() in chain:
        raise ProfileError(f"{path}: extends: '{base}' leads back to this file; none can extend itself")
    below = _whole_content(_read(base_path), base_path, chain)
    _profile(base_path, below)
    return _laid_over(below, own)


def _path_of_base(path: Path, base: object) -> Path:
    if not isinstance(base, str) or "\0" in base:
        raise ProfileError(f"{path}: extends: must be a profile's name or path (seen: {base!r})")
    try:
        if not is_path(base):
            return path_of(base)
    except ProfileError as error:
        raise ProfileError(f"{path}: extends: {error}") from None
    beside = path.parent / base
    if not beside.exists():
        hint = nearest(Path(base).stem, profile_names())
        raise ProfileError(f"{path}: extends: there is no file {beside}; {hint}")
    return beside


def _laid_over(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `changes`: mapping by mapping, but figures and lists whole.

    A mapping that is changed loses its source, which spoke of other values.
    """
    merged = {key: value for key, value in base.items() if key != _SOURCE}
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
        if path.exists() and not path.is_file():
            raise ProfileError(f"{path}: is no file; give a profile's name, or the path of a YAML file")
        if path.exists() and path.stat().st_size > _LARGEST_BYTES:
            raise ProfileError(f"{path}: is larger than {_LARGEST_BYTES} bytes, which no profile is")
        content = read_yaml(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ProfileError(f"{path}: no such profile file; known names: edgefit profiles list") from None
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise ProfileError(f"{path}: cannot be read as YAML ({_in_one_line(error)})") from None
    if not isinstance(content, dict):
        raise ProfileError(
            f"{path}: is not a profile: YAML with keys such as 'name' and 'sampling' is needed"
        )
    try:
        return upgraded(content)
    except ValueError as error:
        raise ProfileError(f"{path}: {error}") from None


def _in_one_line(error: Exception) -> str:
    return " ".join(str(error).split())
