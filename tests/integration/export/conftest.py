"""What the tests of export/ share."""

from making.exporting import folder, own_run_folder, watching

__all__ = ["folder", "own_run_folder", "watching"]
