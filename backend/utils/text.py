"""Folding of names: one spelling for comparing, indexing and naming."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_WORD_BREAK: Final = re.compile(r"[^\w]+|_")
_SPACES: Final = re.compile(r"\s+")
_LEADING_ARTICLE: Final = re.compile(r"^the\s+(?=\S)")
# Letters that NFKD leaves whole though people type the plain one.
_LETTERS: Final = str.maketrans(
    {
        "ø": "o",
        "đ": "d",
        "ł": "l",
        "ß": "ss",
        "æ": "ae",
        "œ": "oe",
        "ı": "i",
        "þ": "th",
        "ð": "d",
        "’": "",
        "'": "",
        "`": "",
    }
)


def squeeze(text: str) -> str:
    """NFC form, white space squeezed to single blanks, none at the ends, no control characters."""
    printable = "".join(" " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c) != "Cc")
    return _SPACES.sub(" ", unicodedata.normalize("NFC", printable)).strip()


def fold(text: str) -> str:
    """The form in which two spellings of one name are equal: case, accents, punctuation and "&" gone.

    Letters of every script stay; a text of signs alone ("÷", "!!!") keeps them, so that it does not vanish.

    >>> fold("Björk & The Sugarcubes"), fold("GUTS (spilled)"), fold("÷")
    ('bjork and the sugarcubes', 'guts spilled', '÷')
    """
    plain = unicodedata.normalize("NFKD", text.casefold().replace("&", " and "))
    plain = "".join(c for c in plain if not unicodedata.combining(c)).translate(_LETTERS)
    words = _SPACES.sub(" ", _WORD_BREAK.sub(" ", plain)).strip()
    return unicodedata.normalize("NFC", words) or squeeze(text.casefold())


def fold_name(text: str) -> str:
    """`fold` without a leading "The": for artists and titles.

    >>> fold_name("The Beatles") == fold_name("beatles"), fold_name("The The")
    (True, 'the')
    """
    return _LEADING_ARTICLE.sub("", fold(text))
