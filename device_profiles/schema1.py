"""The keys that profiles had in schema 1, and what they are called now. It reads no file.

Profiles name no schema: a user's file of then, and the profile within a report, are read for ever.
"""

from collections.abc import Mapping, Sequence
from typing import Any

_PROFILE = {"stand_in_only": "proxy_only"}
_SAMPLING = {"looks": "check_after_processes"}
_RATE = {"of": "operation", "spread": "relative_range"}


def renamed(mapping: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return a mapping with its old keys under their new names, in the same order.

    Raises ValueError if a key is there under both names, as neither can be preferred.
    """
    for old, new in names.items():
        if old in mapping and new in mapping:
            raise ValueError(
                f"the key '{old}' is the old name of '{new}', and both are given; remove '{old}'"
            )
    return {names.get(key, key): value for key, value in mapping.items()}


def upgraded(profile: Mapping[str, Any]) -> dict[str, Any]:
    """Return a profile's mapping with its keys as they are called now.

    What is not as a profile has it is left as it is: reading it will say so.
    """
    whole = renamed(profile, _PROFILE)
    for key in ("sampling", "quick"):
        if isinstance(whole.get(key), Mapping):
            whole[key] = renamed(whole[key], _SAMPLING)
    if isinstance(whole.get("rates"), Sequence):
        whole["rates"] = upgraded_rates(whole["rates"])
    return whole


def upgraded_rates(rates: Sequence[Any]) -> Any:
    """Return rates with their keys as they are called now."""
    if isinstance(rates, str):
        return rates
    return [renamed(rate, _RATE) if isinstance(rate, Mapping) else rate for rate in rates]
