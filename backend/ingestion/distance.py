"""How far one name is from another: a bag of named, weighted penalties, so that a score explains itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rapidfuzz.distance import DamerauLevenshtein

from backend.utils.text import fold, fold_name

_BRACKETS: Final = re.compile(r"\s*[(\[（【]([^()\[\]（）【】]*)[)\]）】]")
_DASHED: Final = re.compile(r"\s+[-–—]\s+([^-–—]+)$")
_FEATURING: Final = re.compile(r"\s+(?:feat\.?|ft\.?|featuring)\s+.+$", re.IGNORECASE)

# What tells an edition of the same recordings, and what another performance of the same songs.
_EDITION: Final = re.compile(
    r"\b(?:deluxe|remaster(?:ed)?|remastering|anniversary|expanded|bonus|edition|version|explicit|clean|mono|stereo|reissue|"
    r"special|standard|super|legacy|collector'?s|original|digital|japan(?:ese)?|international|us|uk|complete|extended|vinyl)\b",
    re.IGNORECASE,
)
_FEATURE: Final = re.compile(r"^(?:feat\.?|ft\.?|featuring|with)\s", re.IGNORECASE)
_OTHER_PERFORMANCE: Final = re.compile(
    r"\b(?:live|karaoke|tribute|cover(?:s|ed)?|instrumentals?|acoustic|demos?|remix(?:es|ed)?|unplugged|re-?recorded|"
    r"rehearsals?|session|a cappella|sped up|slowed|8-bit|lullaby|string quartet)\b",
    re.IGNORECASE,
)

WEIGHTS: Final = {"title": 0.55, "artist": 0.45, "edition": 0.12, "performance": 0.6, "year": 0.05, "tracks": 0.05}


@dataclass(frozen=True, slots=True)
class Name:
    """A title taken apart."""

    folded: str  # all of it
    core: str  # without edition and featuring
    editions: frozenset[str]
    performances: frozenset[str]


@lru_cache(maxsize=65_536)
def take_apart(title: str) -> Name:
    """A title's core, and what its brackets and its tail after a dash say of edition and performance.

    >>> take_apart("Abbey Road (Remastered 2009)").core, take_apart("GUTS (spilled)").core
    ('abbey road', 'guts spilled')
    """
    editions: set[str] = set()
    performances: set[str] = set()

    def judge(match: re.Match[str]) -> str:
        words = match.group(1)
        if _OTHER_PERFORMANCE.search(words):
            performances.update(w.casefold() for w in _OTHER_PERFORMANCE.findall(words))
            return match.group(0)
        if _EDITION.search(words):
            editions.add(fold(words))
            return ""
        return "" if _FEATURE.match(words) else match.group(0)

    core = _DASHED.sub(judge, _BRACKETS.sub(judge, title))
    core = _FEATURING.sub("", core)
    for word in _OTHER_PERFORMANCE.findall(core):
        performances.add(word.casefold())
    return Name(fold_name(title), fold_name(core) or fold_name(title), frozenset(editions), frozenset(performances))


@lru_cache(maxsize=65_536)
def difference(a: str, b: str) -> float:
    """0 for equal folded texts to 1 for wholly different ones; swapped letters count once.

    Short names must agree exactly: "+" is not "-", "1989" not "1988".
    """
    if a == b:
        return 0.0
    if min(len(a), len(b)) <= 4 or (a.isdecimal() and b.isdecimal()):
        return 1.0
    edits = int(DamerauLevenshtein.distance(a, b))
    return min(1.0, 2.5 * edits / max(len(a), len(b)))


def numbers(text: str) -> list[str]:
    """The numbers of a text, which typing errors rarely touch: volume 1 is not volume 2."""
    return re.findall(r"\d+", text)
