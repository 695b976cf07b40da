"""The profiles that a command can choose from: those that come with edgefit, and the user's own."""

from typing import TYPE_CHECKING

from edgefit.terminal import Output

if TYPE_CHECKING:
    from device_profiles.profile import Profile


def known_profiles(output: Output) -> "list[Profile]":
    """Return all profiles that have a name; say of those that cannot be read what is wrong with them."""
    from device_profiles.errors import ProfileError
    from device_profiles.loading import load_profile, profile_names

    found = []
    for name in profile_names():
        try:
            found.append(load_profile(name))
        except ProfileError as error:
            output.say(f"warning: left out: {error}")
    return found
