"""What two tracks have in common: shared tags, near audio features, years."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backend.features.columns import CONTINUOUS, TAGS, Floats
from backend.features.discovery.blocks import Audio
from backend.features.discovery.pick import Closeness

Rarity = Mapping[str, Mapping[str, int]]
"""By field at how many tracks each tag stands."""


class Compared:
    """Some tracks, read once, to be compared in pairs.

    Args:
        numbers: n × 10 (see `rows.NUMBERS`).
        tags: n lists of each field.
        audio: gives values their normal scores.
        rarity: see above.
    """

    def __init__(
        self, numbers: Floats, tags: Mapping[str, Sequence[Sequence[str] | None]], *, audio: Audio, rarity: Rarity
    ) -> None:
        values = numbers[:, :-1].astype(np.float64)
        self._scores = np.nan_to_num(audio.scores(values)).tolist()
        self._known = (~np.isnan(values)).tolist()
        self._rows = values.tolist()
        self._years = numbers[:, -1].tolist()
        self._tags = tags
        self._rarity = rarity

    def of(self, seed: int, other: int) -> dict[str, Any]:
        """The fields of a `Pick` that tell of two tracks, by their places in the table."""
        both = [a and b for a, b in zip(self._known[seed], self._known[other], strict=True)]
        years = self._years[seed], self._years[other]
        return {
            "shared": {kind: self._shared(kind, seed, other) for kind in TAGS},
            "closest": tuple(self._closest(seed, other, both)),
            "years": None if years[0] != years[0] or years[1] != years[1] else (int(years[0]), int(years[1])),
            "filled": tuple(name for name, there in zip(CONTINUOUS, both, strict=True) if not there),
        }

    def _shared(self, kind: str, seed: int, other: int) -> list[str]:
        tags, count = self._tags[kind], self._rarity[kind]
        both = (set(tags[seed] or ()) & set(tags[other] or ())) - {None}
        return sorted(both, key=lambda tag: (count.get(tag, 0), tag))

    def _closest(self, seed: int, other: int, both: Sequence[bool]) -> list[Closeness]:
        a, b = self._scores[seed], self._scores[other]
        found = [
            Closeness(
                feature=name,
                own=self._rows[seed][i],
                other=self._rows[other][i],
                distance=abs(a[i] - b[i]),
                product=a[i] * b[i],
            )
            for i, name in enumerate(CONTINUOUS)
            if both[i]
        ]
        return sorted(found, key=lambda c: (-c.product, c.feature))


NOTHING: Mapping[str, Any] = {"shared": {kind: [] for kind in TAGS}, "closest": (), "years": None, "filled": ()}
"""The same where no track was given."""
