"""What kind of what a genre is: the tree of genres, from some 25 roots down."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cache, lru_cache

from backend.ingestion.vocabulary.entries import entries
from backend.ingestion.vocabulary.words import genres, head_of
from backend.utils.text import fold


def parents(name: str) -> tuple[str, ...]:
    """The genres that a genre is a kind of, the nearest first; none for a root and for what is no genre.

    A genre composed of places and manners before another hangs under that.

    >>> parents("death metal"), parents("swedish death metal"), parents("rock")
    (('extreme metal',), ('death metal',), ())
    """
    canonical = genres().get(fold(name))
    if canonical is not None:
        return _parents()[canonical]
    head = head_of(name)
    return (head,) if head else ()


@lru_cache(maxsize=16_384)
def ancestors(name: str) -> tuple[str, ...]:
    """All that a genre is a kind of, the nearest first, each once.

    >>> ancestors("swedish death metal")
    ('death metal', 'extreme metal', 'metal')
    """
    found: dict[str, None] = {}
    row = parents(name)
    while row:
        found.update(dict.fromkeys(row))
        row = tuple(up for parent in row for up in parents(parent) if up not in found)
    return tuple(found)


def is_a(name: str, ancestor: str) -> bool:
    """Whether a genre is another or a kind of it.

    >>> is_a("blackgaze", "metal"), is_a("metal", "metal"), is_a("metal", "blackgaze")
    (True, True, False)
    """
    return fold(name) == fold(ancestor) or fold(ancestor) in map(fold, ancestors(name))


@lru_cache(maxsize=16_384)
def roots_of(name: str) -> frozenset[str]:
    """The roots above a genre, itself if it is one; empty for what is no genre.

    >>> sorted(roots_of("country rock"))
    ['country', 'rock']
    """
    canonical = genres().get(fold(name), name)
    return frozenset({canonical, *ancestors(name)}) & frozenset(roots())


@cache
def roots() -> tuple[str, ...]:
    """The genres that are a kind of no other, in the order of the file."""
    return tuple(name for name, above in _parents().items() if not above)


def children(name: str) -> tuple[str, ...]:
    """The genres of the vocabulary right below one, in the order of the file; composed ones are not listed."""
    return _children().get(genres().get(fold(name), name), ())


def tree() -> list[dict[str, str | list[str]]]:
    """All genres of the vocabulary in the order of the file, each with `name`, `parents` and `aliases` (folded)."""
    aliases = defaultdict(list)
    for spelling, name in genres().items():
        if spelling != fold(name):
            aliases[name].append(spelling)
    return [{"name": name, "parents": list(above), "aliases": aliases[name]} for name, above in _parents().items()]


@cache
def _parents() -> Mapping[str, tuple[str, ...]]:
    return {entry.name: entry.parents for entry in entries("genres.txt")}


@cache
def _children() -> Mapping[str, tuple[str, ...]]:
    below: dict[str, list[str]] = defaultdict(list)
    for name, above in _parents().items():
        for parent in above:
            below[parent].append(name)
    return {name: tuple(names) for name, names in below.items()}
