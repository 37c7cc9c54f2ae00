"""Popularity without Spotify: how many listen, on its scale of 0 to 100."""

from __future__ import annotations

import math
from typing import Final

LISTENBRAINZ_FULL: Final = 50_000.0
"""Listeners at ListenBrainz that make 100: about those of its most played recordings, of some 50,000 accounts that listen."""
LASTFM_FULL: Final = 5_000_000.0
"""Listeners at Last.fm that make 100: about those of its most played tracks."""


def from_listeners(listeners: int | None, *, full: float) -> int | None:
    """How popular what has so many listeners is.

        popularity = round(100 · ln(1 + listeners) / ln(1 + full)), at most 100

    Listeners of music are distributed over powers of ten, so equal ratios are equal steps: a tenth of the listeners costs the
    same number of points anywhere (15 at Last.fm's scale, 21 at ListenBrainz's). The scales of two services are not the same:
    each value says whose it is in `provenance`, and the raw count stays in `listeners`.

    Args:
        listeners: different people, not plays; None when unknown.
        full: how many make 100 at this service.

    >>> [from_listeners(n, full=LASTFM_FULL) for n in (0, 100, 10_000, 1_000_000, 9_000_000, None)]
    [0, 30, 60, 90, 100, None]
    """
    if listeners is None or listeners < 0:
        return None
    return min(100, round(100 * math.log1p(listeners) / math.log1p(full)))
