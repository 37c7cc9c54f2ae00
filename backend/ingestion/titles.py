"""Taking titles apart: the name itself, and what brackets and tails say of edition, performance and guests."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from backend.ingestion.scripts import is_latin, repair
from backend.ingestion.title_words import (
    BARE,
    COMMON,
    CUTS,
    EDITIONS,
    HARDLY_AN_EDITION,
    NO_SUBTITLE,
    OF_THE_TITLE,
    PERFORMANCES,
    SELF_TITLED,
    WITH_NAME,
    found_in,
    spelt_right,
    without_kinds,
)
from backend.utils.text import fold, fold_name, squeeze

_BRACKETS: Final = re.compile(r"\s*(?:\(([^()]*)\)|\[([^\[\]]*)\]|（([^（）]*)）|【([^【】]*)】)")
_STRAY: Final = re.compile(r"(?<=\w)[)\]）】]|[(\[（【](?=\w)")
_DASHED: Final = re.compile(r"(.*\S)\s+[-–—]\s+(\S.*)$")
_AFTER_COLON: Final = re.compile(r"(.*\w)\s*:\s+(\S.*)$")
_GUESTS: Final = re.compile(r"^(?:feat\.?|ft\.?|featuring|with|w/)\s", re.IGNORECASE)
_GUESTS_TAIL: Final = re.compile(r"\s+(?:feat\.?|ft\.?|featuring)\s+.+$", re.IGNORECASE)
_SUBTITLE: Final = re.compile(r"(.*\w)\s*(?::\s|\s[-–—]\s)\s*(\w.*)$")
_REMIXED: Final = re.compile(r"\bre-?mix", re.IGNORECASE)
_LIVE: Final = re.compile(r"live\b", re.IGNORECASE)
_THE: Final = re.compile(r"^the\s+", re.IGNORECASE)
_FIRST: Final = re.compile(r"\s+(?:1|I|one)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Name:
    """A title taken apart; every text is folded.

    Attributes:
        folded: all of it, without a leading "The".
        core: without brackets, editions, performances and guests.
        asides: brackets that say none of these ("spilled", "blue album").
        editions: kinds: remaster, deluxe, explicit, format, market, single, soundtrack.
        performances: kinds: live, karaoke, tribute, remix, …; empty for the studio recording.
        cuts: other lengths: radio, extended, …; empty for the whole one.
        has_guests: guests are named; of an album that means a single.
        full: all but editions and guests; asides and performances as they stand.
        said: kinds of performance that any of its words name, in brackets or not.
        main: the core before a colon or a dash; "" when there is none.
        subtitle: what follows there.
    """

    folded: str
    core: str
    asides: frozenset[str] = frozenset()
    editions: frozenset[str] = frozenset()
    performances: frozenset[str] = frozenset()
    cuts: frozenset[str] = frozenset()
    has_guests: bool = False
    full: str = ""
    said: frozenset[str] = frozenset()
    main: str = ""
    subtitle: str = ""


# The last words of what `BARE` finds; most titles end in none of them.
_BARE_ENDS: Final = frozenset(
    {
        "deluxe",
        "edition",
        "version",
        "remaster",
        "remastered",
        "expanded",
        "anniversary",
        "explicit",
        "soundtrack",
        "ep",
    }
)
_BARE_END: Final = re.compile(r"(?:19|20)\d\d|x{2,3}v?")


@dataclass(slots=True)
class _Parts:
    asides: set[str] = field(default_factory=set)
    editions: set[str] = field(default_factory=set)
    performances: set[str] = field(default_factory=set)
    cuts: set[str] = field(default_factory=set)
    has_guests: bool = False

    def take(self, words: str) -> bool:
        """Note what the words say; False when they say nothing known."""
        said = _said(words)
        if said is None:
            self.has_guests = True
            return True
        self.editions |= said.editions
        self.performances |= said.performances
        self.cuts |= said.cuts
        self.asides |= said.asides
        return bool(said.editions or said.performances)


@lru_cache(maxsize=8_192)
def _said(words: str) -> _Parts | None:
    """What words in brackets or behind a dash say, the same on many titles; None when they name guests."""
    words = spelt_right(words.strip())
    editions = set(found_in(EDITIONS, words))
    if _GUESTS.match(words) and not (editions and words.startswith("with")):
        return None
    performances = set(found_in(PERFORMANCES, words))
    # "Radio Edit", "2009 Mix", "Deluxe Version" are no other performance.
    if editions:
        performances.discard("version")
    if "remaster" in editions or ("format" in editions and not _REMIXED.search(words)):
        performances.discard("remix")
    cuts = {fold(next(filter(None, cut))) for cut in CUTS.findall(words)}
    name = without_kinds(words) if performances & WITH_NAME else ""
    return _Parts({name} if name else set(), editions, performances, cuts)


@lru_cache(maxsize=8_192)
def heart_of(title: str) -> tuple[str, frozenset[str], frozenset[str], frozenset[str]]:
    """Core, asides, performances and cuts of a title: what `take_apart` says of them, in a third of the time.

    >>> heart_of("Something (Live) - Radio Edit") == tuple(
    ...     getattr(take_apart("Something (Live) - Radio Edit"), f) for f in ("core", "asides", "performances", "cuts")
    ... )
    True
    """
    none: frozenset[str] = frozenset()
    if _is_plain(title):
        return fold_name(title), none, none, none
    parts = _Parts()
    core = _core(squeeze(repair(title)), parts)[1]
    if not core:
        name = take_apart(title)
        return name.core, name.asides, name.performances, name.cuts
    return fold_name(core), frozenset(parts.asides), frozenset(parts.performances), frozenset(parts.cuts)


def _is_plain(title: str) -> bool:
    """Whether a title surely has no brackets, tails and guests."""
    if not title.isascii() or any(sign in title for sign in "()[]:") or " - " in " ".join(title.split()):
        return False
    words = title.lower().split()
    last = words[-1].removesuffix(".") if words else ""
    if not last or last in _BARE_ENDS or _BARE_END.fullmatch(last):
        return False
    return not any(guests in words for guests in ("feat", "feat.", "ft", "ft.", "featuring"))


def _core(text: str, parts: _Parts) -> tuple[str, str]:
    """A title without brackets and tails, and without guests besides; what they say goes into `parts`."""
    bare = _STRAY.sub(" ", _BRACKETS.sub(lambda m: _bracket(m, parts), text))
    tailless = _without_tails(bare, parts)
    return tailless, _GUESTS_TAIL.sub("", tailless).strip()


@lru_cache(maxsize=8_192)
def take_apart(title: str) -> Name:
    """The parts of a title.

    >>> name = take_apart("Abbey Road (Remastered 2009)")
    >>> name.folded, name.core, name.editions, name.performances
    ('abbey road remastered 2009', 'abbey road', frozenset({'remaster'}), frozenset())
    >>> take_apart("Memories - Dillon Francis Remix").performances, take_apart("GUTS (spilled)").asides
    (frozenset({'remix'}), frozenset({'spilled'}))
    """
    text, parts = squeeze(repair(title)), _Parts()
    tailless, core = _core(text, parts)
    folded = fold_name(text)
    full = fold_name(_without_tails(_STRAY.sub(" ", _BRACKETS.sub(_kept, text)), _Parts(), only_editions=True))
    if not core:  # brackets alone: they are the name ("(Pronounced 'Lĕh-'nérd …)")
        return Name(folded, full or folded, editions=frozenset(parts.editions if full else ()), full=full or folded)
    split = _SUBTITLE.match(core)
    if split and NO_SUBTITLE.search(fold(split[2])):
        split = None
    return Name(
        folded,
        fold_name(core),
        asides=frozenset(parts.asides),
        editions=frozenset(parts.editions),
        performances=frozenset(parts.performances),
        cuts=frozenset(parts.cuts),
        has_guests=parts.has_guests or core != tailless,
        full=full,
        said=frozenset(found_in(PERFORMANCES, text)),
        main=fold_name(split[1]) if split else "",
        subtitle=fold(split[2]) if split else "",
    )


def _bracket(match: re.Match[str], parts: _Parts) -> str:
    words = next((w for w in match.groups() if w is not None), "")
    if parts.take(words):
        return ""
    if OF_THE_TITLE.search(words) or not any(c.isalnum() for c in words):
        return match.group(0)
    parts.asides.add(fold(words))
    return " "


def _kept(match: re.Match[str]) -> str:
    """A bracket, unless it says nothing but an edition or guests."""
    parts = _Parts()
    words = next((w for w in match.groups() if w is not None), "")
    return "" if parts.take(words) and not parts.performances else match.group(0)


def _without_tails(text: str, parts: _Parts, *, only_editions: bool = False) -> str:
    text = text.strip()
    while tail := _tail(text):
        said = _Parts()
        if not said.take(tail[2]) or (only_editions and said.performances):
            break
        if tail.re is _AFTER_COLON and said.performances and not (_LIVE.match(tail[2]) or not without_kinds(tail[2])):
            break  # "Awesome Mix" is a name
        if tail.re is not BARE and said.editions and not said.performances and not _is_surely_an_edition(tail[2]):
            break
        parts.take(tail[2])
        text = tail[1].strip()
    return text


def _is_surely_an_edition(words: str) -> bool:
    return any(found_in(EDITIONS, HARDLY_AN_EDITION.sub(" ", words)))


def _tail(text: str) -> re.Match[str] | None:
    return _DASHED.match(text) or BARE.match(text) or _AFTER_COLON.match(text)


def is_common(title: str, artist: str) -> bool:
    """Whether one artist has several albums of such a name: self-titled ones, collections, live ones.

    >>> is_common("Weezer (Green Album)", "Weezer"), is_common("Greatest Hits", "Queen"), is_common("Hunky Dory", "David Bowie")
    (True, True, False)
    """
    core = take_apart(title).core
    return core == fold_name(artist) or COMMON.fullmatch(core) is not None


def without_artist(title: str, artist: str) -> str:
    """A title without the artist written before it, and the artist's name for one that only says that it is self-titled.

    >>> without_artist("The Beatles - Abbey Road", "Beatles"), without_artist("s/t", "Blur")
    ('Abbey Road', 'Blur')
    """
    folded, by = fold(title), fold_name(artist)
    if folded in SELF_TITLED:
        return artist
    if fold_name(first := _FIRST.sub("", title)) == by:
        return first
    name = re.escape(_THE.sub("", artist))
    before = re.match(rf"(?:the\s+)?{name}(\s*[:,]\s|\s+[-–—]\s|\s*/\s*|\s+)\s*([^\s([].*)$", title, re.IGNORECASE)
    rest = before[2] if before else ""
    if after := re.match(rf"(.*\S)\s+by\s+(?:the\s+)?{name}$", title, re.IGNORECASE):
        rest = after[1]
    return rest if rest and take_apart(rest).core else title


def in_latin(title: str) -> str:
    """What a title of two scripts says in Latin letters, if that is a name of its own; else the title.

    >>> in_latin("화양연화 The Most Beautiful Moment In Life, Pt. 1"), in_latin("1 사랑")
    ('The Most Beautiful Moment In Life, Pt. 1', '1 사랑')
    """
    text = squeeze(repair(title))
    if text.isascii() or is_latin(text):
        return title
    words = [w for w in text.split() if is_latin(w)]
    return " ".join(words) if sum(any(c.isalpha() for c in w) for w in words) > 1 else title
