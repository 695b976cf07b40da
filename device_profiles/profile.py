"""What a profile says of a device, and how one is read. It knows no runtime and measures nothing."""

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from device_profiles.errors import ProfileError
from device_profiles.validation import explain, nearest

_FOLDER = Path(__file__).parent


class Part(BaseModel):
    """A frozen part of a profile; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Sampling(Part):
    """How long a case is measured.

    `warm_up`: inferences before the first that counts; `blocks` turns of `block_samples` inferences each;
    `time_limit_s`: seconds of inference after which a case gets no further turn.
    """

    warm_up: int = Field(ge=0)
    blocks: int = Field(ge=1)
    block_samples: int = Field(ge=1)
    time_limit_s: float = Field(gt=0, strict=False)


class Budget(Part):
    """Limits a variant should keep on this device; null is no limit. `memory_mb` counts MiB, `size_mb` MB."""

    p95_ms: float | None = Field(default=None, gt=0, strict=False)
    memory_mb: float | None = Field(default=None, gt=0, strict=False)
    size_mb: float | None = Field(default=None, gt=0, strict=False)
    retention: float | None = Field(default=None, gt=0, le=1, strict=False)


class Profile(Part):
    """A device: how many threads to use there, how long to measure, and what would be too much.

    `device`: whether the profile describes whatever machine it is used on, or another one that this machine
    can only stand in for.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    description: str
    device: Literal["this-machine", "another"]
    threads: Annotated[int, Field(ge=1)] | Literal["physical-cores"]
    sampling: Sampling
    quick: Sampling
    budget: Budget = Budget()


def profile_names() -> list[str]:
    """Return the names of the profiles that come with edgefit."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


def load_profile(name_or_path: str) -> Profile:
    """Load a profile by name, or from a file if the text ends in .yaml or .yml, or holds a path separator.

    Raises ProfileError with the file, the key and the remedy.
    """
    if name_or_path.endswith((".yaml", ".yml")) or "/" in name_or_path:
        return read_profile(Path(name_or_path))
    if name_or_path not in profile_names():
        raise ProfileError(
            f"unknown profile '{name_or_path}'; {nearest(name_or_path, profile_names())}"
            " (a file of your own is given by its path)"
        )
    return read_profile(_FOLDER / f"{name_or_path}.yaml")


def read_profile(path: Path) -> Profile:
    """Read one profile file; raises ProfileError."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ProfileError(f"{path}: no such profile file; known names: edgefit profiles list") from None
    except (OSError, UnicodeDecodeError, RecursionError, yaml.YAMLError) as error:
        raise ProfileError(f"{path}: cannot be read as YAML ({_in_one_line(error)})") from None
    if not isinstance(content, dict):
        raise ProfileError(f"{path}: is not a profile: YAML with keys such as 'name' and 'threads' is needed")
    try:
        return Profile.model_validate(content)
    except ValidationError as error:
        raise ProfileError(explain(path, error, Profile)) from None


def _in_one_line(error: Exception) -> str:
    return " ".join(str(error).split())
