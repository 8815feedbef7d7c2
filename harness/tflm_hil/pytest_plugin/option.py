"""One option of pytest: its spellings, and how its value is found.

A value on the command line wins over the environment, that over the ini file, that over what the project says in its
hil.toml, and that over the default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

EMPTY = "give it a value, or leave it out"
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


@dataclass(frozen=True)
class Option:
    """One option, with its spellings derived from its name.

    `several` values are separated by commas, and the option may be repeated. One with a value for `bare` may stand
    alone.
    """

    name: str
    default: str | None
    help: str
    metavar: str
    several: bool = False
    bare: str | None = None

    @property
    def flag(self) -> str:
        """The command-line spelling, e.g. `--hil-board`."""
        return f"--hil-{self.name}"

    @property
    def short_flag(self) -> str:
        """The spelling that other plugins may want as well, e.g. `--board`."""
        return f"--{self.name}"

    @property
    def variable(self) -> str:
        """The environment variable, e.g. `HIL_BOARD`."""
        return f"HIL_{self.name.upper()}".replace("-", "_")

    @property
    def ini(self) -> str:
        """The ini key, e.g. `hil_board`."""
        return f"hil_{self.name}".replace("-", "_")

    @property
    def dest(self) -> str:
        """Where pytest keeps the value of the command line."""
        return self.ini

    def add_to(self, group: pytest.OptionGroup, flag: str, text: str) -> None:
        """Declare the option as `flag`."""
        action = "append" if self.several else "store"
        alone = {"nargs": "?", "const": self.bare} if self.bare else {}
        group.addoption(flag, dest=self.dest, action=action, metavar=self.metavar, help=text, **alone)


@dataclass(frozen=True)
class Switch:
    """An option without a value, which the environment and the ini file may set to a truth value."""

    name: str
    help: str

    @property
    def flag(self) -> str:
        """The command-line spelling."""
        return f"--hil-{self.name}"

    @property
    def ini(self) -> str:
        """The ini key, and where pytest keeps the value of the command line."""
        return f"hil_{self.name}".replace("-", "_")

    @property
    def variable(self) -> str:
        """The environment variable."""
        return self.ini.upper()

    def add_to(self, parser: pytest.Parser, group: pytest.OptionGroup) -> None:
        """Declare the switch and its ini key."""
        group.addoption(
            self.flag, dest=self.ini, action="store_true", help=f"{self.help} [environment: {self.variable}]"
        )
        parser.addini(self.ini, self.help)

    def resolve(self, config: pytest.Config, environment: Mapping[str, str]) -> bool:
        """Whether it is on. Raises pytest.UsageError for what is no truth value."""
        if config.getoption(self.ini):
            return True
        given = environment.get(self.variable)
        text = str(given or config.getini(self.ini) or _FALSE[0])
        if text.lower() not in (*_TRUE, *_FALSE):
            source = self.variable if given else f"{self.ini} in the ini file"
            raise pytest.UsageError(f"{source}: {text!r} is no truth value; write true or false")
        return text.lower() in _TRUE


def find_value(
    config: pytest.Config, environment: Mapping[str, str], option: Option, project: str | None = None
) -> str:
    """The value of an option, several of them separated by commas; "" if there is none and no default.

    `project` is what the project says in its hil.toml.
    """
    given = config.getoption(option.dest)
    if given is None:
        return environment.get(option.variable) or config.getini(option.ini) or project or option.default or ""
    several = given if isinstance(given, list) else [given]
    if not all(several):
        raise pytest.UsageError(f"{option.flag}: empty; {EMPTY}")
    return ",".join(several)


def find_values(config: pytest.Config, environment: Mapping[str, str], option: Option) -> tuple[str, ...]:
    """The values of an option that takes several. Raises pytest.UsageError if one is empty."""
    text = find_value(config, environment, option)
    values = tuple(part.strip() for part in text.split(",")) if text else ()
    if not all(values):
        raise pytest.UsageError(f"{source_of(config, environment, option)}: {text!r} has an empty name; {EMPTY}")
    return values


def find_one_of(config: pytest.Config, environment: Mapping[str, str], option: Option) -> str:
    """The value of an option whose `metavar` lists them all. Raises pytest.UsageError for any other."""
    value, choices = find_value(config, environment, option), option.metavar.split("|")
    if value not in choices:
        source = source_of(config, environment, option)
        raise pytest.UsageError(f"{source}: unknown value {value}; choose {', '.join(choices[:-1])} or {choices[-1]}")
    return value


def source_of(config: pytest.Config, environment: Mapping[str, str], option: Option) -> str:
    """Where the value of an option comes from, for a message about it."""
    if config.getoption(option.dest) is not None:
        return option.flag
    return option.variable if environment.get(option.variable) else f"{option.ini} in the ini file"
