"""Where in the arena each tensor lies."""
