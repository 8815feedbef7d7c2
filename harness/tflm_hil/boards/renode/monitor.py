"""Renode's monitor over a pair of pipes, one command at a time.

It is a shell for people: it echoes a command, writes the answer, and then a prompt, the name of the machine in
parentheses, or `(monitor) ` as long as there is none. Lines end with carriage returns and line feeds in any order.
"""

import os
import re
import select
from typing import IO

from tflm_hil.device.timeout import Deadline
from tflm_hil.errors import HilError

_NO_MACHINE = "monitor"
_CHUNK = 4096


class Transcript:
    """What the monitor has written since the last prompt. `machine` is the name of the machine that it will have.

    Nothing else is taken for a prompt: an answer may begin with a word in parentheses as well.
    """

    def __init__(self, machine: str) -> None:
        self._prompt = re.compile(rf"(?:^|\n)\(({_NO_MACHINE}|{re.escape(machine)})\) $".encode())
        self._text = b""

    def feed(self, data: bytes) -> None:
        """Add what has been read, of whatever size."""
        self._text += data.replace(b"\r", b"")

    @property
    def prompt(self) -> str | None:
        """The name in the prompt that the text ends with; None as long as it ends with none."""
        found = self._prompt.search(self._text)
        return found[1].decode() if found else None

    def take(self) -> str:
        """Return the text up to the prompt, without empty lines, and begin anew."""
        text = self._prompt.sub(b"", self._text).decode(errors="replace")
        self._text = b""
        return "\n".join(line for line in text.split("\n") if line)


class Monitor:
    """The monitor behind the pipes `to` and `of` of a Renode that has just been started with the machine `machine`.

    Each call is bounded in time and raises HilError if the monitor has gone, is mute, or does not echo the command.
    """

    def __init__(self, to: IO[bytes], of: IO[bytes], machine: str) -> None:
        self._to, self._of = to, of
        self._transcript = Transcript(machine)

    def greet(self, seconds: float) -> str:
        """Wait for its first prompt; return what it says before that."""
        return self._until_prompt(seconds, "starting")

    def execute(self, command: str, seconds: float, waste: int | None = None) -> str:
        """Return what it answers to `command`. What comes from the file descriptor `waste` meanwhile is thrown away."""
        try:
            self._to.write(f"{command}\n".encode())
        except (OSError, ValueError):
            raise HilError(f"Renode's monitor has gone ({command})") from None
        return _without_echo(command, self._until_prompt(seconds, command, waste))

    def hang_up(self) -> None:
        """Let it read the end of its input, which ends Renode; doing so twice is harmless."""
        self._to.close()

    def close(self) -> None:
        """Hang up, and read nothing more of what it says."""
        self.hang_up()
        self._of.close()

    def _until_prompt(self, seconds: float, what: str, waste: int | None = None) -> str:
        deadline = Deadline(seconds)
        sources: list[IO[bytes] | int] = [self._of] if waste is None else [self._of, waste]
        while self._transcript.prompt is None:
            ready = select.select(sources, [], [], deadline.left)[0]
            if not ready:
                raise HilError(f"Renode's monitor: no answer within {seconds:g} s ({what})")
            if waste is not None and waste in ready:
                os.read(waste, _CHUNK)
            if self._of not in ready:
                continue
            data = os.read(self._of.fileno(), _CHUNK)
            if not data:
                raise HilError(f"Renode's monitor has gone ({what})")
            self._transcript.feed(data)
        return self._transcript.take()


def _without_echo(command: str, text: str) -> str:
    """Return `text` without the echo that it begins with; a terminal may have broken that into several lines."""
    echo = re.match(r"\s*".join(map(re.escape, "".join(command.split()))), text.lstrip())
    if echo is None:
        raise HilError(f"Renode's monitor echoes {text.partition(chr(10))[0]!r} ({command})")
    return text.lstrip()[echo.end() :].strip()
