"""The network as the compiler sees it."""
