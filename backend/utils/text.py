"""Folding of names: one spelling for comparing, indexing and naming."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

_SPACES: Final = re.compile(r"\s+")
_ASCII_BREAK: Final = re.compile(r"[^a-z0-9]+")
_LEADING_ARTICLE: Final = re.compile(r"^the\s+(?=\S)")
# A sign in the place of a name ("÷ (Deluxe)"); punctuation is none.
_LEADING_SIGNS: Final = re.compile(r"\s*([-+=×÷<>^|~∆△▲○●☆★♡♥♪∞√∑%€£$#*]+)\s")
_APOSTROPHES: Final = re.compile("['’‘ʼ´`′＇]")
# Signs that stand for letters: A$AP, Ke$ha, Bada$$, P!nk; not $100, not "Wham!".
_DOLLAR: Final = re.compile(r"\$(?=\$*[^\W\d_])|(?<=[^\W\d_])\$(?!\d)|(?<=[^\W\d_]\$)\$(?!\d)")
_BANG: Final = re.compile(r"(?<=[^\W\d_])!(?=[^\W\d_])")
# Marks that only decorate a letter (accents, Hebrew points, Arabic vowels, variation selectors). Others, such as Indic
# vowels and the Japanese voicing mark, make another letter and stay.
_DECORATION: Final = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u06d6-\u06ed\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f]+"
)
# Letters that NFKD leaves whole though people type the plain one.
_LETTERS: Final = str.maketrans(
    {"ø": "o", "đ": "d", "ł": "l", "ß": "ss", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th", "ð": "d", "ħ": "h"}
)


def squeeze(text: str) -> str:
    r"""NFC form, white space squeezed to single blanks, none at the ends, no control characters.

    >>> squeeze("  Abbey\tRoad\x00 ")
    'Abbey Road'
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    printable = "".join(" " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c) != "Cc")
    return _SPACES.sub(" ", unicodedata.normalize("NFC", printable)).strip()


@lru_cache(maxsize=16_384)
def fold(text: str) -> str:
    """The form in which two spellings of one name are equal: case, accents, punctuation and "&" gone.

    Letters of every script stay; a text of signs alone ("÷", "!!!") keeps them, so that it does not vanish.
    Folding twice changes nothing.

    >>> fold("Björk & The Sugarcubes"), fold("GUTS (spilled)"), fold("÷"), fold("( )")
    ('bjork and the sugarcubes', 'guts spilled', '÷', '()')
    >>> fold("÷ (Deluxe)"), fold("+ (Deluxe)")
    ('÷ deluxe', '+ deluxe')
    >>> fold("Guns N’ Roses"), fold("A$AP Rocky"), fold("P!nk")
    ('guns n roses', 'asap rocky', 'pink')
    """
    plain = _APOSTROPHES.sub("", text).replace("&", " and ")
    if "$" in plain or "!" in plain:
        plain = _BANG.sub("i", _DOLLAR.sub("s", plain))
    words = _ASCII_BREAK.sub(" ", plain.lower()).strip() if plain.isascii() else _fold_letters(plain)
    if not words:
        return _signs(text)
    before = _LEADING_SIGNS.match(text)
    return f"{_signs(before[1])} {words}" if before else words


@lru_cache(maxsize=16_384)
def fold_name(text: str) -> str:
    """`fold` without a leading "The": for artists and titles.

    >>> fold_name("The Beatles") == fold_name("beatles"), fold_name("The The")
    (True, 'the')
    """
    return _LEADING_ARTICLE.sub("", fold(text))


def _fold_letters(text: str) -> str:
    """Words of any script: the compatibility caseless form of Unicode (section 3.13, D146) without decorations."""
    plain = text
    for form in ("NFD", "NFKD"):
        plain = unicodedata.normalize(form, plain).casefold()
    plain = _DECORATION.sub("", unicodedata.normalize("NFKD", plain)).translate(_LETTERS)
    plain = _APOSTROPHES.sub("", plain).replace("&", " and ")  # again: those that other signs fall apart into
    plain = "".join(c if c.isalnum() or unicodedata.category(c)[0] == "M" else " " for c in plain)
    return unicodedata.normalize("NFC", " ".join(plain.split()))


def _signs(text: str) -> str:
    """A name of signs alone, in which blanks mean nothing."""
    return "".join(squeeze(unicodedata.normalize("NFKC", text.casefold())).split()) or squeeze(text)
