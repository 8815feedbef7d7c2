"""The host's side of the wire protocol that docs/protocol.md defines."""
