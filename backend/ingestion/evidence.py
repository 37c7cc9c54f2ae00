"""What tells two albums apart, each way by name and weight: names, year, track count, track titles, durations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from backend.ingestion.alignment import align
from backend.ingestion.artists import artist_difference
from backend.ingestion.penalties import WEIGHTS, title_penalties, weigh
from backend.ingestion.titles import in_latin, is_common, take_apart, without_artist
from backend.ingestion.works import composers, is_same_work, read_work, without_catalogue
from backend.models.ingestion_models import TrackRecord
from backend.utils.text import fold_name

_SAME_SECONDS: Final = 5.0  # of one recording between services, on an album seen as a whole
_FEWEST: Final = 4  # tracks that say something of a whole album
_FEWEST_IN_STEP: Final = 5  # durations in a row that don't agree by chance
_IN_STEP: Final = 0.85  # of the tracks …
_IN_STEP_SECONDS: Final = 2.0  # … that differ no more than this
_MOST_ALIGNED: Final = 0.75
_A_SINGLE: Final = 2  # tracks at most
_A_LONG_ONE: Final = 6  # tracks at least
_TRUST: Final = 0.4  # what is left of the names' penalties when the track lists agree
_FOR_COMMON_TITLES: Final = 4.0  # by which the artists must agree better
_COMPOSER_IN_TITLE: Final = 0.1
_SAME_TITLE: Final = 0.3
_FEW_WORDS: Final = 2
_SIGNS: Final = {
    "+": "plus", "÷": "divide", "×": "multiply", "x": "multiply", "=": "equals", "-": "subtract",
    "−": "subtract", "?": "question mark", "!": "exclamation mark", "∞": "infinity", "♥": "heart", "π": "pi", "★": "blackstar",
}  # fmt: skip
_SUBTITLE_OF_ONE_YEAR: Final = 0.5
_DOUBTFUL: Final = frozenset({"aside", "subtitle", "soundtrack"})  # names that leave open which album it is
_TO_CHOOSE_FROM: Final = {"subtitle": 0.6, "year_of_common_title": 0.55}
_REISSUED: Final = frozenset({"remaster", "deluxe", "format", "market"})  # at any time later
_NAMES: Final = frozenset({"artist", "title", "aside", "edition"})


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an album; None and empty mean: not known."""

    artist: str
    title: str
    year: int | None = None
    total_tracks: int | None = None
    tracks: Sequence[TrackRecord] = ()


@dataclass(frozen=True, slots=True)
class _Lists:
    """Two track lists laid onto each other; shares are 0..1, None where nothing can be said."""

    aligned: float | None  # of the shorter list
    close: float | None  # of those aligned whose durations are known

    @property
    def agree(self) -> bool:
        return (self.aligned or 0.0) >= 0.8 and (self.close or 0.0) >= 0.8


def album_penalties(one: Facts, other: Facts, *, offered: bool = False) -> dict[str, float]:
    """Each way in which two albums differ, weighted; 1.0 in all at most.

    Args:
        one: what is wanted, or known.
        other: what is offered, or found.
        offered: of names to choose from: a missing subtitle and another year count less, since the right one is likely there.
    """
    lists = _lists(one.tracks, other.tracks)
    found = {name: WEIGHTS[name] * value for name, value in _penalties(one, other, lists) if value}
    if offered:
        found = {name: value * _TO_CHOOSE_FROM.get(name, 1.0) for name, value in found.items()}
    if lists.agree:
        found = {name: value * (_TRUST if name in _NAMES else 1.0) for name, value in found.items()}
    total = sum(found.values())
    weighed = {name: round(value / max(1.0, total), 4) for name, value in found.items()}
    if (excess := round(sum(weighed.values()) - 1.0, 4)) > 0:  # by rounding
        weighed[max(weighed, key=weighed.__getitem__)] -= excess
    return weighed


