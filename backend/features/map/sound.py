"""What a track is placed by: how it sounds and what it is called, as the index has it; nothing of who listens to it.

Listening and popularity are left out, and the groups count as shipped, whatever was learnt from histories: so neighbours sound
alike, and the map holds no trace of anybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from backend.features.columns import Floats
from backend.features.discovery.blocks import unit
from backend.features.discovery.index import DiscoveryIndex
from backend.features.discovery.songs import Codes

_WEIGHTS: Final = {"audio": 1.5, "year": 0.5, "genres": 2.0, "moods": 1.0}
"""Of a product of two vectors; where a group says nothing of a track, the others decide."""
_AT_ONCE: Final = 50_000


def sounds(index: DiscoveryIndex, rows: Sequence[int] | Codes) -> Floats:
    """Vectors of some rows, n × width, of length 1; all 0 where nothing is known."""
    wanted = np.asarray(rows, np.int64)
    slices = {group: part for group, part in index.space.slices.items() if group in _WEIGHTS}
    width = sum(part.stop - part.start for part in slices.values())
    found = np.zeros((len(wanted), width), np.float32)
    for start in range(0, len(wanted), _AT_ONCE):
        vectors = index.vectors(wanted[start : start + _AT_ONCE])
        at = 0
        for group, part in slices.items():
            size = part.stop - part.start
            found[start : start + len(vectors), at : at + size] = unit(vectors[:, part]) * _WEIGHTS[group] ** 0.5
            at += size
    return unit(found)
