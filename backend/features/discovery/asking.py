"""Questions of several parts: tracks, albums, artists with plus and minus, wishes, groups left out or emphasised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from backend.features.columns import Flags, Values
from backend.features.discovery.index import DiscoveryIndex
from backend.features.discovery.query import Query
from backend.features.discovery.weights import GROUPS
from backend.features.discovery.wish_scores import Fit, fit
from backend.features.discovery.wishes import Explicit, Place, Range, Tagged, Wish
from backend.utils.errors import InvalidInputError

LIKENESS: Final = 0.5
"""The share of the score that likeness to given tracks has beside wishes."""
_MOST: Final = 10.0  # of an emphasis


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked for.

    Attributes:
        plus, minus: rows that answers are to be like, and not like.
        wishes: see `wishes`.
        emphasis: by group of features what it is multiplied by; 0 leaves it out.
        without: rows that are no answer besides those given.
    """

    plus: Sequence[int] = ()
    minus: Sequence[int] = ()
    wishes: Sequence[Wish] = ()
    emphasis: Mapping[str, float] = field(default_factory=dict)
    without: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as an index takes it.

    Attributes:
        query: for `DiscoveryIndex.ask`.
        fits: how all rows fit each wish.
    """

    query: Query
    fits: Sequence[Fit]

    def allowed(self) -> dict[str, Flags]:
        """By words of the hard wishes which rows they allow. Several of one kind are alternatives, but for those turned round."""
        found: dict[str, Flags] = {}
        names: dict[object, str] = {}
        for one in self.fits:
            if not one.wish.hard:
                continue
            kind = _kind(one.wish) if one.wish.wanted else one.wish
            before = names.get(kind)
            name = one.wish.text if before is None else f"{before} or {one.wish.text}"
            found[name] = one.allowed if before is None else found.pop(before) | one.allowed
            names[kind] = name
        return found


def asked(index: DiscoveryIndex, question: Question) -> Asked:
    """The question to an index.

    The score is `LIKENESS` times the likeness to the given tracks and the rest shared by the wishes by their weights; all of it
    the one or the other's when the other is not there. So it is at most 1.

    Raises:
        InvalidInputError: nothing is asked for, a name is no group of features, or an emphasis is out of bounds.
    """
    wishes = question.wishes
    if not len(question.plus) and not wishes:
        raise InvalidInputError(
            "Say what is asked for: tracks, albums or artists that the answers are to be like, or wishes in words"
        )
    if len(question.plus):
        query = index.like(question.plus, minus=question.minus)
    else:
        query = Query(np.zeros(index.space.width, np.float32), without=tuple(question.minus))
    query = emphasised(index, query, question.emphasis)
    fits = [fit(index, wish) for wish in wishes]
    likeness = 0.0 if not len(question.plus) else LIKENESS if wishes else 1.0
    query = scaled(query, likeness)
    return Asked(replace(query, without=(*query.without, *question.without), wishes=_added(fits, 1 - likeness)), fits)


def emphasised(index: DiscoveryIndex, query: Query, emphasis: Mapping[str, float]) -> Query:
    """The same question with some groups of features multiplied, so that the greatest score stays what it was.

    Raises:
        InvalidInputError: a name is no group, or a number is not from 0 to 10, or nothing would be left.
    """
    if not emphasis:
        return query
    strange = sorted(emphasis.keys() - set(GROUPS))
    if strange:
        raise InvalidInputError(f"{', '.join(strange)[:100]}: no groups of features; there are {', '.join(GROUPS)}")
    if not all(0 <= factor <= _MOST for factor in emphasis.values()):
        raise InvalidInputError(f"An emphasis must be from 0 (left out) to {_MOST:g}")
    weights = index.space.weights.of
    factors = {group: emphasis.get(group, 1.0) for group in GROUPS}
    total = sum(weights[group] * factors[group] for group in GROUPS)
    if total <= 0:
        raise InvalidInputError("Every group of features is left out; leave at least one in")
    vector = query.vector.copy()
    for group, part in index.space.slices.items():
        vector[part] *= factors[group] / total
    return replace(
        query,
        vector=vector,
        artists={code: share * factors["artist"] / total for code, share in query.artists.items()},
        albums={code: share * factors["album"] / total for code, share in query.albums.items()},
    )


def scaled(query: Query, factor: float) -> Query:
    """The same question with everything multiplied."""
    return replace(
        query,
        vector=(query.vector * np.float32(factor)),
        artists={code: share * factor for code, share in query.artists.items()},
        albums={code: share * factor for code, share in query.albums.items()},
        commonness=query.commonness * factor,
    )


def _added(fits: Sequence[Fit], share: float) -> dict[str, Values]:
    """By name what each wish adds to the score of every row."""
    total = sum(one.wish.weight for one in fits)
    added: dict[str, Values] = {}
    for one in fits:
        name = f"wish: {one.wish.text}"
        part = one.fits * (share * one.wish.weight / total)
        added[name] = added[name] + part if name in added else part
    return added


def _kind(wish: Wish) -> object:
    """What alternatives have in common."""
    match wish.meaning:
        case Range(name, _, _):
            return name
        case Tagged(kind, _, _, _):
            return kind
        case Place():
            return "point"
        case Explicit():
            return "explicit"
