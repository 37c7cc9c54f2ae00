"""What tells two albums apart, each way by name and weight: names, year, track count, track titles, durations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from backend.ingestion.artists import artist_difference
from backend.ingestion.distance import A_TYPO
from backend.ingestion.penalties import WEIGHTS, title_penalties, weigh
from backend.ingestion.titles import in_latin, is_common, take_apart, without_artist
from backend.ingestion.track_lists import MOST_ALIGNED, Lists, lay_together
from backend.ingestion.works import composers, is_same_work, read_work, without_catalogue
from backend.models.ingestion_models import TrackRecord
from backend.utils.text import fold_name

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
_FEWEST_YEARS: Final = 10  # after which an album is given out once more for its age
_IN_BRACKETS: Final = re.compile(r"[(\[]((?:19|20)\d\d)[)\]]")
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


def album_penalties(one: Facts, other: Facts, *, offered: bool = False) -> dict[str, float]:
    """Each way in which two albums differ, weighted; 1.0 in all at most.

    Args:
        one: what is wanted, or known.
        other: what is offered, or found.
        offered: of names to choose from: a missing subtitle and another year count less, since the right one is likely there.
    """
    lists = lay_together(one.tracks, other.tracks)
    found = {name: WEIGHTS[name] * value for name, value in _penalties(one, other, lists) if value}
    if offered:
        found = {name: value * _TO_CHOOSE_FROM.get(name, 1.0) for name, value in found.items()}
    if lists.agree:
        # Nobody plays a whole album twice to the second: "(Live)" is then said of one that never was anything else.
        names = _NAMES | {"performance"} if _differ_in_live_alone(one.title, other.title) else _NAMES
        found = {name: value * (_TRUST if name in names else 1.0) for name, value in found.items()}
    total = sum(found.values())
    weighed = {name: round(value / max(1.0, total), 4) for name, value in found.items()}
    if (excess := round(sum(weighed.values()) - 1.0, 4)) > 0:  # by rounding
        weighed[max(weighed, key=weighed.__getitem__)] -= excess
    return weighed


def score_of(penalties: Mapping[str, float]) -> float:
    """How near they are: 1 without penalties, 0 at worst."""
    return max(0.0, round(1.0 - sum(penalties.values()), 4))


def _penalties(one: Facts, other: Facts, lists: Lists) -> Iterator[tuple[str, float]]:
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
        left_open = common + _leaves_open(titles, one.title, other.title)
        in_doubt = left_open > is_reissue and not lists.agree
        yield ("year_of_common_title", 1.0) if in_doubt else ("year", min(1.0, years / 5))
    if one.total_tracks and other.total_tracks and one.total_tracks != other.total_tracks:
        shorter, longer = sorted((one.total_tracks, other.total_tracks))
        is_single = shorter <= _A_SINGLE and longer >= _A_LONG_ONE
        yield ("single", 1.0) if is_single else ("tracks", 1.0 - shorter / longer)
    if lists.aligned is not None:
        yield "track_titles", _falling(lists.aligned, good=MOST_ALIGNED, bad=0.34)
    if lists.close is not None:
        yield "durations", _falling(lists.close, good=0.7, bad=0.2)


def _leaves_open(titles: Mapping[str, float], one: str, other: str) -> bool:
    """Whether names may be those of two albums: a part that only one has, or a single word that differs by a letter."""
    is_one_word = not any(" " in take_apart(title).core for title in (one, other))
    return not _DOUBTFUL.isdisjoint(titles) or (is_one_word and titles.get("title", 0.0) >= A_TYPO)


def _differ_in_live_alone(one: str, other: str) -> bool:
    return take_apart(one).performances ^ take_apart(other).performances == {"live"}


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
    if _is_jubilee(one, other) or _is_jubilee(other, one):
        found = {"edition": 0.6}
    if named[0] and _differ(*({m[1] for m in _IN_BRACKETS.finditer(album.title)} for album in (one, other))):
        found["performance"] = 1.0  # Gould's "Goldberg Variations (1955)" and "(1981)"
    a, b = take_apart(one.title), take_apart(other.title)
    if a.has_guests != b.has_guests:
        found["single"] = 1.0
    if "soundtrack" in a.editions ^ b.editions:
        found["soundtrack"] = 1.0
    return found


def _is_jubilee(one: Facts, other: Facts) -> bool:
    """Whether the other's title adds but a year: its age as a reissue ("Thriller 40") or its own ("Substance 1987")."""
    if not one.year or not other.year:
        return False
    core, years = take_apart(one.title).core, other.year - one.year
    added = (
        (years - 1, years, years + 1) if years >= _FEWEST_YEARS else (one.year, other.year) if abs(years) <= 1 else ()
    )
    return take_apart(other.title).core in {f"{core} {n}" for n in added}


def _differ(one: set[str], other: set[str]) -> bool:
    return bool(one) and bool(other) and not one & other


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
