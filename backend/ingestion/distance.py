"""How far one name is from another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from rapidfuzz.distance import OSA

from backend.ingestion.numerals import counted, in_digits, is_misspelt_year, numbers
from backend.ingestion.scripts import is_dense, is_latin, skeleton, without_voicing

A_TYPO: Final = 0.1
_A_SHORT_TYPO: Final = 0.3
_ONLY_BLANKS: Final = 0.02
_A_ROMANISATION: Final = 0.05
_A_SLIP_IN_A_YEAR: Final = 0.3
_OTHER: Final = 0.7
_SHORT: Final = 8  # letters
_FILLERS: Final = frozenset({"and", "n", "the"})


@lru_cache(maxsize=8_192)
def difference(a: str, b: str, *, roman: bool = True) -> float:
    """How far two folded names are apart: 0 equal, 0.1 a typing error, above 0.5 another name.

    Short names must agree exactly, and so must numbers and single letters: "+" is not "-", "1989" not "1988",
    "Led Zeppelin II" not "III", "Kid A" not "Kid B".

    Args:
        a: a folded name.
        b: another.
        roman: whether I, V and X may be numerals; not so in artists' names ("Static-X").

    >>> difference("positions", "postiions"), difference("kid a", "kid b") > 0.5
    (0.1, True)
    >>> difference("gruppa krovi", "группа крови"), difference("さくら", "さくや"), difference("사랑", "사람")
    (0.05, 1.0, 1.0)
    """
    if a == b:
        return 0.0
    if joined(in_digits(a)) == joined(in_digits(b)) or any(
        x.replace(" ", "") == y.replace(" ", "") for x, y in _with_article(a, b)
    ):
        return _ONLY_BLANKS
    if (apart := _in_numbers(a, b, roman=roman)) is not None:
        return apart
    if joined(a) == joined(b) or (roman and joined(counted(a)) == joined(counted(b))):
        return _ONLY_BLANKS
    if len(a.split()) > 2 and sorted(a.split()) == sorted(b.split()):
        return A_TYPO
    if is_latin(a) != is_latin(b):
        return _between_scripts(a, b)
    return _of_syllables(a, b) if is_dense(a) or is_dense(b) else _in_letters(a, b, roman=roman)


def _in_numbers(a: str, b: str, *, roman: bool) -> float | None:
    """How far apart names of different numbers are; None for equal ones."""
    if not roman:
        return None if _digits(a) == _digits(b) else 1.0
    if "".join(numbers(a)) == "".join(numbers(b)):
        return None
    return _A_SLIP_IN_A_YEAR if len(a) > 12 and is_misspelt_year(a, b) and _letters(a) == _letters(b) else 1.0


def _in_letters(a: str, b: str, *, roman: bool) -> float:
    # In whole too: typing errors run over the ends of little words ("theW all").
    forms = ((joined(a), joined(b)), *((x.replace(" ", ""), y.replace(" ", "")) for x, y in _with_article(a, b)))
    edits, longer = min((OSA.distance(x, y), max(len(x), len(y))) for x, y in forms)
    if not roman and longer == 4 and edits == 1 and len(a) != len(b):
        return _A_SHORT_TYPO  # of an artist: "Usd" for "Used"; a title needs to be longer
    if roman and edits == 1 and " " not in a and len(a) == len(b) < _SHORT and sorted(a) != sorted(b):
        return _OTHER  # "Stars" and "Start": of one short word any letter counts
    is_typo = not _other_word(a, b, edits=edits) and (any(_is_typo(x, y) for x, y in forms) or _lost_first_letter(a, b))
    return A_TYPO * edits or _ONLY_BLANKS if is_typo else min(1.0, 0.55 + 0.45 * edits / longer)


def _is_typo(one: str, other: str) -> bool:
    """One or two letters astray (three in long names), the first one never: "Artwork" is not "Heartwork"."""
    if one[:1] != other[:1] and one[:2] != other[1::-1]:
        return False
    longer = max(len(one), len(other))
    if longer == 4:
        return sorted(one) == sorted(other) and OSA.distance(one, other) == 1
    return OSA.distance(one, other) <= (0 if longer < 4 else 1 if longer < 8 else 2 if longer < 20 else 3)


def _lost_first_letter(a: str, b: str) -> bool:
    """Whether the first letter alone was dropped, in a name of more words than one ("ig revival")."""
    shorter, longer = sorted((a, b), key=len)
    return longer[1:] == shorter and " " in shorter and len(longer) > 8


def _between_scripts(a: str, b: str) -> float:
    one, other = skeleton(a), skeleton(b)
    if one == other:
        return _A_ROMANISATION
    return _A_ROMANISATION + A_TYPO if len(one) > 5 and one[:1] == other[:1] and OSA.distance(one, other) == 1 else 1.0


def _of_syllables(a: str, b: str) -> float:
    """Of names in which a letter is a syllable or a word: one astray in a long name at most."""
    one, other = without_voicing(a), without_voicing(b)
    if one == other:
        return A_TYPO
    return A_TYPO if min(len(one), len(other)) >= 8 and OSA.distance(one, other) == 1 else 1.0


def _with_article(a: str, b: str) -> Iterator[tuple[str, str]]:
    yield a, b
    yield f"the {a}", b
    yield a, f"the {b}"


def joined(name: str) -> str:
    """Without blanks and little words, in which people differ ("rock n roll", "rock and roll").

    >>> joined("rock n roll"), joined("the the")
    ('rockroll', 'thethe')
    """
    words = name.split()
    return "".join(w for w in words if w not in _FILLERS) or "".join(words)


def _letters(name: str) -> str:
    return "".join(c for c in name if not c.isdecimal())


def _digits(name: str) -> str:
    return "".join(c for c in name if c.isdecimal())


def _other_word(a: str, b: str, *, edits: int) -> bool:
    """Whether a word is another one: no typing error but another name (Sun, Son; A, B; Her, Tear)."""
    one, other = a.split(), b.split()
    if len(one) != len(other):
        shorter, longer = sorted((one, other), key=len)
        more = Counter(longer) - Counter(shorter)
        # A word more is no typing error, unless it is a misspelt article.
        return not Counter(shorter) - Counter(longer) and any(OSA.distance(w, "the") > 1 for w in more)
    return any(_is_other(x, y, edits) for x, y in zip(one, other, strict=True) if x != y)


def _is_other(x: str, y: str, edits: int) -> bool:
    longer = max(len(x), len(y))
    if len(x) == len(y) <= 4 and sorted(x) != sorted(y):
        return True
    # A blank at the wrong place makes little of one edit look like much of two words.
    return edits > 1 and longer < 6 and OSA.distance(x, y) > 1
