"""What a profile says of a device, and how one is read. It knows no runtime and measures nothing."""

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from device_profiles.errors import ProfileError
from device_profiles.validation import explain, nearest

_FOLDER = Path(__file__).parent


class Part(BaseModel):
    """A frozen part of a profile; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Sampling(Part):
    """How long a case is measured, in fresh processes that take turns with those of other cases.

    `looks`: after how many processes it is looked whether the interval of the median is within `interval` (a
    share of the median; no look at fewer than five can say so). `warm_up`: inferences at the most before the
    first that counts, if the level is not steady before. Each process has `blocks` turns of `block_samples`
    inferences, or fewer of them (never below three) once a turn would take longer than `block_s` seconds.
    `time_limit_s`: seconds of loading, warm-up and timed inference of a wave, all its cases together. Up to
    the first look each process has its share of it and at least one turn; after it no process is added once
    the limit is reached. `hang_limit_s`: seconds of silence after which a worker is ended.
    """

    looks: tuple[Annotated[int, Field(ge=1)], ...] = Field(min_length=1, strict=False)
    warm_up: int = Field(ge=1)
    blocks: int = Field(ge=1)
    block_samples: int = Field(ge=1)
    block_s: float = Field(default=0.3, gt=0, le=3600, strict=False)
    interval: float = Field(default=0.02, gt=0, lt=1, strict=False)
    time_limit_s: float = Field(gt=0, le=1_000_000, strict=False)
    hang_limit_s: float = Field(default=120, gt=0, le=86_400, strict=False)

    @field_validator("looks")
    @classmethod
    def _grow(cls, looks: tuple[int, ...]) -> tuple[int, ...]:
        if list(looks) != sorted(set(looks)):
            raise ValueError("must be numbers of processes that grow, such as [5, 8, 12]")
        return looks


class Budget(Part):
    """Limits a variant should keep on this device; null is no limit. `memory_mb` counts MiB, `size_mb` MB."""

    p95_ms: float | None = Field(default=None, gt=0, strict=False)
    memory_mb: float | None = Field(default=None, gt=0, strict=False)
    size_mb: float | None = Field(default=None, gt=0, strict=False)
    retention: float | None = Field(default=None, gt=0, le=1, strict=False)


class Profile(Part):
    """A device: how many threads to use there, how long to measure, and what would be too much.

    `device`: whether the profile describes whatever machine it is used on, or another one that this machine
    can only stand in for. `memory_cap_mb`: MiB that a case's process may allocate, null for no limit.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    description: str
    device: Literal["this-machine", "another"]
    threads: Annotated[int, Field(ge=1)] | Literal["physical-cores"]
    memory_cap_mb: int | None = Field(default=None, ge=16)
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
