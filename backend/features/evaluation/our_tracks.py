"""What the product answers, learnt from what is shown alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import pyarrow as pa

from backend.features.discovery.choosing import Taste
from backend.features.discovery.index import DiscoveryIndex
from backend.features.discovery.learning import learnt
from backend.features.discovery.songs import Codes
from backend.features.discovery.weights import DEFAULT, Weights
from backend.features.evaluation.methods import OURS, Method
from backend.features.evaluation.protocols import Dealt
from backend.features.splits.names import artist_key

SHIPPED: Final = f"{OURS}, shipped weights"
ALIKE: Final = f"{OURS}, hubs uncorrected"


def weights_and_index(table: pa.Table, seeds: list[Codes], *, seed: int) -> tuple[Weights, DiscoveryIndex]:
    """Weights learnt from what is shown of playlists, and the index with who is heard together in them."""
    weights = learnt(table, seeds, seed=seed)
    return weights, index_of(table, seeds, weights)


def index_of(table: pa.Table, seeds: list[Codes], weights: Weights) -> DiscoveryIndex:
    """The index of a catalogue and of what is shown of playlists; rows as in the table, which is ordered by id."""
    keys = [artist_key(name or "") for name in table.column("artist").to_pylist()]
    sittings = [[keys[i] for i in rows.tolist()] for rows in seeds]
    return DiscoveryIndex.build(table, sittings=sittings, weights=weights)


def methods(table: pa.Table, dealt: Dealt, *, seed: int, k: int) -> list[Method]:
    """The product with weights learnt from these playlists, and with those that it ships."""
    _, index = weights_and_index(table, list(dealt.seeds), seed=seed)
    shipped = index_of(table, list(dealt.seeds), DEFAULT)
    return [asked(SHIPPED, shipped, dealt, k=k), asked(OURS, index, dealt, k=k)]


def asked(name: str, index: DiscoveryIndex, dealt: Dealt, *, k: int) -> Method:
    """An index that continues lists."""

    def answer(i: int) -> Codes:
        picks = index.ask(index.like(dealt.seeds[i].tolist()), Taste(k=k))
        return np.array([pick.row for pick in picks], np.int64)

    return Method(name, answer, said(index.space.weights))


def uncorrected(index: DiscoveryIndex) -> DiscoveryIndex:
    """The same without what is taken off tracks that are near to everything."""
    base = index.base.copy()
    base[:, -1] = 0
    return replace(index, base=base)


def said(weights: Weights) -> str:
    """The weights in words."""
    return ", ".join(f"{group} {weight:.2f}" for group, weight in weights.of.items() if weight > 0)
