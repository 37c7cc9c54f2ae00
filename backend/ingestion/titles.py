"""Taking titles apart: the name itself, and what brackets and tails say of edition, performance and guests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from backend.utils.text import fold, fold_name, squeeze


def _kinds(**patterns: str) -> dict[str, re.Pattern[str]]:
    return {kind: re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE) for kind, pattern in patterns.items()}


_BRACKETS: Final = re.compile(r"\s*(?:\(([^()]*)\)|\[([^\[\]]*)\]|（([^（）]*)）|【([^【】]*)】)")
_DASHED: Final = re.compile(r"(.*\S)\s+[-–—]\s+(\S.*)$")
_GUESTS: Final = re.compile(r"^(?:feat\.?|ft\.?|featuring|with|w/)\s", re.IGNORECASE)
_GUESTS_TAIL: Final = re.compile(r"\s+(?:feat\.?|ft\.?|featuring)\s+.+$", re.IGNORECASE)
# The same recordings in another package.
_EDITIONS: Final = _kinds(
    remaster=r"re-?master(?:ed|ing)?|mono|stereo|^(?:19|20)\d\d$|audiophile|"
    r"(?:19|20)\d\d (?:re-?)?(?:mix|version|edit|edition|reissue)",
    deluxe=r"deluxe|luxury|collector'?s|limited|special|expanded|bonus|complete|legacy|platinum|anniversary|jubilee|"
    r"\d+(?:st|nd|rd|th)|extended edition|edition|édition|edici[óo]n|ausgabe|disc \d|cd \d",
    explicit=r"explicit|clean|edited|uncensored|parental advisory",
    format=r"ep|lp|single|digital|vinyl|re-?issue|standard|import|"
    r"(?:album|single|original|full|lp|ep|radio|main|video|standard|studio|us|uk|short|long|7''|12'') (?:mix|version|edit)",
    soundtrack=r"soundtrack|motion picture|original score|music from|ost|original cast",
)
# The same songs, recorded another time or by others.
_PERFORMANCES: Final = _kinds(
    live=r"^live|live$|live (?:at|in|from|on|version|session|album|recording)|unplugged|concert|bbc session|peel session",
    karaoke=r"karaoke|sing-?along|backing track|in the style of|made (?:famous|popular) by",
    tribute=r"tribute|covers?|covered|performed by|renditions?|lullaby|string quartet|8-?bit|music box",
    instrumental=r"instrumentals?",
    acoustic=r"acoustic|acústico|stripped",
    demo=r"demos?|outtakes?|rehearsals?|rough mix|alternat(?:e|ive) (?:take|version|mix)|take \d+",
    remix=r"re-?mix(?:es|ed)?|mix|mixed|re-?work(?:ed)?|dub|edit|bootleg|mash-?up|vip|flip|chopped|screwed|slowed|sped[ -]up|"
    r"nightcore|megamix",
    version=r"version|versión|re-?record(?:ed|ing)",
    acappella=r"a ?cappella",
    commentary=r"commentary|interview",
)
_WITH_NAME: Final = frozenset({"remix", "version", "tribute", "live"})  # "Dillon Francis Remix" is not "Devault Remix"
_OF_THE_TITLE: Final = re.compile(
    r"\b(?:parts?|pts?|vol|volume|chapter|reprise|interlude|intro|outro|skit|prelude|suite|movement|medley|no)\b|\d|^[ivx]+$",
    re.IGNORECASE,
)
# Another length of the same take: shown as an edition, but another recording by its length.
_CUTS: Final = re.compile(
    r"\b(?:(radio|video|extended|club|short|long|edited|12''?|12 ?inch|12\"|7''?|7 ?inch|7\") (?:edit|mix|version|cut)|(edit))\b",
    re.IGNORECASE,
)
# Without brackets only what can hardly be a title's own words.
_BARE: Final = re.compile(
    r"(.*\S)[\s:]+((?:super |the )?deluxe(?: edition| version)?|(?:(?:19|20)\d\d )?remaster(?:ed)?(?: (?:19|20)\d\d)?"
    r"(?: edition| version)?|expanded(?: edition)?|(?:\d+(?:st|nd|rd|th) )?anniversary(?: edition)?|(?:special|limited|legacy|"
    r"collector'?s|bonus|bonus track) edition|explicit(?: version)?|original motion picture soundtrack|ep)$",
    re.IGNORECASE,
)
_COMMON: Final = re.compile(
    r"(?:(?:the )?(?:very )?(?:best(?: of)?|greatest hits|hits|collection|essential|anthology|singles)|live|ep|demos?|untitled|"
    r"self titled|christmas|remixes|unplugged|mtv unplugged|acoustic|b sides|rarities)(?: \d+)?",
)


@dataclass(frozen=True, slots=True)
class Name:
    """A title taken apart; every text is folded.

    Attributes:
        folded: all of it, without a leading "The".
        core: without brackets, editions, performances and guests.
        asides: brackets that say none of these ("spilled", "blue album").
        editions: kinds: remaster, deluxe, explicit, format, soundtrack.
        performances: kinds: live, karaoke, tribute, remix, …; empty for the studio recording.
        cuts: other lengths: radio, extended, …; empty for the whole one.
    """

    folded: str
    core: str
    asides: frozenset[str] = frozenset()
    editions: frozenset[str] = frozenset()
    performances: frozenset[str] = frozenset()
    cuts: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Parts:
    asides: set[str] = field(default_factory=set)
    editions: set[str] = field(default_factory=set)
    performances: set[str] = field(default_factory=set)
    cuts: set[str] = field(default_factory=set)

    def take(self, words: str) -> bool:
        """Note what the words say; False when they say nothing known."""
        words = words.strip()
        if _GUESTS.match(words):
            return True
        editions = set(_found(_EDITIONS, words))
        performances = set(_found(_PERFORMANCES, words))
        # "Radio Edit", "2009 Mix", "Deluxe Version" are no other performance.
        if editions:
            performances.discard("version")
        if editions & {"format", "remaster"}:
            performances.discard("remix")
        self.editions |= editions
        self.performances |= performances
        self.cuts |= {fold(next(filter(None, cut))) for cut in _CUTS.findall(words)}
        if performances & _WITH_NAME and (name := _without_kinds(words)):
            self.asides.add(name)
        return bool(editions or performances)


@lru_cache(maxsize=131_072)
def take_apart(title: str) -> Name:
    """The parts of a title.

    >>> take_apart("Abbey Road (Remastered 2009)")
    Name(folded='abbey road remastered 2009', core='abbey road', asides=frozenset(), editions=frozenset({'remaster'}), \
performances=frozenset(), cuts=frozenset())
    >>> take_apart("Memories - Dillon Francis Remix").performances, take_apart("GUTS (spilled)").asides
    (frozenset({'remix'}), frozenset({'spilled'}))
    """
    text, parts = squeeze(title), _Parts()
    core = _GUESTS_TAIL.sub("", _without_tails(_BRACKETS.sub(lambda m: _bracket(m, parts), text), parts))
    folded = fold_name(text)
    if not core:
        return Name(folded, folded)
    return Name(
        folded, fold_name(core), *map(frozenset, (parts.asides, parts.editions, parts.performances, parts.cuts))
    )


def is_common(title: str, artist: str) -> bool:
    """Whether one artist has several albums of such a name: self-titled ones, collections, live ones.

    >>> is_common("Weezer (Green Album)", "Weezer"), is_common("Greatest Hits", "Queen"), is_common("Hunky Dory", "David Bowie")
    (True, True, False)
    """
    core = take_apart(title).core
    return core == fold_name(artist) or _COMMON.fullmatch(core) is not None


def _bracket(match: re.Match[str], parts: _Parts) -> str:
    words = next((w for w in match.groups() if w is not None), "")
    if parts.take(words):
        return ""
    if _OF_THE_TITLE.search(words) or not any(c.isalnum() for c in words):
        return match.group(0)
    parts.asides.add(fold(words))
    return " "


def _without_tails(text: str, parts: _Parts) -> str:
    while (tail := _DASHED.match(text) or _BARE.match(text)) and parts.take(tail.group(2)):
        text = tail.group(1)
    return text.strip()


def _found(kinds: dict[str, re.Pattern[str]], words: str) -> Iterator[str]:
    return (kind for kind, pattern in kinds.items() if pattern.search(words))


def _without_kinds(words: str) -> str:
    for pattern in (*_PERFORMANCES.values(), *_EDITIONS.values()):
        words = pattern.sub(" ", words)
    return fold(words) if any(c.isalnum() for c in words) else ""
