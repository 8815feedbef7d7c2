"""A network as C that needs nothing of the harness: what `hil export` writes."""
