"""Profiles load strictly, and what is wrong with one is said with file, key and remedy."""

from pathlib import Path

import pytest
import yaml

from device_profiles import profile
from device_profiles.errors import ProfileError
from device_profiles.loading import load_profile, profile_names, read_profile

GOOD = yaml.safe_load(Path(profile.__file__).with_name("laptop-cpu.yaml").read_text())


def written(tmp_path: Path, **changes: object) -> Path:
    content = {key: value for key, value in {**GOOD, **changes}.items() if value != "REMOVE"}
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.mark.parametrize("name", profile_names())
def test_every_profile_that_comes_along_loads_and_bears_its_files_name(name: str) -> None:
    assert load_profile(name).name == name


def test_a_file_of_ones_own_is_given_by_its_path(tmp_path: Path) -> None:
    assert load_profile(str(written(tmp_path, name="mine", threads=3))).threads == 3


def test_an_unknown_name_gets_the_nearest_one() -> None:
    with pytest.raises(ProfileError, match="unknown profile 'laptop-gpu'; did you mean 'laptop-cpu'"):
        load_profile("laptop-gpu")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"thread": 4}, r"mine\.yaml: unknown key 'thread'; did you mean 'threads'\?"),
        (
            {"sampling": {**GOOD["sampling"], "warmup": 1}},
            "unknown key 'sampling.warmup'; did you mean 'warm_up'",
        ),
        ({"sampling": "REMOVE"}, "the key 'sampling' is missing"),
        ({"threads": "many"}, r"threads: .*valid integer or .*'physical-cores' \(seen: 'many'\)"),
        ({"threads": 0}, "threads: .*greater than or equal to 1"),
        ({"sampling": {**GOOD["sampling"], "blocks": 0}}, "sampling.blocks: .*greater than or equal to 1"),
        ({"budget": {"retention": 1.2}}, "budget.retention: .*less than or equal to 1"),
        ({"budget": {"p95_ms": "fast"}}, "budget.p95_ms"),
        ({"name": "No Spaces"}, "name: "),
    ],
)
def test_a_broken_profile_is_refused_with_file_key_and_remedy(
    tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    with pytest.raises(ProfileError, match=words) as error:
        read_profile(written(tmp_path, **changes))

    assert "mine.yaml" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("name: [unclosed", "cannot be read as YAML"),
        ("just a sentence", "is not a profile"),
        ("- a\n- list", "is not a profile"),
        ("", "is not a profile"),
        ("\x00", "cannot be read as YAML"),
    ],
)
def test_a_file_that_is_no_yaml_profile_is_refused_in_one_line(
    tmp_path: Path, content: str, words: str
) -> None:
    (tmp_path / "p.yaml").write_text(content)

    with pytest.raises(ProfileError, match=words) as error:
        read_profile(tmp_path / "p.yaml")

    assert "\n" not in str(error.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="no such profile file"):
        load_profile(str(tmp_path / "nowhere.yaml"))
    with pytest.raises(ProfileError, match="cannot be read"):
        load_profile(f"{tmp_path}/")
