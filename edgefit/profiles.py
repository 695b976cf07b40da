"""The profiles that a command can use: those that come with edgefit, and the user's own."""

from typing import TYPE_CHECKING

from edgefit.terminal import Output

if TYPE_CHECKING:
    from device_profiles.profile import Profile


def named_profiles(output: Output) -> "list[Profile]":
    """Return every profile that has a name; print a warning for each one that cannot be read."""
    from bench.runtimes.profile_names import load_checked_profile
    from device_profiles.errors import ProfileError
    from device_profiles.loading import profile_names

    profiles = []
    for name in profile_names():
        try:
            profiles.append(load_checked_profile(name))
        except ProfileError as error:
            output.say(f"warning: this profile is skipped: {error}")
    return profiles


def complete_profile_name(incomplete: str) -> list[str]:
    """Return the names of the profiles that begin with `incomplete`, for the shell."""
    from device_profiles.loading import profile_names

    return [name for name in profile_names() if name.startswith(incomplete)]
