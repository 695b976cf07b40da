"""Whether a profile names formats and providers that there are. It knows the rows, and imports no runtime.

`python -m bench.runtimes.profile_names` writes the JSON Schema of profiles, with the formats that there are.
"""

import re
from pathlib import Path

from bench.runtimes.formats import FORMATS, FormatRow
from device_profiles.errors import ProfileError
from device_profiles.facts import RuntimeChoice
from device_profiles.loading import file_of, read_profile
from device_profiles.profile import Profile
from device_profiles.schema import SCHEMA_FILE, schema_text
from device_profiles.validation import nearest


def load_checked_profile(name_or_path: str) -> Profile:
    """Load a profile and check its formats and providers; raises ProfileError with file, key and remedy."""
    path = file_of(name_or_path)
    return checked_profile(read_profile(path), path)


def checked_profile(profile: Profile, path: Path) -> Profile:
    """Return the profile; raises ProfileError if it names a format or a provider that there is not."""
    for name, choice in profile.runtimes.items():
        if name not in FORMATS:
            raise ProfileError(f"{path}: unknown key 'runtimes.{name}'; {nearest(name, list(FORMATS))}")
        if (provider := _unknown_provider(choice, FORMATS[name])) is not None:
            hint = nearest(provider, list(FORMATS[name].providers))
            raise ProfileError(
                f"{path}: runtimes.{name}.providers: '{provider}' is not a provider of {name}; {hint}"
            )
    return profile


def _unknown_provider(choice: RuntimeChoice, row: FormatRow) -> str | None:
    return next(
        (provider for provider in choice.providers if not re.fullmatch(row.provider_pattern, provider)), None
    )


if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(FORMATS), encoding="utf-8")
