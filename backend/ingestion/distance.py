"""How far one name is from another: named, weighted penalties, so that a score explains itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

from rapidfuzz.distance import OSA

from backend.ingestion.titles import Name, take_apart
from backend.utils.text import fold_name

__all__ = [
    "alike",
    "artist_difference",
    "difference",
    "first_artist",
    "numbers",
    "take_apart",
    "title_penalties",
    "weigh",
]

# A penalty is 0..1; a match is what stays below `matcher._FARTHEST`, so 1.0 alone ends a candidate's hopes.
WEIGHTS: Final = {
    "title": 1.0,
    "artist": 1.0,
    "performance": 1.0,
    "aside": 0.25,
    "edition": 0.15,
    "single": 0.45,
    "year": 0.02,
    "year_of_common_title": 0.3,
    "tracks": 0.1,
    "track_titles": 1.0,
    "durations": 0.6,
}
# How much another edition differs: some only in sound or wrapping, some in their tracks.
_EDITION_STEPS: Final = {"remaster": 0.3, "explicit": 0.2, "format": 0.2, "soundtrack": 0.4, "deluxe": 0.6}
_A_TYPO: Final = 0.1
_VARIOUS: Final = frozenset(
    {"various artists", "various", "va", "v a", "varios artistas", "soundtrack", "original soundtrack"}
)
_BETWEEN_ARTISTS: Final = re.compile(
    r"\s*[,;/+&•·×、・]\s*|\s+(?:feat\.?|ft\.?|featuring|with|and|und|et|y|e|vs\.?|x|presents|pres\.|meets)\s+",
    re.IGNORECASE,
)
# Without blanks around it a sign belongs to the name: AC/DC, +/-, M+M.
_AFTER_FIRST_ARTIST: Final = re.compile(
    r"\s*[,;、]\s+|[;、]|\s+(?:[/+&•·×|]|feat\.?|ft\.?|featuring|with|and|und|et|y|e|vs\.?|x|presents|pres\.|meets)\s+",
    re.IGNORECASE,
)
_FILLERS: Final = frozenset({"and", "n", "the"})
_WORDS: Final = {"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6"}
_COUNTED: Final = frozenset(
    {"volume", "vol", "part", "pt", "chapter", "book", "no", "number", "side", "disc", "disk", "act"}
)
_ROMAN: Final = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii", "xiii")
_NUMERALS: Final = {roman: str(number) for number, roman in enumerate(_ROMAN, 1) if len(roman) > 1}
_LAST_NUMERALS: Final = _NUMERALS | {"i": "1", "v": "5", "x": "10"}  # letters elsewhere: "I Am", "Malcolm X Speaks"
_PERFORMED: Final = frozenset(
    {"live", "unplugged", "acoustic", "remix", "remixes", "instrumentals", "demos", "covers", "concert"}
)


@lru_cache(maxsize=131_072)
def difference(a: str, b: str) -> float:
    """How far two folded names are apart: 0 equal, 0.1 a typing error, above 0.5 another name.

    Short names must agree exactly, and so must numbers and single letters: "+" is not "-", "1989" not "1988",
    "Led Zeppelin II" not "III", "Kid A" not "Kid B".

    >>> difference("positions", "postiions"), difference("kid a", "kid b") > 0.5
    (0.1, True)
    """
    if a == b:
        return 0.0
    if "".join(numbers(a)) != "".join(numbers(b)):
        return 1.0
    if _joined(a) == _joined(b):
        return 0.02
    # In whole too: typing errors run over the ends of little words ("theW all").
    forms = ((_joined(a), _joined(b)), *((x.replace(" ", ""), y.replace(" ", "")) for x, y in _with_article(a, b)))
    edits, longer = min((OSA.distance(x, y), max(len(x), len(y))) for x, y in forms)
    is_typo = not _other_letter(a, b) and any(_is_typo(x, y) for x, y in forms)
    return _A_TYPO * edits or 0.02 if is_typo else min(1.0, 0.55 + 0.45 * edits / longer)


def _is_typo(one: str, other: str) -> bool:
    """One or two letters astray (three in long names), the first one never: "Artwork" is not "Heartwork"."""
    if one[:1] != other[:1] and one[:2] != other[1::-1]:
        return False
    longer = max(len(one), len(other))
    if longer == 4:
        return sorted(one) == sorted(other) and OSA.distance(one, other) == 1
    return OSA.distance(one, other) <= (0 if longer < 4 else 1 if longer < 8 else 2 if longer < 20 else 3)


def _with_article(a: str, b: str) -> Iterator[tuple[str, str]]:
    yield a, b
    yield f"the {a}", b
    yield a, f"the {b}"


def _joined(name: str) -> str:
    """Without blanks and little words, in which people differ ("rock n roll", "rock and roll")."""
    words = name.split()
    return "".join(w for w in words if w not in _FILLERS) or "".join(words)


def _other_letter(a: str, b: str) -> bool:
    """Whether a word of one letter is another letter: that is no typing error but another name."""
    one, other = a.split(), b.split()
    return len(one) == len(other) and any(x != y and len(x) == len(y) == 1 for x, y in zip(one, other, strict=True))


@lru_cache(maxsize=131_072)
def numbers(name: str) -> tuple[str, ...]:
    """The numbers of a folded name, Roman ones and words too: what tells volume 1 from volume 2.

    >>> numbers("led zeppelin iv"), numbers("volume two")
    (('4',), ('2',))
    """
    words = name.split()
    found: list[str] = []
    for place, word in enumerate(words):
        numerals = _LAST_NUMERALS if 0 < place == len(words) - 1 else _NUMERALS
        if place and words[place - 1] in _COUNTED:
            numerals = _LAST_NUMERALS | _WORDS
        found += [numerals[word]] if word in numerals else re.findall(r"\d+", word)
    return tuple(found)


@lru_cache(maxsize=65_536)
def artist_difference(wanted: str, offered: str) -> float:
    """0 for one artist under two spellings to 1; one name out of a longer credit counts little.

    >>> artist_difference("Beatles", "The Beatles"), artist_difference("Florence + The Machine", "Florence and the Machine")
    (0.0, 0.0)
    >>> artist_difference("Nick Cave", "Nick Cave & The Bad Seeds"), artist_difference("Queen", "Queen Latifah") > 0.5
    (0.08, True)
    """
    a, b = fold_name(wanted), fold_name(offered)
    if a == b or _joined(a) == _joined(b):
        return 0.0
    if a in _VARIOUS or b in _VARIOUS:
        return 0.15
    if sorted(a.split()) == sorted(b.split()):
        return 0.02
    one, other = _credited(wanted), _credited(offered)
    if one & other or _within(a.split(), b.split()):
        return 0.08
    return min(
        difference(a, b), *(0.08 + difference(x, y) for x in one for y in other if len(one) + len(other) > 2), 1.0
    )


@lru_cache(maxsize=65_536)
def _credited(artist: str) -> frozenset[str]:
    return frozenset(folded for part in _BETWEEN_ARTISTS.split(artist) if (folded := fold_name(part)))


@lru_cache(maxsize=65_536)
def first_artist(credit: str) -> str:
    """The first artist of a credit, folded and without blanks and little words.

    >>> first_artist("Simon & Garfunkel"), first_artist("JAY-Z feat. Rihanna"), first_artist("AC/DC"), first_artist("+/-")
    ('simon', 'jayz', 'acdc', '+/-')
    """
    parts = _AFTER_FIRST_ARTIST.split(credit)
    return _joined(next((folded for part in parts if (folded := fold_name(part))), fold_name(credit)))


def _within(a: list[str], b: list[str]) -> bool:
    """Whether the shorter name, of two words or more, stands in the longer one ("Jimi Hendrix", "… Experience")."""
    shorter, longer = sorted((a, b), key=len)
    return len(shorter) > 1 and any(longer[i : i + len(shorter)] == shorter for i in range(len(longer)))


def title_penalties(wanted: Name, offered: Name) -> Mapping[str, float]:
    """Each way in which one title differs from another, unweighted; empty for equal ones."""
    if wanted.folded == offered.folded:
        return {}
    found = min(_in_parts(wanted, offered), _in_whole(wanted, offered), key=weigh)
    return {name: value for name, value in found.items() if value}


def weigh(penalties: Mapping[str, float]) -> float:
    """The distance that penalties add up to."""
    return round(sum(WEIGHTS[name] * value for name, value in penalties.items()), 4)


def _in_whole(wanted: Name, offered: Name) -> Mapping[str, float]:
    """Taken as they stand: for titles whose brackets got lost on the way ("GUTS spilled")."""
    found = (
        [{"title": difference(wanted.folded, offered.folded)}] if wanted.performances == offered.performances else []
    )
    for one, other in ((wanted, offered), (offered, wanted)):
        if one.editions and not one.performances and not one.asides:
            found.append({"title": difference(one.core, other.folded), "edition": _edition(one.editions)})
    return min(found, key=weigh, default={"title": 1.0})


def _in_parts(wanted: Name, offered: Name) -> Mapping[str, float]:
    found: dict[str, float] = {}
    if title := difference(wanted.core, offered.core):
        found["title"] = title
    if wanted.performances != offered.performances:
        found["performance"] = 0.1 if _performed_alike(wanted, offered) else 1.0
    if wanted.asides != offered.asides:
        found["aside"] = 1.0
        if wanted.asides and offered.asides and not alike(wanted.asides, offered.asides):
            found["title"] = 1.0
    if edition := 0.1 if wanted.editions == offered.editions else _edition(wanted.editions ^ offered.editions):
        found["edition"] = edition
    return found


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
