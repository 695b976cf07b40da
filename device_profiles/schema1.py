"""The keys of profiles in schema 1, and their present names. It reads no file.

A profile has no schema number, so old keys are accepted in every file and in every report.
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
    """Return a profile's mapping with its present keys.

    Content of a wrong type is returned unchanged; validation reports it.
    """
    whole = renamed(profile, _PROFILE)
    for key in ("sampling", "quick"):
        if isinstance(whole.get(key), Mapping):
            whole[key] = renamed(whole[key], _SAMPLING)
    if isinstance(whole.get("rates"), Sequence):
        whole["rates"] = upgraded_rates(whole["rates"])
    return whole


def upgraded_rates(rates: Sequence[Any]) -> Any:
    """Return rates with their present keys."""
    if isinstance(rates, str):
        return rates
    return [renamed(rate, _RATE) if isinstance(rate, Mapping) else rate for rate in rates]
