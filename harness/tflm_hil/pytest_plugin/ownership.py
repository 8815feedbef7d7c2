"""Which fixtures are this plugin's own. The definition counts, not the name."""

from __future__ import annotations

from typing import Any

import pytest

from tflm_hil.pytest_plugin import fixtures

NAMES = frozenset(name for name, value in vars(fixtures).items() if isinstance(value, type(fixtures.hil_session)))


def offer_fixtures(config: pytest.Config) -> None:
    """Make the fixtures known to pytest before those of any other plugin, so that everybody else's override them.

    Call it before pytest looks for fixtures.
    """
    manager = config.pluginmanager
    manager.register(fixtures, fixtures.__name__)
    # pytest looks for fixtures in plugins in the order in which they were registered, and the last one counts.
    registered = getattr(manager.hook.pytest_plugin_registered, "_call_history", None)
    if registered:
        registered.insert(0, registered.pop())


def taken_fixtures(session: pytest.Session) -> list[str]:
    """The names of fixtures that tests get from another plugin instead; a conftest.py means to override ours."""
    taken = []
    for name in sorted(NAMES):
        definitions = session._fixturemanager.getfixturedefs(name, session)
        if (
            definitions
            and not _is_own(definitions[-1])
            and not _module(definitions[-1]).get("__file__", "").endswith("conftest.py")
        ):
            taken.append(name)
    return taken


def own_fixtures(item: pytest.Item) -> set[str]:
    """The names of the fixtures that `item` gets from this plugin: those it requests and those that they request.

    A name that is overridden counts only if the fixture that overrides it requests ours in turn. What a test requests
    with `getfixturevalue` is not known before it runs.
    """
    if NAMES.isdisjoint(getattr(item, "fixturenames", ())):
        return set()
    info: Any = item._fixtureinfo  # type: ignore[attr-defined]
    own: set[str] = set()
    seen: set[tuple[str, int]] = set()
    overridden: dict[str, int] = {}

    def visit(name: str) -> None:
        level = overridden.get(name, 0)
        definitions = info.name2fixturedefs.get(name, ())
        if level >= len(definitions) or (name, level) in seen:
            return
        seen.add((name, level))
        definition = definitions[-1 - level]
        if _is_own(definition):
            own.add(name)
        overridden[name] = level + 1
        for argument in definition.argnames:
            visit(argument)
        overridden[name] = level

    for name in info.initialnames:
        visit(name)
    return own


def _is_own(definition: Any) -> bool:
    return _module(definition) is vars(fixtures)


def _module(definition: Any) -> dict[str, Any]:
    """What the module that defines a fixture holds; nothing if that is not known."""
    return getattr(getattr(definition, "func", None), "__globals__", {})
