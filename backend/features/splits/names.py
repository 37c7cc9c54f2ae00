"""What names mean for splits: which spellings are one artist, which titles are one recording or one album.

Wrongly taking two things for one costs a little balance; wrongly taking one for two is a leak. So doubt joins.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from backend.utils.text import fold, fold_name, squeeze

VARIOUS: Final = frozenset({
    "variousartists", "various", "va", "variosartistas", "varios", "verschiedene", "verschiedeneinterpreten", "soundtrack",
    "originalsoundtrack", "originalcast", "originalbroadwaycast", "unknownartist", "unknown", "artistivari", "artistesdivers",
    "разныеисполнители", "сборник",
})  # fmt: skip
"""Keys that name nobody: tracks credited so share no artist."""
_FILLERS: Final = frozenset({"and", "n", "the"})  # in which spellings differ
_ARTICLE_BEHIND: Final = re.compile(r"^(.*\S),\s+the$", re.IGNORECASE)  # "Beatles, The"
# Without blanks around it a sign belongs to the name: AC/DC, +/-.
_BETWEEN: Final = re.compile(
    r"\s*[,;、]\s+|[;、]|\s+(?:[/+&•·×|]|feat\.?|ft\.?|featuring|with|and|und|et|y|e|vs\.?|x|presents|pres\.|meets)\s+",
    re.IGNORECASE,
)
_GUEST_WORD: Final = r"(?:feat\.?|ft\.?|featuring|with|w/)"
_GUESTS: Final = re.compile(
    rf"[(\[]\s*{_GUEST_WORD}\s+([^()\[\]]+)[)\]]|\s(?:feat\.?|ft\.?|featuring)\s+(.+)$", re.IGNORECASE
)
_BRACKET: Final = re.compile(r"\s*[(\[（【]([^()\[\]（）【】]*)[)\]）】]")
_TAIL: Final = re.compile(r"^(.*\S)\s+[-–—]\s+(\S.*)$")
# What only a package adds: the same sound under another name.
_PACKAGE: Final = re.compile(
    r"remaster\w*|mono|stereo|deluxe|expanded|anniversary|bonus|explicit|clean|edition|reissue|collector'?s|special|"
    r"legacy|(?:album|single|original|lp|ep|standard|studio|full) (?:version|mix|edit)|single|"
    r"soundtrack|motion picture|^\W*(?:19|20)\d\d(?: mix| version)?\W*$|リマスター",
    re.IGNORECASE,
)
# Another sound, whatever else the words say.
_PERFORMANCE: Final = re.compile(
    r"\blive\b|re-?mix(?!ed and remastered)|acoustic|karaoke|instrumental|demo\b|cover|acapp?ella|unplugged|session|radio|"
    r"extended|sped|slowed|dub\b",
    re.IGNORECASE,
)
_NUMBERS: Final = re.compile(r"\d+|\b[ivx]+\b")


@lru_cache(maxsize=65_536)
def artist_key(name: str) -> str:
    """An artist in all spellings; "" for one who is nobody.

    >>> artist_key("The Beatles"), artist_key("Beatles, The"), artist_key("AC/DC"), artist_key("Ac Dc")
    ('beatles', 'beatles', 'acdc', 'acdc')
    >>> artist_key("Florence + The Machine") == artist_key("Florence and the Machine"), artist_key("Various Artists")
    (True, '')
    """
    words = fold_name(_ARTICLE_BEHIND.sub(r"\1", squeeze(name))).split()
    key = "".join(w for w in words if w not in _FILLERS) or "".join(words)
    return "" if key in VARIOUS else key


@lru_cache(maxsize=65_536)
def credited(credit: str) -> tuple[str, ...]:
    """The artists of a credit, one by one.

    >>> credited("JAY-Z, Kanye West feat. Frank Ocean"), credited("Beatles, The"), credited("+/-")
    (('jayz', 'kanyewest', 'frankocean'), ('beatles',), ('+/-',))
    """
    text = _ARTICLE_BEHIND.sub(r"\1", squeeze(credit))
    found = [key for part in _BETWEEN.split(text) if part and (key := artist_key(part))]
    whole = artist_key(text)
    return tuple(dict.fromkeys(found)) or ((whole,) if whole else ())


@lru_cache(maxsize=65_536)
def first_artist(credit: str) -> str:
    """The first artist of a credit.

    >>> first_artist("Simon & Garfunkel"), first_artist("JAY-Z feat. Rihanna"), first_artist("Various Artists")
    ('simon', 'jayz', '')
    """
    return next(iter(credited(credit)), "")


def guests(title: str) -> tuple[str, ...]:
    """The artists whom a title names as guests.

    >>> guests("Otis (feat. Otis Redding & Ray Charles)"), guests("Otis")
    (('otisredding', 'raycharles'), ())
    """
    return tuple(key for found in _GUESTS.findall(title) for key in credited(found[0] or found[1]))


def title_key(title: str) -> str:
    """A title without what only a package adds and without guests; another performance is another title.

    >>> title_key("Something - Remastered 2009"), title_key("Something (Live)"), title_key("Otis (feat. Otis Redding)")
    ('something', 'something live', 'otis')
    >>> title_key("(Remastered)"), title_key("Song 2"), title_key("Help! [2015 Mix]"), title_key("1999")
    ('remastered', 'song 2', 'help', '1999')
    """
    plain = squeeze(title)
    text = plain
    if not text.isalnum():  # one word is all name
        text = _GUESTS.sub("", _BRACKET.sub(lambda m: "" if _is_package(m[1]) else f" {m[1]} ", _GUESTS.sub(" ", text)))
        while (tail := _TAIL.match(text)) and _is_package(tail[2]):
            text = tail[1]
    return fold_name(text) or fold(plain)


def numbers(key: str) -> tuple[str, ...]:
    """The numbers in a folded title: "Part 1" is never nearly "Part 2".

    >>> numbers("symphony no 5 iv"), numbers("help")
    (('5', 'iv'), ())
    """
    return tuple(sorted(_NUMBERS.findall(key)))


def _is_package(words: str) -> bool:
    return not words.strip() or (_PACKAGE.search(words) is not None and _PERFORMANCE.search(words) is None)
