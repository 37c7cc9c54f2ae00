"""What is held out: dealt by hashes of seed, list and item, so that it stays the same whatever else is added to a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import numpy as np

from backend.features.discovery.songs import Codes

SHARE: Final = 0.3
LEAST: Final = 10
"""Items of a list of which some are held out; shorter ones are for training alone."""


@dataclass(frozen=True, slots=True)
class Lists:
    """Playlists, or what listeners play.

    Attributes:
        names: of each list.
        items: of each list its items (rows of a catalogue), once each, rising.
        ids: of each row of the catalogue.
    """

    names: Sequence[str]
    items: Sequence[Codes]
    ids: Sequence[str]

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True, slots=True)
class Dealt:
    """Lists with some of their items held out.

    Attributes:
        seeds: of each list what is shown. This alone is learnt from.
        held: of each list what is to be found; empty where nothing was held out.
    """

    seeds: Sequence[Codes]
    held: Sequence[Codes]

    @property
    def asked(self) -> list[int]:
        """The lists of which something was held out."""
        return [i for i, held in enumerate(self.held) if len(held)]


def deal(lists: Lists, *, seed: int, share: float = SHARE, least: int = LEAST) -> Dealt:
    """Hold out a share of each list that is long enough, 2 items at least; the rest of all lists is for training."""
    seeds, held = [], []
    for name, items in zip(lists.names, lists.items, strict=True):
        out = max(2, round(share * len(items))) if len(items) >= least else 0
        order = np.argsort([_drawn(seed, name, lists.ids[item]) for item in items.tolist()], kind="stable")
        held.append(np.sort(items[order[:out]]))
        seeds.append(np.sort(items[order[out:]]))
    return Dealt(seeds, held)


def halves(lists: Lists, *, seed: int) -> tuple[list[int], list[int]]:
    """Whole lists dealt into those for training and those to be asked for."""
    order = sorted(range(len(lists)), key=lambda i: (_drawn(seed, lists.names[i], ""), lists.names[i]))
    half = (len(order) + 1) // 2
    return sorted(order[:half]), sorted(order[half:])


def _drawn(seed: int, name: str, item: str) -> int:
    digest = blake2b(f"{seed}\t{name}\t{item}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def wanted_parts(dealt: Dealt, i: int, artists: Codes | None, counts: Codes) -> dict[str, Codes]:
    """What was held out of a list, whole and in slices.

    Args:
        dealt: all lists.
        i: which of them.
        artists: of each item its artist's code; None where the items are artists.
        counts: in how many lists' seeds each item stands.

    Returns:
        `all`; `new_artists`: by artists that the seeds lack; `cold`: in nobody's seeds.
    """
    held = dealt.held[i]
    found = {"all": held, "cold": held[counts[held] == 0]}
    if artists is not None:
        found["new_artists"] = held[~np.isin(artists[held], artists[dealt.seeds[i]])]
    return found
