"""What a shell completes that the parser alone cannot know. It imports what it needs when it is asked."""


def profiles_like(incomplete: str) -> list[str]:
    """Return the names of the profiles that begin like this."""
    from device_profiles.loading import profile_names

    return [name for name in profile_names() if name.startswith(incomplete)]


def preferences_like(incomplete: str) -> list[str]:
    """Return what `choose` can prefer."""
    from bench.choose.comparing import Preference

    return [one.value for one in Preference if one.value.startswith(incomplete)]
