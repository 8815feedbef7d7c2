"""From options to a session, and from a board to a connected device."""
