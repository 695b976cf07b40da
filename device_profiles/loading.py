"""Finds and reads profiles: those that come with edgefit, the user's own, or a file. One may extend another.

Nothing is repaired, and no profile hides another: every fault is an error with file, key and remedy.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from device_profiles.errors import ProfileError
from device_profiles.profile import Profile, fault_of
from device_profiles.schema1 import upgraded
from device_profiles.validation import explain, nearest, with_newer
from device_profiles.yaml_text import read_yaml
from user_files.contents import ContentError, content_of
from user_files.faults import why_replaced
from user_files.missing_paths import missing_hint
from user_files.own_folders import configuration, expanded, home
from user_files.path_kinds import path_kind, wrong_path
from user_files.text import text_of
from user_files.versions import newer_schema

_FOLDER = Path(__file__).parent
_ENDINGS = (".yaml", ".yml")
_EXTENDS = "extends"
# YAML takes ten seconds a megabyte at worst, and the longest profile of edgefit has 7 KiB.
_LARGEST_BYTES = 256 << 10
_SHOWN = 80
# Profiles have no schema number yet. One that has will be of a later schema than these.
_SCHEMA = 2
# A mapping with one of these is a figure with its source. It is replaced as a whole, so that a value never
# gets the source of another value.
_FIGURE_KEYS = ("value", "not_found")
_SOURCE = "source"


def profiles_folder() -> Path | None:
    """Return the folder of the user's profiles: $EDGEFIT_PROFILES, else one in the configuration folder.

    None for a user without a home folder, who has no such profiles.
    """
    if own := os.environ.get("EDGEFIT_PROFILES"):
        return expanded(own)
    if sys.platform == "darwin":
        own_home = home()
        return None if own_home is None else own_home / "Library/Application Support/edgefit/profiles"
    folder = configuration()
    return None if folder is None else folder / "profiles"


def profile_paths() -> dict[str, Sequence[Path]]:
    """Return the files of every profile that has a name: those that come with edgefit, then the user's own.

    path_of refuses a name with several files. Raises ProfileError if EDGEFIT_PROFILES is not a folder.
    """
    folder = profiles_folder()
    if folder is not None and os.environ.get("EDGEFIT_PROFILES") and not folder.is_dir():
        raise ProfileError(f"EDGEFIT_PROFILES: {folder} is not a folder; create it, or unset the variable")
    own = [path for ending in _ENDINGS for path in (() if folder is None else folder.glob(f"*{ending}"))]
    paths: dict[str, list[Path]] = {}
    for path in (*_FOLDER.glob("*.yaml"), *own):
        if not path.name.startswith("."):
            paths.setdefault(path.stem, []).append(path)
    return dict(sorted(paths.items()))


def profile_names() -> list[str]:
    """Return the names of all profiles that have a name."""
    return list(profile_paths())


def path_of(name: str) -> Path:
    """Return the file of a named profile; raises ProfileError if there is none, or more than one."""
    paths = profile_paths()
    if name not in paths:
        _refuse_path(name)
        shown = " ".join(name.split())[:_SHOWN]
        raise ProfileError(
            f"unknown profile '{shown}'; {nearest(Path(name).stem, list(paths))}"
            " (to use a file of your own, give its path)"
        )
    first, *others = paths[name]
    if others:
        raise ProfileError(
            f"{others[0]}: another profile has the name '{name}' ({first}); rename this file and change its "
            f"'name' (to change a few keys of the other one, add 'extends: {name}')"
        )
    return first


def _refuse_path(name: str) -> None:
    """Raise ProfileError for what is the path of something else, or was meant as a path."""
    if not name.strip() or name == "-":
        raise ProfileError(f"the profile '{name}': {missing_hint(name)}")
    path = Path(name)
    if path.exists():
        fault = wrong_path(path, "a profile, whose name ends in .yaml", nearest(path.stem, profile_names()))
        raise ProfileError(f"{path}: {fault}")


def shipped_profiles() -> list[Profile]:
    """Return the profiles that come with edgefit, without the user's own."""
    return list(_shipped())


@cache
def _shipped() -> tuple[Profile, ...]:
    """Return these profiles, which are read once: YAML of this length takes a tenth of a second."""
    return tuple(read_profile(path) for path in sorted(_FOLDER.glob("*.yaml")))


def load_profile(name_or_path: str) -> Profile:
    """Load a profile by name, or from a file if the text ends in .yaml or .yml or contains a slash.

    Raises ProfileError with the file, the key and the remedy.
    """
    return read_profile(file_of(name_or_path))


def file_of(name_or_path: str) -> Path:
    """Return the file of a profile that is given by its name or its path; raises ProfileError."""
    return Path(name_or_path) if is_path(name_or_path) else path_of(name_or_path)


def is_path(name_or_path: str) -> bool:
    """Return whether the text is the path of a profile, not a name."""
    return name_or_path.endswith(_ENDINGS) or "/" in name_or_path


def read_profile(path: Path) -> Profile:
    """Read a profile file and the profile it extends; raises ProfileError."""
    return profile_of(_read(path), path)


