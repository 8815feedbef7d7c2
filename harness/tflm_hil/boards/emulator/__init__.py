"""What the kinds of emulated boards have in common."""
