"""Answers to all ways of asking, out of an index; blocking. `AskingService` gives them over HTTP, `discovery` in Python.

Imports Arrow, so it is imported where it is used, not at start-up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Final

import numpy as np

from backend.features.columns import Flags
from backend.features.discovery import naming, path
from backend.features.discovery.asking import Asked, Question, asked
from backend.features.discovery.choosing import Taste
from backend.features.discovery.index import DiscoveryIndex
from backend.features.discovery.songs import Codes
from backend.features.discovery.wish_parser import LONGEST, parse
from backend.features.discovery.wish_scores import Fit
from backend.features.discovery.wish_scores import reasons as wish_reasons
from backend.features.discovery.wishes import Place, Understood, Wish, told
from backend.models.discovery import Ask, ListedTrack, Seeds
from backend.models.results import TrackFilter
from backend.services.discovery_service import allowed_k, cap, share, shown
from backend.services.emptiness import Fitting, Mask, require_some
from backend.services.wish_vocabulary import vocabulary_of
from backend.utils.errors import InvalidInputError

_FITS: Final = 0.999  # from which on a track fits a wish wholly
_MOST_SEEDS: Final = 10_000  # tracks that a question is made of


def discover(index: DiscoveryIndex, ask: Ask, track_filter: TrackFilter, *, fitting: Fitting) -> dict[str, Any]:
    """Tracks that fit a question best.

    Returns:
        `understood`: of each wish its `text`, what it was `read_as`, whether it is a `must`, its `weight`, and how many `tracks`
        of the catalogue fit it wholly; `not_understood`: other words, with `suggestions`; `fitting`: how many tracks the filters
        and musts leave; `count`; `data`: see `discovery_service.shown`.

    Raises:
        NotFoundError: a track, album or artist is not there, the catalogue is empty, or the filters leave nothing (named).
        InvalidInputError: nothing is asked for or understood, or a number is not allowed.
    """
    taste = Taste(k=allowed_k(ask.k), per_artist=cap(ask.per_artist), diversity=share(ask.diversity))
    require_some(index, {}, track_filter=track_filter, fitting=fitting)
    plus, minus = (_rows(index, seeds) for seeds in (ask.like, ask.unlike))
    understood = _understood(index, ask, has_seeds=bool(len(plus)))
    question = Question(plus=plus, minus=minus, wishes=understood.wishes, emphasis=ask.emphasis)
    made = asked(index, question)
    allowed, fit = _allowed(index, made, track_filter, fitting=fitting)
    picks = index.ask(made.query, taste, allowed=allowed)
    rows = shown(index, picks)
    for row, pick in zip(rows, picks, strict=True):
        row["reasons"] = _reasons(index, pick.row, made.fits, row["reasons"], has_seeds=bool(len(plus)))
    return {
        "understood": [_told(one, index) for one in made.fits],
        "not_understood": [{"text": u.text, "suggestions": list(u.suggestions)} for u in understood.unclear],
        "fitting": fit,
        "count": len(rows),
        "data": rows,
    }


def continued(
    index: DiscoveryIndex, tracks: Sequence[ListedTrack], ask: Ask, track_filter: TrackFilter, *, fitting: Fitting
) -> dict[str, Any]:
    """Tracks that go on with a list, by the weights that were learnt on playlists.

    Returns:
        `matched`: ids of the list's tracks that the catalogue has; `unmatched`: of the others `place` (from 0), `name`, `why`;
        and as `discover`.

    Raises:
        NotFoundError: nothing is left (see `discover`).
        InvalidInputError: none of the list's tracks is in the catalogue, or a number is not allowed.
    """
    require_some(index, {}, track_filter=track_filter, fitting=fitting)
    found = naming.match(index, [naming.Named(id=t.id, artist=t.artist, title=t.title) for t in tracks])
    if not found.rows:
        first = found.unmatched[0]
        raise InvalidInputError(
            f"None of the {len(tracks):,} tracks is in the catalogue (the first, {first.name!r}: {first.why}); "
            "ingest their albums"
        )
    ids = tuple(index.rows.names(found.rows))
    answer = discover(index, replace(ask, like=Seeds(tracks=ids)), track_filter, fitting=fitting)
    return {"matched": list(ids), "unmatched": [asdict(u) for u in found.unmatched], **answer}


def way(
    index: DiscoveryIndex, start: str, end: str, *, steps: int, track_filter: TrackFilter, fitting: Fitting
) -> dict[str, Any]:
    """A way from one track to another (see `features.discovery.path`).

    Returns:
        `count`; `smoothness`: see `path.Smoothness`; `data`: the steps, as `discovery_service.shown`, each compared with the one
        before (the first with itself), with `place` along the way and `distance` from the one before.

    Raises:
        NotFoundError: no track has one of the ids, or the filters leave nothing.
        InvalidInputError: there is no such way.
    """
    require_some(index, {}, track_filter=track_filter, fitting=fitting)
    rows = [index.rows.find(track_id) for track_id in (start, end)]
    found = path.find(index, *rows, steps=steps, allowed=fitting(index, track_filter))
    data = shown(index, found.steps)
    for n, row in enumerate(data):
        row |= {"place": found.places[n], "distance": found.distances[n]}
    data[0]["reasons"] = ["the track to start from"]
    return {"count": len(data), "smoothness": asdict(found.smoothness), "data": data}


def _rows(index: DiscoveryIndex, seeds: Seeds) -> list[int]:
    """The rows of tracks, albums and artists, each once.

    Raises:
        NotFoundError: one of them is not there.
        InvalidInputError: they are too many.
    """
    found: list[Codes] = [np.array([index.rows.find(track_id)]) for track_id in seeds.tracks]
    found += [naming.of_album(index, album_id) for album_id in seeds.albums]
    found += [naming.of_artist(index, name) for name in seeds.artists]
    rows = list(dict.fromkeys(np.concatenate(found).tolist())) if found else []
    if len(rows) > _MOST_SEEDS:
        raise InvalidInputError(f"These are {len(rows):,} tracks; {_MOST_SEEDS:,} can be asked with at once")
    return rows


def _understood(index: DiscoveryIndex, ask: Ask, *, has_seeds: bool) -> Understood:
    """The wishes of a question.

    Raises:
        InvalidInputError: the text is too long, or nothing of it was understood and nothing else is asked for.
    """
    if len(ask.wish) > LONGEST:
        raise InvalidInputError(f"The wish has {len(ask.wish):,} characters; {LONGEST} are the most")
    found = parse(ask.wish, vocabulary_of(index)) if ask.wish.strip() else Understood()
    wishes = [_strict(wish, ask.strict) for wish in found.wishes]
    if ask.point is not None:
        if not all(-1 <= number <= 1 for number in ask.point):
            raise InvalidInputError("Valence and arousal must be from -1 to 1 each")
        wishes.append(Wish(text="valence {:g}, arousal {:g}".format(*ask.point), meaning=Place(*ask.point)))
    if found.unclear and not wishes and not has_seeds:
        said = "; ".join(
            f"{u.text!r}" + (f" (did you mean {', '.join(u.suggestions)}?)" if u.suggestions else "")
            for u in found.unclear[:5]
        )
        raise InvalidInputError(
            f"Nothing was understood of {said}; write things like 120-130 bpm, acoustic, melancholic, jazz, 1970s, obscure"
        )
    return replace(found, wishes=wishes)


def _strict(wish: Wish, strict: bool | None) -> Wish:
    return wish if strict is None else replace(wish, hard=strict)


def _allowed(
    index: DiscoveryIndex, made: Asked, track_filter: TrackFilter, *, fitting: Fitting
) -> tuple[Flags | None, int]:
    """Which rows may be answered, None for all, and how many these are.

    Raises:
        NotFoundError: none; the message names what empties the list.
    """
    musts: Mapping[str, Mask] = {text: Mask.of(flags) for text, flags in made.allowed().items()}
    left = require_some(index, musts, track_filter=track_filter, fitting=fitting)
    plain = track_filter == TrackFilter(rights=track_filter.rights)
    return (None if plain and not musts else left), int(np.count_nonzero(left))


def _told(one: Fit, index: DiscoveryIndex) -> dict[str, Any]:
    wholly = (one.allowed if one.wish.hard else one.fits >= _FITS) & index.rows.alive
    return {
        "text": one.wish.text,
        "read_as": told(one.wish),
        "must": one.wish.hard,
        "weight": one.wish.weight,
        "tracks": int(np.count_nonzero(wholly)),
    }


def _reasons(
    index: DiscoveryIndex, row: int, fits: Sequence[Fit], by_likeness: Sequence[str], *, has_seeds: bool
) -> list[str]:
    """The wishes first, then what it has in common with the nearest given track."""
    wished = wish_reasons(index, row, fits)
    if has_seeds:
        return [*wished, *by_likeness]
    return wished or ["it is the nearest that there is to what was wished for"]
