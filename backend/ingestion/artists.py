"""How far one artist's name is from another's, credits of several artists included."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from backend.ingestion.distance import difference, joined
from backend.ingestion.scripts import is_latin, repair
from backend.ingestion.works import composers
from backend.utils.text import fold_name

_VARIOUS: Final = frozenset({
    "various artists", "various", "va", "v a", "varios artistas", "varios", "verschiedene", "verschiedene interpreten",
    "soundtrack", "original soundtrack", "ost", "original cast", "original broadway cast",
    "original motion picture soundtrack", "divers", "artistes divers", "multi interpretes", "artisti vari",
    "разные исполнители", "сборник", "ヴァリアス アーティスト", "オムニバス",
})  # fmt: skip
_SEPARATORS: Final = r"feat\.?|ft\.?|featuring|with|and|und|et|y|e|vs\.?|x|presents|pres\.|meets|conducted by|dir\."
_BETWEEN: Final = re.compile(rf"\s*[,;/+&•·×、・]\s*|\s+(?:{_SEPARATORS})\s+", re.IGNORECASE)
# Without blanks around it a sign belongs to the name: AC/DC, +/-, M+M.
_AFTER_FIRST: Final = re.compile(rf"\s*[,;、]\s+|[;、]|\s+(?:[/+&•·×|]|{_SEPARATORS})\s+", re.IGNORECASE)
# Who plays what another made known.
_IMITATES: Final = re.compile(
    r"\b(?:tribute|karaoke|cover(?:s|ed)?|made (?:famous|popular) by|in the style of|string quartet|lullab(?:y|ies)|"
    r"8 ?bit|music box|orchestral|symphonic|bootleg)\b"
)
_NO_SIGNS: Final = str.maketrans({"$": None, "!": None})  # that stand for letters and get lost: "uicideboy"
_VARIOUS_APART: Final = 0.55  # "Various Artists" against one of them: names alone don't tell
_PART_OF_CREDIT: Final = 0.08
_WORD_OF_CREDIT: Final = 0.13  # "Earth" may be another than "Earth, Wind & Fire"
_LONGER_NAME: Final = 0.05


@lru_cache(maxsize=16_384)
def artist_difference(wanted: str, offered: str) -> float:
    """0 for one artist under two spellings to 1; one name out of a longer credit counts little.

    >>> artist_difference("Beatles", "The Beatles"), artist_difference("Florence + The Machine", "Florence and the Machine")
    (0.0, 0.0)
    >>> artist_difference("Nick Cave", "Nick Cave & The Bad Seeds"), artist_difference("Queen", "Queen Latifah") > 0.5
    (0.08, True)
    >>> artist_difference("Кино", "Kino"), artist_difference("Michael Jackson", "Michael Jackson Tribute Band")
    (0.05, 1.0)
    """
    wanted, offered = repair(wanted), repair(offered)
    a, b = fold_name(wanted), fold_name(offered)
    if a == b or joined(a) == joined(b):
        return 0.0
    if (a in _VARIOUS) != (b in _VARIOUS):
        return _VARIOUS_APART
    if a in _VARIOUS:
        return 0.15
    if sorted(a.split()) == sorted(b.split()):
        return 0.02
    bare = [fold_name(name.translate(_NO_SIGNS)) for name in (wanted, offered)]
    spelt = min(
        difference(x, y, roman=False) for x, y in ((a, b), (bare[0], b), (a, bare[1])) if (x and y) or (x, y) == (a, b)
    )
    if spelt > 0.5 and bool(_IMITATES.search(a)) != bool(_IMITATES.search(b)):
        return 1.0
    return min(1.0, spelt, _credits_apart(wanted, offered), _of_two_scripts(a, b))


@lru_cache(maxsize=16_384)
def first_artist(credit: str) -> str:
    """The first artist of a credit, folded and without blanks and little words.

    >>> first_artist("Simon & Garfunkel"), first_artist("JAY-Z feat. Rihanna"), first_artist("AC/DC"), first_artist("+/-")
    ('simon', 'jayz', 'acdc', '+/-')
    """
    parts = _AFTER_FIRST.split(credit)
    return joined(next((folded for part in parts if (folded := fold_name(part))), fold_name(credit)))


def _of_two_scripts(a: str, b: str) -> float:
    """Of names of which one is written twice ("방탄소년단 BTS")."""
    parts = [{name, *_by_script(name)} for name in (a, b)]
    return _LONGER_NAME if parts[0] & parts[1] else 1.0


def _by_script(name: str) -> set[str]:
    words = name.split()
    latin = [w for w in words if is_latin(w)]
    others = [w for w in words if not is_latin(w)]
    return {" ".join(latin), " ".join(others)} if latin and others else set()


def _credits_apart(wanted: str, offered: str) -> float:
    """By the artists of the credits, one by one."""
    one, other = _credited(wanted), _credited(offered)
    if len(one) + len(other) == 2:
        x, y = next(iter(one)), next(iter(other))
        return _LONGER_NAME if _within(x.split(), y.split()) or _is_one_composer(x, y) else 1.0
    shared = one & other | {x for x in one for y in other if _is_one_composer(x, y)}
    other -= {y for y in other for x in shared if x == y or _is_one_composer(x, y)}
    if shared and all(composers(name) for name in shared) and one - shared and other:
        # One composer's work played by others is another album.
        return _PART_OF_CREDIT if _alike(one - shared, other) else 1.0
    if shared:
        return _PART_OF_CREDIT if any(" " in name for name in shared) else _WORD_OF_CREDIT
    a, b = fold_name(wanted).split(), fold_name(offered).split()
    if _within(a, b) or any(_within(x.split(), y.split()) for x in one for y in other):
        return _PART_OF_CREDIT
    return min((_PART_OF_CREDIT + difference(x, y, roman=False) for x in one for y in other), default=1.0)


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    return any(
        difference(x, y, roman=False) < 0.5 or _within(x.split(), y.split()) or _surname_alike(x, y)
        for x in one
        for y in other
    )


def _is_one_composer(one: str, other: str) -> bool:
    """Whether two names are one composer's, of which one may be the surname alone ("Mozart"); not two of one family."""
    if not composers(one) or composers(one) != composers(other):
        return False
    return 1 in {len(one.split()), len(other.split())} or one[0] == other[0]


def _surname_alike(one: str, other: str) -> bool:
    """Whether one name is the other's surname ("Karajan", "Herbert von Karajan"); for classical credits alone."""
    shorter, longer = sorted((one.split(), other.split()), key=len)
    return longer[-len(shorter) :] == shorter and len(shorter[-1]) > 3


@lru_cache(maxsize=16_384)
def _credited(artist: str) -> frozenset[str]:
    parts = frozenset(folded for part in _BETWEEN.split(artist) if (folded := fold_name(part)))
    return parts or frozenset({fold_name(artist)})


def _within(a: list[str], b: list[str]) -> bool:
    """Whether the longer name begins or ends with the shorter one, of two words or more ("Jimi Hendrix", "… Experience")."""
    shorter, longer = sorted((a, b), key=len)
    return len(shorter) > 1 and shorter in (longer[: len(shorter)], longer[-len(shorter) :])