def score_of(penalties: Mapping[str, float]) -> float:
    """How near they are: 1 without penalties, 0 at worst."""
    return max(0.0, round(1.0 - sum(penalties.values()), 4))


def _penalties(one: Facts, other: Facts, lists: _Lists) -> Iterator[tuple[str, float]]:
    common = is_common(one.title, one.artist) and is_common(other.title, other.artist)
    self_titled = fold_name(one.artist) in {take_apart(one.title).core, take_apart(other.title).core}
    yield "artist", _artists(one, other) * (_FOR_COMMON_TITLES if common and not self_titled else 1.0)
    titles = _titles(one, other)
    if one.year and other.year and abs(one.year - other.year) <= 1 and "subtitle" in titles:
        titles["subtitle"] = _SUBTITLE_OF_ONE_YEAR
    yield from titles.items()
    if one.year and other.year and (years := abs(one.year - other.year)) > 1:
        # A reissue bears its own year; but of two self-titled albums the year tells which.
        is_reissue = not _REISSUED.isdisjoint(take_apart(one.title).editions | take_apart(other.title).editions)
        in_doubt = ((common and not is_reissue) or not _DOUBTFUL.isdisjoint(titles)) and not lists.agree
        yield ("year_of_common_title", 1.0) if in_doubt else ("year", min(1.0, years / 5))
    if one.total_tracks and other.total_tracks and one.total_tracks != other.total_tracks:
        shorter, longer = sorted((one.total_tracks, other.total_tracks))
        is_single = shorter <= _A_SINGLE and longer >= _A_LONG_ONE
        yield ("single", 1.0) if is_single else ("tracks", 1.0 - shorter / longer)
    if lists.aligned is not None:
        yield "track_titles", _falling(lists.aligned, good=_MOST_ALIGNED, bad=0.34)
    if lists.close is not None:
        yield "durations", _falling(lists.close, good=0.7, bad=0.2)


def _artists(one: Facts, other: Facts) -> float:
    apart = artist_difference(one.artist, other.artist)
    # Players alone are credited; the composer stands in the title.
    is_composer = composers(one.artist) & composers(other.title) or composers(other.artist) & composers(one.title)
    return min(apart, _COMPOSER_IN_TITLE) if is_composer else apart


def _titles(one: Facts, other: Facts) -> dict[str, float]:
    """What the titles differ in, read in the way that favours them most."""
    works = read_work(one.title), read_work(other.title)
    named = composers(f"{one.artist} {one.title}"), composers(f"{other.artist} {other.title}")
    if all(named) and not named[0] & named[1]:
        return {"title": 1.0}
    if works[0] and works[1] and not is_same_work(works[0], works[1]):
        return {"title": 0.7}
    found = dict(title_penalties(take_apart(one.title), take_apart(other.title)))
    # Other readings cost time, and help only where the titles seem to be others.
    if found.get("title", 0.0) > _SAME_TITLE or not _DOUBTFUL.isdisjoint(found):
        found = min(_readings_of_both(one, other), key=weigh, default={"title": 1.0})
    a, b = take_apart(one.title), take_apart(other.title)
    if a.has_guests != b.has_guests:
        found["single"] = 1.0
    if "soundtrack" in a.editions ^ b.editions:
        found["soundtrack"] = 1.0
    return found


def _readings_of_both(one: Facts, other: Facts) -> Iterator[dict[str, float]]:
    # "Queen: On Air" is not "Queen" with a subtitle.
    mains = {take_apart(album.title).main for album in (one, other)}
    is_artist = bool(mains & {fold_name(one.artist), fold_name(other.artist)})
    for a, cost in _readings(one):
        for b, other_cost in _readings(other):
            found = title_penalties(take_apart(a), take_apart(b))
            if not (cost and other_cost) and not (is_artist and "subtitle" in found):
                yield _sum(found, cost or other_cost)


