"""The words by which titles say which edition, performance or length they are, in the languages that labels write in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

from rapidfuzz.distance import OSA

from backend.utils.text import fold

Kinds = Mapping[str, re.Pattern[str]]


def _kinds(**patterns: str) -> Kinds:
    return {kind: re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE) for kind, pattern in patterns.items()}


_MARKETS: Final = (
    r"japan|usa?|u\.s\.|uk|u\.k\.|europe(?:an)?|international|australian?|canada|canadian|(?:north )?american|worldwide"
)
# The same recordings in another package.
EDITIONS: Final = _kinds(
    remaster=r"re-?master(?:ed|ing)?|remasteri[sz](?:ado|ada|e|é|iert)|rimasterizzato|mono|stereo|^(?:19|20)\d\d$|audiophile|"
    r"(?:19|20)\d\d (?:re-?)?(?:mix|version|edit|edition|reissue)|(?:19|20)\d\d (?:[\w.'-]+ ){1,3}mix|リマスター(?:版|盤)?",
    deluxe=r"^x{2,3}v?$|deluxe|dlx|luxury|collector'?s|limited|special|expanded|bonus|complete|legacy|platinum|anniversary|anniv|anniversaire|anniversario|aniversario|jubilee|"
    r"jubil[äa]ums?\w*|\d+(?:st|nd|rd|th)|extended edition|edition|édition|edici[óo]n|edi[çc][ãa]o|edizione|\w*ausgabe|"
    r"disc \d|cd \d|デラックス.*|完全版|豪華盤|(?:初回)?(?:生産)?限定(?:盤|版)|通常盤|特别版|豪华版|리패키지",
    explicit=r"explicit|clean|edited|uncensored|parental advisory|explícito",
    format=r"^original$|ep|lp|digital|vinyl|re-?issue|standard|import|single (?:mix|version|edit)|"
    r"(?:album|original|full|lp|ep|radio|main|video|standard|studio|short|long|7''|12'') (?:mix|version|edit)",
    market=rf"(?:{_MARKETS}) (?:version|edition|tour edition|release|import)|(?:国内|日本)盤",
    single=r"^(?:the |cd |maxi[- ]|digital )?single$",
    soundtrack=r"soundtrack|motion picture|original (?:television |game )?score|music from|ost|original (?:\w+ )?cast|"
    r"bande originale|banda sonora|colonna sonora",
)
# The same songs, recorded another time or by others.
PERFORMANCES: Final = _kinds(
    live=r"^live|live$|live (?:at|in|from|on|version|session|album|recording)|unplugged|concert|concierto|"
    r"(?:bbc|peel|studio|home|radio|lounge|spotify) sessions?|en vivo|en directo|ao vivo|dal vivo|en public|ライ[ブヴ].*|라이브",
    karaoke=r"karaoke|sing-?along|backing track|in the style of|made (?:famous|popular) by|カラオケ",
    tribute=r"tribute|covers?|covered|performed by|renditions?|lullaby|string quartet|8-?bit|music box",
    instrumental=r"instrumentals?|drumless|インストゥルメンタル|インスト",
    acoustic=r"acoustic|ac[úu]stic[oa]|acoustique|akustisch|stripped",
    demo=r"demos?|outtakes?|rehearsals?|rough mix|alternat(?:e|ive) (?:take|version|mix)|take \d+",
    remix=r"re-?mix(?:es|ed)?|remezcla|mix|mixed|re-?work(?:ed)?|dub|edit|bootleg|mash-?up|vip|flip|chopped|screwed|slowed|"
    r"sped[ -]up|nightcore|megamix",
    version=r"version|versi[óo]n|vers[ãa]o|re-?record(?:ed|ing)|^tv$",
    acappella=r"a ?cappellas?|acapellas?|isolated vocals?|vocals only",
    commentary=r"commentary|track by track|interview|dialogue",
)
WITH_NAME: Final = frozenset({"remix", "version", "tribute", "live"})  # "Dillon Francis Remix" is not "Devault Remix"
# In brackets, but the title's own: parts, and numbers that stand alone.
OF_THE_TITLE: Final = re.compile(
    r"\b(?:parts?|pts?|vol|volume|chapter|reprise|interlude|intro|outro|skit|prelude|suite|movement|medley|no)\b|^\W*\d+\W*$|^[ivx]+$",
    re.IGNORECASE,
)
# Another length of the same take: shown as an edition, but another recording by its length.
CUTS: Final = re.compile(
    r"\b(?:(radio|video|extended|club|short|long|edited|12''?|12 ?inch|12\"|7''?|7 ?inch|7\") (?:edit|mix|version|cut)|(edit))\b",
    re.IGNORECASE,
)
# Without brackets only what can hardly be a title's own words.
BARE: Final = re.compile(
    r"(.*?\S)[\s:]+((?:super |the )?deluxe(?: edition| version)?|(?:(?:19|20)\d\d )?remaster(?:ed)?(?: (?:19|20)\d\d)?"
    r"(?: edition| version)?|expanded(?: edition)?|"
    r"(?:the )?(?:(?:\d+(?:st|nd|rd|th)|fifth|tenth|twentieth|thirtieth|fortieth|fiftieth) )?anniversary(?: edition)?|"
    r"(?:special|limited|legacy|complete|collector'?s|bonus|bonus track) edition|explicit(?: version)?|"
    r"original (?:motion picture )?soundtrack|ep|x{2,3}v?)\.?$",
    re.IGNORECASE,
)
COMMON: Final = re.compile(
    r"(?:very )?(?:best(?: of)?|(?:greatest )?hits|collection|essential|anthology|singles|live|ep|demos?|untitled|self titled|"
    r"christmas|remixes|unplugged|mtv unplugged|acoustic|b sides|rarities|covers|instrumentals)(?: \d+)?"
)
# After a colon or a dash, words of a name as often as of an edition: "TRON: Legacy".
HARDLY_AN_EDITION: Final = re.compile(r"\b(?:legacy|special|limited|platinum)\b", re.IGNORECASE)
# What makes a subtitle, or words more at the end, another album: a part, a selection, other takes.
NO_SUBTITLE: Final = re.compile(
    r"\b(?:best|hits|collection|anthology|essential|part|pt|vol|volume|chapter|book|act|season|series|sequel|prelude|prequel|"
    r"instrumentals?|a?cappellas?|remix\w*|live|side|sides|disc|preview|sampler|promo|white label|commentary|sessions?|"
    r"singles|rarities|outtakes|demos|covers|karaoke|redux|reimagined|reconfigured|revisited|unplugged)\b|"
    r"\b(?:i|ii|iii|iv|v|\d{1,3})$|\b\d of \d\b"
)
SELF_TITLED: Final = frozenset({"self titled", "selftitled", "s t", "eponymous", "self titled album"})
_LONG_WORDS: Final = (
    "karaoke", "remastered", "remaster", "deluxe", "edition", "version", "acoustic", "instrumental", "instrumentals",
    "soundtrack", "anniversary", "expanded", "explicit", "special", "limited", "collectors", "original", "commentary",
    "unplugged", "remixes", "tribute", "concert",
)  # fmt: skip
_RUN_TOGETHER: Final = re.compile(
    r"\b(deluxe|special|expanded|limited|extended|anniversary|collectors|bonus|karaoke|live|acoustic|explicit)(edition|version)\b",
    re.IGNORECASE,
)
_WORD: Final = re.compile(r"[^\W\d_]{5,}")


@lru_cache(maxsize=16_384)
def spelt_right(words: str) -> str:
    """The words with the typing errors taken out of those that say what an edition is.

    >>> spelt_right("Kaaroke Version"), spelt_right("Specail Editon"), spelt_right("Versions")
    ('karaoke version', 'special edition', 'Versions')
    """
    return _WORD.sub(lambda m: _nearest(m[0]), _RUN_TOGETHER.sub(r"\1 \2", words))


def _nearest(word: str) -> str:
    lower = word.casefold()
    if lower in _LONG_WORDS:
        return lower
    return next(
        (w for w in _LONG_WORDS if not w.startswith(lower) and not lower.startswith(w) and OSA.distance(w, lower) == 1),
        word,
    )


def found_in(kinds: Kinds, words: str) -> Iterator[str]:
    """The kinds that words name."""
    return (kind for kind, pattern in kinds.items() if pattern.search(words))


def without_kinds(words: str) -> str:
    """What is left of words when those that name kinds are taken out, folded."""
    for pattern in (*PERFORMANCES.values(), *EDITIONS.values()):
        words = pattern.sub(" ", words)
    return fold(words) if any(c.isalnum() for c in words) else ""
