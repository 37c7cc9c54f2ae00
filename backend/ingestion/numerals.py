"""Numbers in names: what tells volume 1 from volume 2, however it is written."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from rapidfuzz.distance import OSA

_WORDS: Final = {"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6"}
_COUNTED: Final = frozenset(
    {"volume", "vol", "part", "pt", "chapter", "book", "no", "number", "nr", "side", "disc", "disk", "act", "series", "season"}
)  # fmt: skip
_SAID_ALONE: Final = frozenset({"volume", "vol", "part", "pt", "no", "number", "nr"})  # "Vol. 2" is "2"
_NUMBER_WORDS: Final = _WORDS | {
    "seven": "7", "eight": "8", "nine": "9", "ten": "10", "eleven": "11", "twelve": "12", "twenty": "20", "thirty": "30",
    "forty": "40", "fifty": "50", "sixty": "60", "seventy": "70", "eighty": "80", "ninety": "90", "hundred": "100",
    "first": "1st", "second": "2nd", "third": "3rd", "fourth": "4th", "fifth": "5th", "sixth": "6th", "seventh": "7th",
}  # fmt: skip
_TENS: Final = frozenset(str(n) for n in range(20, 100, 10))
_SHORT: Final = {
    "street": "st",
    "saint": "st",
    "mister": "mr",
    "doctor": "dr",
    "mount": "mt",
    "okay": "ok",
    "thee": "the",
    "you": "u",
}
_ROMAN: Final = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii", "xiii")
_NUMERALS: Final = {roman: str(number) for number, roman in enumerate(_ROMAN, 1) if len(roman) > 1}
_LAST_NUMERALS: Final = _NUMERALS | {"i": "1", "v": "5", "x": "10"}  # letters elsewhere: "I Am", "Malcolm X Speaks"
_YEARS: Final = range(1900, 2040)


@lru_cache(maxsize=8_192)
def numbers(name: str) -> tuple[str, ...]:
    """The numbers of a folded name, Roman ones and words too: what tells volume 1 from volume 2.

    >>> numbers("led zeppelin iv"), numbers("volume two"), numbers("٣")
    (('4',), ('2',), ('3',))
    """
    found: list[str] = []
    for word, numeral in _read(name):
        found += [numeral] if numeral else [_plain(n) for n in re.findall(r"\d+", word)]
    return tuple(found)


@lru_cache(maxsize=8_192)
def in_digits(name: str) -> str:
    """A folded name with its number words in digits.

    >>> in_digits("thirty seconds to mars"), in_digits("twenty one pilots"), in_digits("second law")
    ('30 seconds to mars', '21 pilots', '2nd law')
    """
    found: list[str] = []
    for word in name.split():
        digits = _NUMBER_WORDS.get(word)
        if digits and len(digits) == 1 and found and found[-1] in _TENS:
            found[-1] = found[-1][0] + digits
        else:
            found.append(digits or word)
    return " ".join(found)


@lru_cache(maxsize=8_192)
def counted(name: str) -> str:
    """A folded name with every number in digits, no word before it that only says that it counts, and words shortened.

    >>> counted("decade of destruction vol 2"), counted("decade of destruction part ii")
    ('decade of destruction 2', 'decade of destruction 2')
    """
    words = [numeral or _SHORT.get(word, word) for word, numeral in _read(name)]
    last = len(words) - 1
    return " ".join(w for i, w in enumerate(words) if not (w in _SAID_ALONE and i < last and words[i + 1].isdecimal()))


def is_misspelt_year(one: str, other: str) -> bool:
    """Whether two names have the same numbers but for a year that cannot be one ("9177" for "1977")."""
    a, b = numbers(one), numbers(other)
    differing = [(x, y) for x, y in zip(a, b, strict=False) if x != y]
    if len(a) != len(b) or len(differing) != 1:
        return False
    wrong, right = sorted(differing[0], key=lambda n: n.isdecimal() and int(n[:5]) in _YEARS)
    return right.isdecimal() and int(right[:5]) in _YEARS and len(wrong) in {3, 4} and _is_slip(wrong, right)


def _is_slip(wrong: str, right: str) -> bool:
    return int(wrong) not in _YEARS and OSA.distance(wrong, right) == 1 and set(wrong) <= set(right)


def _read(name: str) -> list[tuple[str, str]]:
    """Each word, and its number when it is a numeral as a whole."""
    words = name.split()
    found = []
    for place, word in enumerate(words):
        numerals = _LAST_NUMERALS if 0 < place == len(words) - 1 else _NUMERALS
        if place and words[place - 1] in _COUNTED:
            numerals = _LAST_NUMERALS | _WORDS
        found.append((word, numerals.get(word) or (_plain(word) if word.isdecimal() else "")))
    return found


def _plain(digits: str) -> str:
    """In the digits 0 to 9, without zeros before."""
    return "".join(str(int(d)) for d in digits).lstrip("0") or "0"
