"""Listeners' tastes: profile, recommendations, what to ingest next, comparison; for public listeners and histories alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from backend.cache import Cache, digest, remember
from backend.models.ingestion_models import RightsLevel
from backend.models.tastes import By, CatalogueFigures, ListenerRef
from backend.repositories.tastes import Tastes
from backend.services.taste_engine import TasteEngine, Wish
from backend.services.taste_picks import heard_of, seeds_of, shown, weights_of
from backend.services.taste_reading import Reading, TasteReader, by_artist
from backend.services.taste_wanted import lacking
from backend.services.user_service import Period
from backend.services.worker_threads import WorkerThreads
from backend.utils.errors import InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from backend.features.taste.likeness import Side

MOST_RECOMMENDED: Final = 50
MOST_WANTED: Final = 500
_PER_ARTIST: Final = 2


class TasteService:
    """Answers of tastes.

    Args:
        reader: reads listeners.
        tastes: what the catalogue has.
        engine: finds tracks near others.
        cache: where figures of the whole catalogue are kept, never those of a listener.
        ttl: seconds they are kept.
        threads: for what is computed.
    """

    def __init__(
        self,
        reader: TasteReader,
        tastes: Tastes,
        *,
        engine: TasteEngine,
        cache: Cache,
        ttl: float,
        threads: WorkerThreads,
    ) -> None:
        self._reader = reader
        self._tastes = tastes
        self._engine = engine
        self._cache = cache
        self._ttl = ttl
        self._threads = threads

    async def profile(
        self,
        listener: ListenerRef,
        *,
        period: Period = "overall",
        by: By = By.YEAR,
        rights: RightsLevel = RightsLevel.ANY,
    ) -> dict[str, Any]:
        """What a listener's taste is, as far as the catalogue knows what he plays (docs/listening.md has the formulas).

        Args:
            listener: who.
            period: plays of which time, of a public listener.
            by: how finely the drift of a history is told.
            rights: whose values of the catalogue.

        Raises:
            NotFoundError: nothing is stored of him, or he has played nothing.
            SourceError: the provider does not say.
            InvalidInputError: what is played may not be shown at this level of rights.
        """
        read = await self._reader.read(listener, period=period, by=by, rights=rights, windows=True)
        figures = await self._figures(rights)
        artists = await self._tastes.tracks_of_artists(sorted({t.artist_key for t in read.tracks}), rights)
        played = {a.key for a in read.heard.artists if read.whole in {None, a.period}}

        def compute() -> dict[str, Any]:
            from backend.features.taste.profile import profile

            taste = read.taste()
            return {**profile(taste, figures, artists), "drift": taste.drift()}

        found = await self._threads.run(compute)
        coverage = found["coverage"]
        return {
            "user": listener.name,
            "source": listener.source,
            "rights": {"catalogue": rights, "listener": read.heard.rights},
            "period": period,
            "artists_played": len(played),
            "artists_known": len(played & artists.keys()),
            "plays_known_share": coverage["artist_share"],
            "tracks_known": len(read.tracks),
            "synthetic": any(track.synthetic for track in read.tracks),
            **found,
            "drift_by": "windows" if read.heard.nested else by,
        }

    async def recommendations(
        self,
        listener: ListenerRef,
        *,
        k: int = 10,
        period: Period = "overall",
        include_heard: bool = False,
        rights: RightsLevel = RightsLevel.ANY,
    ) -> dict[str, Any]:
        """Tracks that fit a listener's taste: by artists he plays, and by others; what he has heard is left out.

        Args:
            listener: who.
            k: how many of each, 1 to 50.
            period: the taste of which time, of a public listener.
            include_heard: whether familiar ones may have been heard; new ones never have.
            rights: whose values of the catalogue.

        Raises:
            NotFoundError: nothing is known of him, or the catalogue has nothing that he plays.
            SourceError: the provider does not say.
            InvalidInputError: k or the level of rights is not allowed.
        """
        if not 1 <= k <= MOST_RECOMMENDED:
            raise InvalidInputError(f"k={k} is not allowed; ask for 1 to {MOST_RECOMMENDED} tracks of each kind")
        read = await self._reader.read(listener, period=period, rights=rights)
        weights, plays = await self._threads.run(lambda: weights_of(read))
        seeds = seeds_of(read.tracks, weights)
        if not seeds:
            raise NotFoundError(
                f"The catalogue has nothing of what {listener.name!r} plays; ingest some of it first: "
                "`tensoe listener wanted` lists what is missing, the most played first"
            )
        heard = heard_of(read, plays)
        familiar, new = await self._engine.near(
            Wish(
                seeds=seeds,
                known_artists=frozenset(a.key for a in read.heard.artists) | {t.artist_key for t in read.heard.tracks},
                left_out=frozenset() if include_heard else heard,
                k=k,
                per_artist=_PER_ARTIST,
                rights=rights,
            )
        )
        of_seed = {track.id: track for track in read.tracks if track.id in seeds}
        familiar_rows, new_rows = (
            [
                shown(near, of_seed[near.because], plays=plays.get(near.because, 0), heard=near.card["id"] in heard)
                for near in found
            ]
            for found in (familiar, [near for near in new if near.card["id"] not in heard])
        )
        return {
            "user": listener.name,
            "source": listener.source,
            "rights": {"catalogue": rights, "listener": read.heard.rights},
            "period": period,
            "seeds": len(seeds),
            "familiar": familiar_rows,
            "new": new_rows,
        }

    async def wanted(self, listener: ListenerRef, *, limit: int = 50, period: Period = "overall") -> dict[str, Any]:
        """What a listener plays and the catalogue lacks: albums and artists, the most played first.

        Args:
            listener: who.
            limit: how many albums and how many artists at most, 1 to 500.
            period: plays of which time, of a public listener.

        Returns:
            Beside them `batch`: the albums as `POST /ml/ingest/batch` takes them.

        Raises:
            NotFoundError: nothing is known of him.
            SourceError: the provider does not say.
            InvalidInputError: the limit is not allowed.
        """
        if not 1 <= limit <= MOST_WANTED:
            raise InvalidInputError(f"limit={limit} is not allowed; ask for 1 to {MOST_WANTED}")
        heard = await self._reader.heard(listener, period=period)
        albums = await self._reader.albums(listener, period=period)
        stored = await self._tastes.albums_of(sorted({a.key for a in heard.artists} | {a.artist_key for a in albums}))
        return {
            "user": listener.name,
            "source": listener.source,
            **lacking(albums, by_artist(heard), stored=stored, limit=limit),
        }

    async def compare(
        self,
        one: ListenerRef,
        other: ListenerRef,
        *,
        period: Period = "overall",
        rights: RightsLevel = RightsLevel.ANY,
    ) -> dict[str, Any]:
        """What two listeners have in common, and what each could show the other (`features.taste.likeness` has the formula).

        Raises:
            NotFoundError: nothing is known of one of them.
            SourceError: a provider does not say.
            InvalidInputError: what is played may not be shown at this level of rights, or both are the same.
        """
        if one == other:
            raise InvalidInputError(f"{one.name!r} is compared with himself; name two listeners")
        read = [await self._reader.read(ref, period=period, rights=rights) for ref in (one, other)]

        def compute() -> dict[str, Any]:
            from backend.features.taste.likeness import compare

            return compare(_side(read[0]), _side(read[1]))

        return {
            "user": one.name,
            "source": one.source,
            "other": other.name,
            "other_source": other.source,
            "rights": {
                "catalogue": rights,
                "listener": read[0].heard.rights,
                "other": read[1].heard.rights,
            },
            **await self._threads.run(compute),
        }

    async def _figures(self, rights: RightsLevel) -> CatalogueFigures:
        async def compute() -> bytes:
            return orjson.dumps(await self._tastes.figures(rights), option=orjson.OPT_NON_STR_KEYS)

        key = digest("taste.figures", {"rights": rights})
        found = orjson.loads(await remember(self._cache, "catalogue", key, ttl=self._ttl, compute=compute))
        return CatalogueFigures(**{**found, "popularity": {int(v): n for v, n in found["popularity"].items()}})


def _side(reading: Reading) -> Side:
    from backend.features.taste.likeness import Side

    plays, names = reading.by_artist()
    tags: dict[str, dict[str, float]] = {}
    for track in reading.tracks:
        of = tags.setdefault(track.artist_key, {})
        for genre in track.genres:
            of[genre] = of.get(genre, 0.0) + 1
    return Side(artists=plays, names=names, genres=reading.taste().shares("genres"), genres_of=tags)
