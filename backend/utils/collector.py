"""How often Python looks for cycles of garbage, in processes that run for long."""

from __future__ import annotations

import gc
from typing import Final

_YOUNG: Final = 20_000  # objects more than before, at which the youngest are looked through (Python's own: 700)
_ROUNDS: Final = 20  # of a generation, after which the next older one is looked through, too


def look_less_often() -> None:
    """Look for garbage less often, and never again at what the process was built of.

    Almost all objects of an ingestion go by their reference count. Looking through all modules, vocabularies and tables again and
    again for the few cycles among them took a tenth of a worker's processor time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _ROUNDS, _ROUNDS)
