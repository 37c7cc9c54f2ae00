"""Named, weighted penalties of two titles, so that a score explains itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from backend.ingestion.distance import A_TYPO, difference, joined
from backend.ingestion.numerals import numbers
from backend.ingestion.title_words import NO_SUBTITLE
from backend.ingestion.titles import Name
from backend.ingestion.works import is_same_work, read_work

# A penalty is 0..1; a match is what stays below 0.5 in all (`judge.SAME`), so that one above it ends a candidate's hopes.
WEIGHTS: Final = {
    "title": 1.0,
    "artist": 1.0,
    "performance": 0.6,
    "subtitle": 0.55,
    "aside": 0.25,
    "edition": 0.15,
    "single": 0.55,
    "soundtrack": 0.3,
    "year": 0.02,
    "year_of_common_title": 0.55,
    "tracks": 0.1,
    "track_titles": 1.0,
    "durations": 0.6,
}
# How much another edition differs: some only in sound or wrapping, some in their tracks.
_EDITION_STEPS: Final = {
    "remaster": 0.3, "explicit": 0.2, "format": 0.2, "market": 0.4, "soundtrack": 0.0, "deluxe": 0.6, "single": 0.0,
}  # fmt: skip
_LONG: Final = 16  # letters; one astray does not make another album of such a title
_DECORATION: Final = frozenset({"remaster", "remastered", "explicit", "deluxe"})
_CUT_WORDS: Final = 4  # of a title's beginning that stands for the whole
_PERFORMED: Final = frozenset(
    {"live", "unplugged", "acoustic", "remix", "remixes", "instrumentals", "demos", "covers", "concert"}
)


def title_penalties(wanted: Name, offered: Name) -> Mapping[str, float]:
    """Each way in which one title differs from another, unweighted; empty for equal ones."""
    if wanted.folded == offered.folded:
        return {}
    found = min((_in_parts(wanted, offered), *_in_whole(wanted, offered)), key=weigh)
    if "single" in wanted.editions ^ offered.editions:
        found = {**found, "single": 1.0}
    one, other = read_work(wanted.folded), read_work(offered.folded)
    if one and other:
        found = {**found, "title": 0.05 if is_same_work(one, other) else max(0.6, found.get("title", 0.0))}
        found.pop("aside", None)
    return {name: value for name, value in found.items() if value}


def weigh(penalties: Mapping[str, float]) -> float:
    """The distance that penalties add up to."""
    return round(sum(WEIGHTS[name] * value for name, value in penalties.items()), 4)


def _in_whole(wanted: Name, offered: Name) -> Iterator[Mapping[str, float]]:
    """Taken as they stand: for titles whose brackets got lost on the way ("GUTS spilled")."""
    if len(wanted.folded) >= _LONG and (typos := difference(wanted.folded, offered.folded)) <= 2 * A_TYPO:
        yield {"title": typos}
    if wanted.said == offered.said and _without_decoration(wanted) == _without_decoration(offered):
        yield {"edition": max(0.3, _edition(wanted.editions ^ offered.editions))}
    if wanted.performances == offered.performances or wanted.said == offered.said:
        yield {"title": difference(wanted.folded, offered.folded)}
        if wanted.editions != offered.editions:
            yield {
                "title": difference(wanted.full, offered.full),
                "edition": _edition(wanted.editions ^ offered.editions),
            }
        else:
            yield {"title": difference(wanted.full, offered.full), "edition": 0.05}


def _without_decoration(name: Name) -> str:
    """A title without the words that shops add to any, wherever they stand."""
    return joined(" ".join(w for w in name.folded.split() if w not in _DECORATION) or name.folded)


def _in_parts(wanted: Name, offered: Name) -> Mapping[str, float]:
    found: dict[str, float] = {}
    if title := difference(wanted.core, offered.core):
        found["title"] = title
        if title > 0.5 and (subtitle := _subtitle(wanted, offered)) is not None:
            found |= {"title": subtitle, "subtitle": 1.0}
    if wanted.performances != offered.performances:
        found["performance"] = 0.1 if _performed_alike(wanted, offered) else 1.0
    if wanted.asides != offered.asides:
        found["aside"] = 1.0
        if wanted.asides and offered.asides and not alike(wanted.asides, offered.asides):
            found["title"] = 1.0
    if edition := 0.1 if wanted.editions == offered.editions else _edition(wanted.editions ^ offered.editions):
        found["edition"] = edition
    return found


def _subtitle(wanted: Name, offered: Name) -> float | None:
    """How far titles are apart of which one lacks its subtitle, or its end; None when it is not that."""
    if not wanted.subtitle and not offered.subtitle:
        shorter, longer = sorted((wanted.core, offered.core), key=len)
        is_cut = (
            len(shorter.split()) >= _CUT_WORDS
            and longer.startswith(f"{shorter} ")
            and numbers(shorter) == numbers(longer)
            and not NO_SUBTITLE.search(longer[len(shorter) :])
        )
        return 0.0 if is_cut else None
    if wanted.subtitle and offered.subtitle:
        return None
    main, other = (wanted.main, offered.core) if wanted.subtitle else (offered.main, wanted.core)
    apart = difference(main, other)
    return apart if apart <= A_TYPO and len(main) > 5 else None


def _edition(kinds: frozenset[str]) -> float:
    return min(1.0, sum(_EDITION_STEPS[kind] for kind in kinds))


def _performed_alike(a: Name, b: Name) -> bool:
    """Whether both say, in whatever place, that they are a performance of one kind ("MTV Unplugged", "… (Live)")."""
    return bool(a.performances & b.performances) or any(
        not x.performances and not _PERFORMED.isdisjoint(x.core.split()) for x in (a, b)
    )


def alike(a: frozenset[str], b: frozenset[str]) -> bool:
    """Whether two titles' asides may be the same, or one title has fewer of them."""
    return difference(" ".join(sorted(a)), " ".join(sorted(b))) < 0.5 or a <= b or b <= a
