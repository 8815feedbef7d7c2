"""What a change of a figure is made of: sections, objects and symbols of the image, operators of the network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher

from tflm_hil.firmware.image import LINK_BUFFERS
from tflm_hil.results.comparison import Cause
from tflm_hil.results.groups import FirmwareFigures, OperatorFigures, SymbolFigures
from tflm_hil.results.model import Run
from tflm_hil.results.symbol_pairs import symbol_pairs

UNNAMED = "{section} without a symbol"
"""Padding, merged strings, tables of the linker: what lies in a section and in no symbol."""
UNKNOWN_ORIGIN = "(unknown)"
STACK = "stack at its deepest"
BETWEEN = "between the operators"
# The most specific one first, where several kinds differ by equally much.
_KINDS = ("operator", "symbol", "object", "section")


def causes(metric: str, before: Run, now: Run) -> list[Cause]:
    """Return what the change of `metric` (its path in a run) is made of, the largest differences first.

    None of a metric that is made of nothing smaller, such as an accuracy.
    """
    if metric == "firmware.stack_peak_bytes":
        return stack_causes(before, now)
    if metric.startswith("firmware."):
        return footprint_causes(before, now, metric)
    if metric.startswith(("latency.", "window.")):
        return latency_causes(before, now)
    return []


def footprint_causes(before: Run, now: Run, metric: str = "firmware.flash_bytes") -> list[Cause]:
    """Return the sections, objects and symbols that differ in `metric`: flash_bytes, ram_bytes or ram_total_bytes.

    Sections add up to the difference of the metric, the stack among them. Symbols, with what of each section is in no
    symbol, add up to that without the stack, and objects to what is in symbols. A symbol that has moved is listed even
    if its size is the same: its `was` says where it was; `now` or `before` is None if it was moved out of the memory of
    the metric, or into it.
    """
    old, new = before.firmware, now.firmware
    if old is None or new is None:
        return []
    sections = _sections(old, metric), _sections(new, metric)
    found = list(_differing("section", *sections))
    symbols: list[Cause] = []
    objects = Counter[str](), Counter[str]()
    inside = Counter[str](), Counter[str]()
    for pair in symbol_pairs(old.symbols, new.symbols):
        sizes = [_size(symbol, of) for symbol, of in zip(pair, sections, strict=True)]
        for symbol, size, origins, named in zip(pair, sizes, objects, inside, strict=True):
            if symbol is not None and size is not None:
                origins[symbol.origin or UNKNOWN_ORIGIN] += size
                named[symbol.section] += size
        symbols += _symbol_cause(*pair, *sizes)
    found += _differing("object", *objects)
    rests = [_rest(of, named) for of, named in zip(sections, inside, strict=True)]
    return _largest_first([*found, *symbols, *_differing("symbol", *rests)])


def stack_causes(before: Run, now: Run) -> list[Cause]:
    """Return the functions whose stack frames differ.

    They do not add up to the difference of the peak, which only the deepest chain of calls decides.
    """
    old, new = before.firmware, now.firmware
    if old is None or new is None:
        return []
    pairs = symbol_pairs(*([symbol for symbol in each.symbols if symbol.frame is not None] for each in (old, new)))
    return _largest_first(
        cause
        for one, other in pairs
        for cause in _symbol_cause(one, other, one.frame if one else None, other.frame if other else None)
        if cause.difference
    )


def latency_causes(before: Run, now: Run) -> list[Cause]:
    """Return the operators that take longer or shorter, and what lies between them, as far as both runs have profiles.

    They add up to the difference of the two profiled inferences.
    """
    old, new = before.profile, now.profile
    if old is None or new is None or old.unit != new.unit:
        return []
    found = [_operator_cause(*pair) for pair in _operator_pairs(old.operators, new.operators)]
    before_between, now_between = (
        profile.whole - sum(operator.count for operator in profile.operators) for profile in (old, new)
    )
    found.append(Cause("operator", BETWEEN, before_between, now_between))
    return _largest_first(cause for cause in found if cause.before != cause.now)


def operator_name(operator: OperatorFigures) -> str:
    """What an operator is called among causes: its index, kind and the tensor that it computes.

    Converters join the names of all layers that they fuse, and the first one says which it is.
    """
    return f"{operator.index} {operator.kind} {operator.output.partition(';')[0]}".rstrip()


def _operator_cause(old: OperatorFigures | None, new: OperatorFigures | None) -> Cause:
    names = [operator_name(operator) if operator else "" for operator in (old, new)]
    renamed = old and new and _key(old) != _key(new)
    return Cause(
        "operator",
        names[1] or names[0],
        old.count if old else None,
        new.count if new else None,
        names[0] if renamed else "",
    )


def _sections(firmware: FirmwareFigures, metric: str) -> dict[str, int]:
    """The sections that `metric` is the sum of, and their sizes."""
    names = {
        "firmware.flash_bytes": firmware.flash_sections,
        "firmware.ram_bytes": firmware.ram_sections,
        "firmware.ram_total_bytes": [*firmware.ram_sections, LINK_BUFFERS],
    }.get(metric, [])
    sizes = {name: firmware.sections[name] for name in names if name in firmware.sections}
    if metric == "firmware.ram_total_bytes" and firmware.stack_peak_bytes is not None:
        sizes[STACK] = firmware.stack_peak_bytes
    return sizes


def _size(symbol: SymbolFigures | None, sections: dict[str, int]) -> int | None:
    return symbol.size if symbol is not None and symbol.section in sections else None


def _symbol_cause(
    old: SymbolFigures | None, new: SymbolFigures | None, before: int | None, now: int | None
) -> Iterator[Cause]:
    if before is None and now is None:
        return
    symbol = new or old
    was = _was(old, new) if old and new else ""
    moved = old and new and (old.section, old.origin) != (new.section, new.origin)
    if symbol is not None and (before != now or moved):
        yield Cause("symbol", symbol.name, before, now, was)


def _was(old: SymbolFigures, new: SymbolFigures) -> str:
    """The earlier name of a symbol, and where it was, if that was elsewhere."""
    places = [(old.section, new.section, "in"), (old.origin, new.origin, "of")]
    where = [f" {word} {one}" for one, other, word in places if one and one != other]
    return old.name + "".join(where) if where or old.name != new.name else ""


def _rest(sections: dict[str, int], named: Counter[str]) -> dict[str, int]:
    return {UNNAMED.format(section=name): size - named[name] for name, size in sections.items() if name != STACK}


def _differing(kind: str, before: dict[str, int], now: dict[str, int]) -> Iterator[Cause]:
    for name in sorted(before.keys() | now.keys()):
        if before.get(name, 0) != now.get(name, 0):
            yield Cause(kind, name, before.get(name), now.get(name))  # type: ignore[arg-type]


def _operator_pairs(
    old: Sequence[OperatorFigures], new: Sequence[OperatorFigures]
) -> Iterator[tuple[OperatorFigures | None, OperatorFigures | None]]:
    """Pair operators in their order: those that compute the same tensor, and between them those of the same kind."""
    whole = SequenceMatcher(None, [_key(each) for each in old], [_key(each) for each in new], autojunk=False)
    for tag, old_start, old_end, new_start, new_end in whole.get_opcodes():
        one, other = old[old_start:old_end], new[new_start:new_end]
        if tag == "equal":
            yield from zip(one, other, strict=True)
            continue
        kinds = SequenceMatcher(None, [each.kind for each in one], [each.kind for each in other], autojunk=False)
        for inner, a, b, c, d in kinds.get_opcodes():
            if inner == "equal":
                yield from zip(one[a:b], other[c:d], strict=True)
            else:
                yield from ((each, None) for each in one[a:b])
                yield from ((None, each) for each in other[c:d])


def _key(operator: OperatorFigures) -> tuple[str, str]:
    return operator.kind, operator.output


def _largest_first(found: Iterable[Cause]) -> list[Cause]:
    return sorted(found, key=lambda cause: (-abs(cause.difference), _KINDS.index(cause.kind), cause.name))
