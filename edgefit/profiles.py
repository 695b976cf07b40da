"""The profiles that a command can use: those that come with edgefit, and the user's own."""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from device_profiles.profile import Profile


class Speaker(Protocol):
    """Shows sentences to the user: the output of a command, or the progress of a long step."""

    def say(self, sentence: str) -> None:
        """Show a sentence."""


def named_profiles(speaker: Speaker) -> "list[Profile]":
    """Return every profile that has a name; print a warning for each one that cannot be read."""
    from bench.runtimes.profile_names import load_checked_profile
    from device_profiles.errors import ProfileError
    from device_profiles.loading import profile_names

    profiles = []
    for name in profile_names():
        try:
            profiles.append(load_checked_profile(name))
        except ProfileError as error:
            speaker.say(f"warning: this profile is skipped: {error}")
    return profiles


def complete_profile_name(incomplete: str) -> list[str]:
    """Return the names of the profiles that begin with `incomplete`, for the shell."""
    from device_profiles.loading import profile_names

    return [name for name in profile_names() if name.startswith(incomplete)]
