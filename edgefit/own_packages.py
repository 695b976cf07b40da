"""Whether Python finds edgefit's own packages: a script or a folder in the way may have their names."""

import importlib.util
from pathlib import Path

_HOME = Path(__file__).resolve().parent.parent


def require_own(*names: str) -> None:
    """Raise ImportError, which names the file in the way, unless each package is edgefit's own."""
    for name in names:
        place = _place_of(name)
        if place is None or _HOME not in place.resolve().parents:
            raise ImportError(
                f"edgefit needs its own package '{name}', but Python finds {place or 'another module'} under "
                "this name; rename that file or folder, or start Python in another folder"
            )


def _place_of(name: str) -> Path | None:
    """Return the file that Python imports, or has imported, under a name; None if it has none."""
    try:
        spec = importlib.util.find_spec(name)
    except ValueError:  # a module that was made in memory
        return None
    return None if spec is None or spec.origin is None else Path(spec.origin)
