"""Where this repository lies."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
# A bundle that commit 958dad5 wrote.
SCHEMA_1 = ROOT / "tests" / "data" / "schema1" / "bundle"
