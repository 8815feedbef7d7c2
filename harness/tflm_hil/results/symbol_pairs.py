"""Which symbol of an image is which of an earlier image, where compilers and people have renamed or moved them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from difflib import SequenceMatcher
from itertools import product

from tflm_hil.results.groups import SymbolFigures

Pair = tuple[SymbolFigures | None, SymbolFigures | None]
"""A symbol before and now; None where there is none."""
_Key = Callable[[SymbolFigures], Hashable]

# What GCC adds to the names of clones, of parts of functions, and of local objects of one name.
_CLONE = re.compile(r"(\.(constprop|isra|part|cold|localalias|lto_priv|llvm|\d+)(\.\d+)*)+$| \[clone [^]]*\]")
_PARAMETERS = re.compile(r"\(.*\)( const)?$")
_MOST_COMPARISONS = 2_500
"""Of names with each other. Of more symbols that could be each other, it is not worth the time."""


def stem(name: str) -> str:
    """Return `name` without what the compiler added to it: `f.constprop.0` and `f [clone .isra.0]` are both `f`."""
    return _CLONE.sub("", name) or name


def symbol_pairs(before: Sequence[SymbolFigures], now: Sequence[SymbolFigures]) -> list[Pair]:
    """Pair the symbols of two images: each is in exactly one pair.

    The surest way comes first: the whole name in the same place; a clone of it; other parameters; elsewhere; and last
    another name for as many bytes of the same object and section.
    """
    old, new, pairs = list(before), list(now), list[Pair]()
    for key in (_whole, _clone, _other_parameters, _moved, _renamed):
        groups = _grouped(old, key), _grouped(new, key)
        old, new = [], []
        for name in dict.fromkeys([*groups[0], *groups[1]]):
            one, other = (group.get(name, []) for group in groups)
            found = _by_likeness(one, other) if key is _renamed else _by_size(one, other)
            pairs += found
            taken = {id(symbol) for pair in found for symbol in pair}
            old += [symbol for symbol in one if id(symbol) not in taken]
            new += [symbol for symbol in other if id(symbol) not in taken]
    return [*pairs, *((symbol, None) for symbol in old), *((None, symbol) for symbol in new)]


def _whole(symbol: SymbolFigures) -> Hashable:
    return symbol.name, symbol.section, symbol.origin


def _clone(symbol: SymbolFigures) -> Hashable:
    return stem(symbol.name), symbol.section, symbol.origin


def _other_parameters(symbol: SymbolFigures) -> Hashable:
    return _PARAMETERS.sub("", stem(symbol.name)), symbol.section, symbol.origin


def _moved(symbol: SymbolFigures) -> Hashable:
    return stem(symbol.name)


def _renamed(symbol: SymbolFigures) -> Hashable:
    return symbol.size, symbol.section, symbol.origin


def _grouped(symbols: Iterable[SymbolFigures], key: _Key) -> dict[Hashable, list[SymbolFigures]]:
    groups: dict[Hashable, list[SymbolFigures]] = defaultdict(list)
    for symbol in symbols:
        groups[key(symbol)].append(symbol)
    return groups


def _by_size(old: Sequence[SymbolFigures], new: Sequence[SymbolFigures]) -> list[Pair]:
    """Pair local symbols of one name: first those of one size, then the others, the largest with the largest."""
    waiting: dict[int, list[SymbolFigures]] = defaultdict(list)
    for symbol in new:
        waiting[symbol.size].append(symbol)
    pairs: list[Pair] = []
    others = []
    for symbol in old:
        same = waiting[symbol.size]
        if same:
            pairs.append((symbol, same.pop(0)))
        else:
            others.append(symbol)
    left = [symbol for same in waiting.values() for symbol in same]
    largest_first = (sorted(symbols, key=lambda symbol: -symbol.size) for symbols in (others, left))
    return [*pairs, *zip(*largest_first, strict=False)]


def _by_likeness(old: Sequence[SymbolFigures], new: Sequence[SymbolFigures]) -> list[Pair]:
    """Pair symbols of one size and place: the most similar names first."""
    if len(old) * len(new) > _MOST_COMPARISONS:
        return list(zip(old, new, strict=False))
    alike = {
        (i, j): -SequenceMatcher(None, old[i].name, new[j].name).ratio()
        for i, j in product(range(len(old)), range(len(new)))
    }
    pairs: list[Pair] = []
    taken: set[tuple[str, int]] = set()
    for i, j in sorted(alike, key=lambda pair: (alike[pair], pair)):
        if not taken & {("old", i), ("new", j)}:
            taken |= {("old", i), ("new", j)}
            pairs.append((old[i], new[j]))
    return pairs