def profile_of(content: Mapping[str, Any], path: Path) -> Profile:
    """Return the profile in the content of a file at `path`; raises ProfileError."""
    return _profile(path, _whole_content(content, path, ()))


def _profile(path: Path, content: Mapping[str, Any]) -> Profile:
    _refuse_unknown(path, content)
    try:
        profile = Profile.model_validate_json(json.dumps(content))
    except ValidationError as error:
        raise ProfileError(explain(path, error, Profile, noun="profile")) from None
    if (fault := fault_of(profile)) is not None:
        raise ProfileError(f"{path}: {fault}")
    if path.parent in (_FOLDER, profiles_folder()) and profile.name != path.stem:
        raise ProfileError(
            f"{path}: the key 'name' is '{profile.name}', but it must be the file's name, '{path.stem}'"
        )
    return profile


def _refuse_unknown(path: Path, content: Mapping[str, Any]) -> None:
    """Raise ProfileError for the first unknown key at the top level; the model does not know `extends`."""
    known = [_EXTENDS, *Profile.model_fields]
    for key in content:
        if key not in known:
            fault = f"{path}: unknown key '{key}'; {nearest(key, known)}"
            raise ProfileError(with_newer(fault, "profile"))


def _whole_content(content: Mapping[str, Any], path: Path, extended_by: tuple[Path, ...]) -> dict[str, Any]:
    """Return a file's mapping, merged into that of the profile it extends, which must be valid by itself."""
    _refuse_unknown(path, content)
    own = dict(content)
    base = own.pop(_EXTENDS, None)
    if base is None:
        return own
    if "name" not in own:
        raise ProfileError(
            f"{path}: the key 'name' is missing; a profile that extends another one needs its own name"
        )
    chain = (*extended_by, path.resolve())
    base_path = _path_of_base(path, base)
    if base_path.resolve() in chain:
        raise ProfileError(
            f"{path}: extends: '{base}' leads back to this file; a profile cannot extend itself"
        )
    below = _whole_content(_read(base_path), base_path, chain)
    _profile(base_path, below)
    return _merged(below, own)


def _path_of_base(path: Path, base: object) -> Path:
    if not isinstance(base, str) or "\0" in base:
        raise ProfileError(f"{path}: the key 'extends' must be a profile's name or path (value: {base!r})")
    try:
        if not is_path(base):
            return path_of(base)
    except ProfileError as error:
        raise ProfileError(f"{path}: extends: {error}") from None
    base_path = path.parent / base
    if not base_path.exists():
        hint = nearest(Path(base).stem, profile_names())
        raise ProfileError(f"{path}: extends: there is no file {base_path}; {hint}")
    return base_path


def _merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `changes`: mappings are merged, figures and lists are replaced.

    A mapping that changes loses its source, because that was the source of other values.
    """
    merged = {key: value for key, value in base.items() if key != _SOURCE}
    for key, value in changes.items():
        below = merged.get(key)
        if isinstance(below, dict) and isinstance(value, dict) and not _is_figure(below) | _is_figure(value):
            merged[key] = _merged(below, value)
        else:
            merged[key] = value
    return merged


def _is_figure(mapping: Mapping[str, Any]) -> bool:
    return any(key in mapping for key in _FIGURE_KEYS)


def _read(path: Path) -> dict[str, Any]:
    _refuse_what_is_no_profile(path)
    try:
        content = read_yaml(text_of(content_of(path, _LARGEST_BYTES)))
    except ContentError as error:
        raise ProfileError(f"{path} {error}; give a profile's name, or the path of a YAML file") from None
    except FileNotFoundError:
        remedy = missing_hint(path) or "to see the known names, run: edgefit profiles list"
        raise ProfileError(f"{path}: no such profile file; {remedy}") from None
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise ProfileError(
            why_replaced(path) or f"{path} cannot be read as YAML: {_in_one_line(error)}"
        ) from None
    if not isinstance(content, dict):
        raise ProfileError(
            why_replaced(path)
            or f"{path} is not a profile: it must be a YAML mapping with keys such as 'name' and 'sampling'"
        )
    if (newer := newer_schema(content, _SCHEMA)) is not None:
        raise ProfileError(f"{path} {newer}")
    try:
        return upgraded(content)
    except ValueError as error:
        raise ProfileError(f"{path}: {error}") from None


def _refuse_what_is_no_profile(path: Path) -> None:
    """Raise ProfileError for a folder, a device file, or a file of another kind; such files are not read."""
    remedy = "give a profile's name, or the path of a YAML file"
    if path.exists() and not path.is_file():
        raise ProfileError(f"{path}: {wrong_path(path, 'a profile, which is a file', remedy)}")
    if path.suffix not in _ENDINGS and (kind := path_kind(path)) is not None:
        raise ProfileError(f"{path}: is {kind.what}, not a profile; {kind.remedy or remedy}")


def _in_one_line(error: Exception) -> str:
    return " ".join(str(error).split())
