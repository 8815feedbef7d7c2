"""Recordings that several boards work off: each takes the next one as soon as it has done another."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence

from tflm_hil.lab.losses import Loss
from tflm_hil.lab.measurement import Measurement

_MOST_BOARDS = 2
"""A recording that so many boards did not survive is not tried on yet another one."""


class Work:
    """Items by their numbers, the longest first, so that no board has a long one to do when all others are done.

    `sizes` are what each takes, in any unit. It may be used from several threads.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        self._waiting = sorted(range(len(sizes)), key=lambda item: (-sizes[item], item))
        self._under_way: set[int] = set()
        self._fatal: Counter[int] = Counter()
        self._stopped = False
        self._changed = threading.Condition()
        self.answered: dict[int, Measurement] = {}
        self.lost: dict[int, Loss] = {}

    @property
    def left(self) -> bool:
        """Whether something has not been done."""
        with self._changed:
            return bool(self._waiting or self._under_way)

    @property
    def stopped(self) -> bool:
        """Whether nothing else is to be done."""
        return self._stopped

    def take(self) -> int | None:
        """Return the next item, None if all are done. Waits for those under way: they may be given back."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or not self._under_way or self._stopped)
            if self._stopped or not self._waiting:
                return None
            item = self._waiting.pop(0)
            self._under_way.add(item)
            return item

    def answer(self, item: int, measurement: Measurement) -> None:
        """`item` is done."""
        self.answered[item] = measurement
        self._over(item)

    def lose(self, item: int, loss: Loss) -> None:
        """`item` is done, and was not answered."""
        self.lost[item] = loss
        self._over(item)

    def give_back(self, item: int, loss: Loss) -> None:
        """The board that had `item` died. Another one gets it, unless one has died with it before."""
        self._fatal[item] += 1
        if self._fatal[item] >= _MOST_BOARDS:
            return self.lose(item, loss)
        self._over(item, again=True)
        return None

    def stop(self) -> None:
        """Let every board end as soon as it can."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _over(self, item: int, again: bool = False) -> None:
        with self._changed:
            self._under_way.discard(item)
            if again:
                self._waiting.insert(0, item)
            self._changed.notify_all()
