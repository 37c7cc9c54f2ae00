"""Which tracks are one song, one artist, one album: as numbers that stay the same from one run to the next."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from backend.features.splits.names import artist_key, first_artist, title_key
from backend.utils.text import fold_name, squeeze

Codes = npt.NDArray[np.int64]

NOBODY: Final = 0
"""The code of an empty key."""
_BRACKETS: Final = re.compile(r"\s*[(\[（【][^()\[\]（）【】]*[)\]）】]")
_TAIL: Final = re.compile(
    r"\s+[-–—]\s+.*\b(?:live|remix|mix|acoustic|version|edit|demo|session|instrumental|karaoke|remaster\w*|mono|stereo|take|"
    r"unplugged|reprise|rehearsal|bonus)\b.*$",
    re.IGNORECASE,
)


@lru_cache(maxsize=65_536)
def song_key(title: str) -> str:
    """A song in all its versions: live, acoustic and remixed ones, too.

    >>> song_key("Angie - Live"), song_key("Angie (Acoustic Version)"), song_key("(Reprise)"), song_key("Hurt - 2002")
    ('angie', 'angie', 'reprise', 'hurt 2002')
    """
    plain = squeeze(title)
    text = _TAIL.sub("", _BRACKETS.sub("", plain))
    return fold_name(text) or title_key(plain)


@lru_cache(maxsize=65_536)
def code(key: str) -> int:
    """A number for a key; `NOBODY` for none."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "little", signed=True) if key else NOBODY


def artist_code(name: str | None) -> int:
    """Of an artist in all spellings."""
    return code(artist_key(name or ""))


def artist_codes(names: Iterable[str | None]) -> Codes:
    """Of each name."""
    return np.fromiter((artist_code(name) for name in names), np.int64)


def song_codes(titles: Iterable[str | None], artists: Iterable[str | None]) -> Codes:
    """Of each title by its first artist: all versions of a song by one artist have the same."""
    pairs: Any = zip(titles, artists, strict=True)
    return np.fromiter((code(f"{first_artist(a or '')}\t{song_key(t or '')}") for t, a in pairs), np.int64)


def text_codes(texts: Iterable[str | None]) -> Codes:
    """Of each text as it stands."""
    return np.fromiter((code(text or "") for text in texts), np.int64)
