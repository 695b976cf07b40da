"""Which variants can be made of a source. It opens nothing."""

from collections.abc import Sequence

from bench.bundle.manifest import NotMade
from bench.bundle.variants import Variant
from export.prepared import Prepared


def split_by_source(variants: Sequence[Variant], prepared: Prepared) -> tuple[list[Variant], list[NotMade]]:
    """Return the variants that can be made of the source, and those that cannot, with the reason."""
    reasons = {variant: reason_against(variant, prepared) for variant in variants}
    not_made = [
        NotMade(variant=str(variant), reason=reason)
        for variant, reason in reasons.items()
        if reason is not None
    ]
    return [variant for variant, reason in reasons.items() if reason is None], not_made


def reason_against(variant: Variant, prepared: Prepared) -> str | None:
    """Return why a variant cannot be made of a source; None if it can."""
    return None if prepared.source.spec.name else str(variant)
