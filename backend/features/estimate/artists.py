"""What an artist's tracks sound like on average: an input where the artist is known from the training rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import numpy as np
import numpy.typing as npt

from backend.features.columns import Floats, Values
from backend.features.estimate.inputs import TARGETS
from backend.utils.text import fold_name

Keys = npt.NDArray[np.uint64]

_MOST: Final = 50_000  # artists kept, those with most tracks: 5 MB at most


def artist_keys(names: Iterable[str | None]) -> Keys:
    """64 bits per name, of its folded form; 0 where there is no name."""
    seen: dict[str | None, int] = {None: 0, "": 0}
    for name in (names := list(names)):
        if name not in seen:
            seen[name] = int.from_bytes(blake2b(fold_name(name or "").encode(), digest_size=8).digest(), "little")
    return np.array([seen[name] for name in names], np.uint64)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtistMeans:
    """Sums of the standardised features per artist.

    Attributes:
        keys: sorted, m of them.
        sums, counts: m × len(TARGETS).
    """

    keys: Keys
    sums: Floats
    counts: Floats

    @classmethod
    def fitted(cls, keys: Keys, values: Values) -> ArtistMeans:
        """Add up the known values of each artist; rows without an artist are passed over."""
        found, place = np.unique(keys, return_inverse=True)
        sums, counts = (np.zeros((len(found), len(TARGETS)), np.float32) for _ in range(2))
        np.add.at(sums, place, np.nan_to_num(values).astype(np.float32))
        np.add.at(counts, place, ~np.isnan(values))
        kept = found != 0
        if np.count_nonzero(kept) > _MOST:
            most = np.argsort(-counts.max(axis=1) * kept, kind="stable")[:_MOST]
            kept = np.isin(np.arange(len(found)), most) & kept
        return cls(keys=found[kept], sums=sums[kept], counts=counts[kept])

    def block(self, keys: Keys, *, without: Values | None = None) -> Floats:
        """An array n × (len(TARGETS) + 2): the means drawn towards the whole, log of how many tracks, and 1.

        Args:
            keys: n artists.
            without: n × len(TARGETS), the rows' own values, when the artists' sums hold them: nobody is told his own value.
        """
        sums, counts = (np.zeros((len(keys), len(TARGETS)), np.float32) for _ in range(2))
        place = np.minimum(np.searchsorted(self.keys, keys), max(len(self.keys) - 1, 0))
        if len(self.keys):
            there = self.keys[place] == keys
            sums[there], counts[there] = self.sums[place[there]], self.counts[place[there]]
            if without is not None:
                sums[there] -= np.nan_to_num(without[there])
                counts[there] -= ~np.isnan(without[there])
        tracks = counts.max(axis=1, keepdims=True)
        return np.hstack([sums / (counts + 1), np.log1p(tracks), np.ones_like(tracks)]).astype(np.float32)


def is_known(block: Floats) -> npt.NDArray[np.bool_]:
    """For which rows of an artist block any other track of the artist is known."""
    return np.asarray(block[:, -2] > 0)
