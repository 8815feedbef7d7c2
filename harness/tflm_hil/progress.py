"""What tells the user what takes its time."""

from collections.abc import Callable

Say = Callable[[str], None]
"""Is told, in a few words, what is being done that takes its time."""


def silent(_text: str) -> None:
    """A `Say`, or a watcher of a build, for those who only want to know the end."""
