"""What of the log of a failed build a person needs: one line."""

import re
from collections.abc import Iterator

_OVERFLOW = re.compile(r"region `(\w+)' overflowed by (\d+) bytes?")
_FULL_DISK = re.compile(r"^.*No space left on device.*$", re.MULTILINE)

# In the order in which they are looked for. Where the linker failed, collect2 says only that.
_ERRORS = (
    re.compile(r"^(?!collect2: error: ld returned).*?:\d+:(?:\d+:)? (?:fatal )?error: .*$", re.MULTILINE),
    re.compile(r"^.*(?:undefined reference to |multiple definition of |/ld: cannot |/ld: warning: ).*$", re.MULTILINE),
    re.compile(r"^.*/ld: ?(?!.*: in function ).*$", re.MULTILINE),
    re.compile(r"^(?!collect2: error: ld returned)(?!\*\*\*).*?\berror: .*$", re.MULTILINE | re.IGNORECASE),
)
_PLACE = re.compile(r'\s*File "(.+)", line (\d+)')
_RAISED = re.compile(r"[\w.]+(?: ?: (?!Traceback \()\S.*|(?:Error|Exception)$)")
# Frames in which nobody but their authors can mend anything.
_FOREIGN = ("site-packages", "<frozen")
_SCONS = re.compile(r"^(?:scons: )?\*\*\* (.*)$", re.MULTILINE)
# PlatformIO's frame and its table of results.
_NOISE = re.compile(r"^(?:[=-]{3,}.*|Environment\s+Status\s+Duration|\S+\s+(?:FAILED|SUCCESS)\s+[\d:.]+)?\s*$")


def overflow(log: str) -> dict[str, int]:
    """By how many bytes a build's image exceeds each region of memory; empty where it fits, or there is none."""
    return {region: int(size) for region, size in _OVERFLOW.findall(log)}


def explain(log: str) -> str:
    """The first error in the log of a failed build, with its file and line where it has one."""
    if full := _FULL_DISK.search(log):
        return f"the build failed because a disk is full; free some space: {full.group().strip()}"
    return f"the build failed: {next(_candidates(log), 'PlatformIO said nothing')}"


def _candidates(log: str) -> Iterator[str]:
    for pattern in _ERRORS[:-1]:
        if found := pattern.search(log):
            yield found.group().strip()
    yield from _raised(log.splitlines())
    for pattern in (_ERRORS[-1], _SCONS):
        if found := pattern.search(log):
            yield found.group().strip()
    yield from (line.strip() for line in reversed(log.splitlines()) if not _NOISE.match(line))


def _raised(lines: list[str]) -> Iterator[str]:
    """The exception of a traceback, whose text follows the frames in Python's and comes before them in SCons'."""
    frames = [(number, place) for number, line in enumerate(lines) if (place := _PLACE.match(line))]
    if not frames:
        return
    after = [line for line in lines[frames[-1][0] + 1 :] if line.strip() and not line.startswith(" ")]
    texts = [*after[:1], *lines[frames[0][0] - 1 : frames[0][0]]]
    own = [place for _, place in frames if not any(name in place.group(1) for name in _FOREIGN)]
    for text in texts:
        if _RAISED.match(text):
            # An exception without a text is told by its place alone.
            places = own or ([] if ":" in text else [frames[-1][1]])
            where = f"{places[-1].group(1)}:{places[-1].group(2)}: " if places else ""
            yield where + text.strip().rstrip(":")
