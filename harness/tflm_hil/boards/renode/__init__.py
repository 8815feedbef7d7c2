"""The emulated board: Renode."""