def _sum(penalties: Mapping[str, float], cost: Mapping[str, float]) -> dict[str, float]:
    return {name: min(1.0, penalties.get(name, 0.0) + cost.get(name, 0.0)) for name in {**penalties, **cost}}


def _readings(album: Facts) -> Iterator[tuple[str, dict[str, float]]]:
    """A title as it stands, without its artist, and, of a self-titled one, by its byname alone ("Blue Album")."""
    yield album.title, {}
    title = without_artist(album.title, album.artist)
    if title != album.title:
        is_set_off = len(title.split()) > _FEW_WORDS or ":" in album.title or " - " in album.title
        yield title, {} if is_set_off else {"title": 0.1}
    if composers(f"{album.artist} {album.title}"):
        yield without_catalogue(album.title), {"edition": 0.1}
    if (rest := _bracket_with(album.artist).sub(" ", album.title)) != album.title:
        yield rest, {"aside": 0.3}
    if (latin := in_latin(album.title)) != album.title:
        yield latin, {}
    name = take_apart(title)
    if name.core == fold_name(album.artist) and len(name.asides) == 1:
        yield next(iter(name.asides)), {"aside": 0.4}
    yield from ((aside, {"aside": 1.0}) for aside in name.asides if len(aside.split()) > 1 and not name.performances)
    if sign := _SIGNS.get(name.core):
        yield sign, {}


@lru_cache(maxsize=4_096)
def _bracket_with(artist: str) -> re.Pattern[str]:
    """A bracket that names the artist again ("Document (R.E.M. No. 5)")."""
    return re.compile(rf"\s*[(\[][^()\[\]]*{re.escape(artist) or '$^'}[^()\[\]]*[)\]]", re.IGNORECASE)


def _falling(share: float, *, good: float, bad: float) -> float:
    return min(1.0, max(0.0, (good - share) / (good - bad)))


def _lists(one: Sequence[TrackRecord], other: Sequence[TrackRecord]) -> _Lists:
    shorter = min(len(one), len(other))
    if shorter < _FEWEST:
        return _Lists(None, None)
    pairs = align(one, other)
    apart = [s for j, i in pairs.items() if (s := _seconds(one[i], other[j])) is not None]
    close = sum(s <= _SAME_SECONDS for s in apart) / len(apart) if len(apart) >= _FEWEST else None
    aligned = len(pairs) / shorter
    if aligned >= _MOST_ALIGNED:
        return _Lists(aligned, close)
    # Titles in two scripts say nothing against each other; in two languages, as long as the seconds do not speak for them.
    two_scripts = _is_latin(one) != _is_latin(other)
    if _in_step(one, other, fewest=_FEWEST_IN_STEP if two_scripts else 2 * _FEWEST):
        return _Lists(1.0, 1.0)
    return _Lists(None if two_scripts else aligned, close)


def _in_step(one: Sequence[TrackRecord], other: Sequence[TrackRecord], *, fewest: int) -> bool:
    """Whether two lists of one length run alike second by second, which never happens by chance."""
    if len(one) != len(other) or len(one) < fewest or len({t.duration_ms for t in one}) < fewest:
        return False
    apart = [_seconds(a, b) for a, b in zip(_sorted(one), _sorted(other), strict=True)]
    return sum(s is not None and s <= _IN_STEP_SECONDS for s in apart) >= _IN_STEP * len(apart)


def _sorted(tracks: Sequence[TrackRecord]) -> list[TrackRecord]:
    return sorted(tracks, key=lambda t: (t.disc_number, t.track_number or 0))


def _seconds(one: TrackRecord, other: TrackRecord) -> float | None:
    if not one.duration_ms or not other.duration_ms:
        return None
    return abs(one.duration_ms - other.duration_ms) / 1000


def _is_latin(tracks: Sequence[TrackRecord]) -> bool:
    return sum(fold_name(t.title).isascii() for t in tracks) * 2 > len(tracks)
