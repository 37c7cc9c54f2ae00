"""A catalogue, ready to be asked: what is like this, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
import pyarrow as pa

from backend.features.columns import TAGS, Flags, Floats, Values, lists
from backend.features.discovery.choosing import Candidates, Taste, choose
from backend.features.discovery.commonness import Commonness
from backend.features.discovery.comparing import NOTHING, Compared, Rarity
from backend.features.discovery.neighbours import EXACT_UP_TO, InvertedLists, largest
from backend.features.discovery.pick import Pick
from backend.features.discovery.query import Query, against, mean, shares
from backend.features.discovery.rows import TrackRows
from backend.features.discovery.songs import NOBODY, Codes
from backend.features.discovery.space import TrackSpace
from backend.features.discovery.weights import COMMONNESS, DEFAULT, GROUPS, Weights
from backend.features.multihot import counts
from backend.utils.errors import InvalidInputError

CONTRIBUTIONS: Final = (*GROUPS, COMMONNESS)
_DECIMALS: Final = 6  # of a score: equal tracks tie, whatever order sums were taken in
_FIRST: Final = 160  # candidates that are looked at before more are asked for
_QUESTIONS: Final = 256
_SEED: Final = 0
_LONE: Final = 2_000  # tracks of the given artists and albums at the most that are looked at besides the nearest


@dataclass(frozen=True, slots=True)
class DiscoveryIndex:
    """All tracks of a catalogue at one moment; never changes, `changed` makes the next one.

    Attributes:
        version: a name that no other state of an index has; whoever remembers what concerns its rows compares it.
        space: what was learnt.
        commonness: what is taken off tracks that are near to everything.
        rows: the tracks.
        base: n_base × (width + 1); the last number is what is taken off.
        tail: the same of tracks that came later.
        lists: over `base`, where it is large.
    """

    version: str
    space: TrackSpace
    commonness: Commonness
    rows: TrackRows
    base: Floats
    tail: Floats
    lists: InvertedLists | None
    rarity: Rarity

    @classmethod
    def build(
        cls,
        table: pa.Table,
        *,
        version: str = "",
        sittings: Sequence[Sequence[str]] = (),
        weights: Weights = DEFAULT,
        exact_up_to: int = EXACT_UP_TO,
    ) -> Self:
        """Learn from a catalogue and index it.

        Args:
            table: columns of `rows.READS`.
            version: see above.
            sittings: artists' keys of each playlist or sitting.
            weights: of each group.
            exact_up_to: more tracks than this get inverted lists.
        """
        table = table.sort_by("id")  # so that ties go by id
        space = TrackSpace.fit(table, sittings=sittings, weights=weights)
        vectors = space.vectors(table)
        commonness, taken = Commonness.fit(vectors)
        base = np.column_stack([vectors, taken]) if table.num_rows else np.zeros((0, space.width + 1), np.float32)
        lists = None
        if len(base) > exact_up_to:
            drawn = np.random.default_rng(_SEED).permutation(len(base))[:_QUESTIONS]
            lists = InvertedLists.build(base, _asked(base[drawn, :-1]))
        tail = np.zeros((0, base.shape[1]), np.float32)
        return cls(version, space, commonness, TrackRows.of(table), base, tail, lists, _rarity(table))

    def changed(self, table: pa.Table, *, removed: Iterable[str] = (), version: str = "") -> Self:
        """With tracks that are new or changed, and without some; what was learnt stays.

        Args:
            table: columns of `rows.READS`, of the new and changed tracks.
            removed: ids that are gone.
            version: of the next one.
        """
        vectors = self.space.vectors(table)
        added = np.column_stack([vectors, self.commonness.of(vectors)]) if table.num_rows else self.tail[:0]
        rows = self.rows.plus(TrackRows.of(table), removed)
        return replace(self, version=version, rows=rows, tail=np.concatenate([self.tail, added]))

    def __len__(self) -> int:
        return int(self.rows.alive.sum())

    def vectors(self, rows: Sequence[int] | Codes) -> Floats:
        """Of some rows, n × (width + 1)."""
        wanted = np.asarray(rows, np.int64)
        n = len(self.base)
        if not len(self.tail):
            return np.asarray(self.base[wanted])
        found = np.empty((len(wanted), self.base.shape[1]), np.float32)
        early = wanted < n
        found[early] = self.base[wanted[early]]
        found[~early] = self.tail[wanted[~early] - n]
        return found

    # -- questions -----------------------------------------------------------------------------------

    def like(self, plus: Sequence[int], *, minus: Sequence[int] = (), without: Iterable[str] = ()) -> Query:
        """Tracks like some, and not like others.

        Args:
            plus: rows that answers are to be like.
            minus: rows that they are not to be like.
            without: groups that are to count for nothing.

        Raises:
            InvalidInputError: there is no track to be like.
        """
        if not len(plus):
            raise InvalidInputError("Name at least one track that the answers are to be like")
        rows = self.rows
        vector = mean(self.vectors(plus)[:, :-1])
        artists, albums = shares(rows.artists[list(plus)]), shares(rows.albums[list(plus)])
        if len(minus):
            unlike = list(minus)
            vector = vector - 0.5 * mean(self.vectors(unlike)[:, :-1])
            artists = against(artists, shares(rows.artists[unlike]))
            albums = against(albums, shares(rows.albums[unlike]))
        query = Query(vector, artists, albums, seeds=tuple(plus), without=(*plus, *minus))
        return self.leaving_out(query, without)

    def leaving_out(self, query: Query, groups: Iterable[str]) -> Query:
        """The same question, for which some groups count for nothing.

        Raises:
            InvalidInputError: a name is no group.
        """
        wanted = set(groups)
        if wanted - set(GROUPS):
            raise InvalidInputError(
                f"{', '.join(sorted(wanted - set(GROUPS)))}: no groups; there are {', '.join(GROUPS)}"
            )
        vector = query.vector.copy()
        for group, part in self.space.slices.items():
            if group in wanted:
                vector[part] = 0
        return replace(
            query,
            vector=vector,
            artists={} if "artist" in wanted else query.artists,
            albums={} if "album" in wanted else query.albums,
        )

    def ask(self, query: Query, taste: Taste, *, allowed: Flags | None = None) -> list[Pick]:
        """The tracks that fit best, best first, ties by id, each with why; only those with something in common.

        Args:
            query: what is asked for.
            taste: how many, and how varied.
            allowed: n_rows; which may be answered; all when None.
        """
        rows, parts = self.best(query, taste, allowed=allowed)
        return self._picks(query, rows, parts)

    def best(self, query: Query, taste: Taste, *, allowed: Flags | None = None) -> tuple[Codes, dict[str, Values]]:
        """The rows of what `ask` answers, and each group's share of their scores: for who needs no reasons."""
        there = self.rows.alive if allowed is None else allowed & self.rows.alive
        possible = int(np.count_nonzero(there))
        m = max(_FIRST, 10 * taste.k if taste.diversity > 0 else 4 * taste.k)
        without = list(query.without)
        taken = [*self.rows.songs[without].tolist(), *self.rows.recordings[without].tolist()]
        while True:
            near = self._near(query, m, there, is_all=allowed is None)
            rows, scores, parts = self._scored(query, near)
            candidates = Candidates(
                scores=scores,
                songs=self.rows.songs[rows],
                recordings=self.rows.recordings[rows],
                artists=self.rows.artists[rows],
                vectors=self.vectors(rows)[:, :-1] if taste.diversity > 0 else self.base[:0],
            )
            places = choose(candidates, taste, taken=taken)
            if len(places) >= taste.k or m >= possible:
                return rows[places], {group: part[places] for group, part in parts.items()}
            m = min(8 * m, possible)

    def nearest(self, vector: Floats, m: int, there: Flags) -> Codes:
        """About the m rows of the greatest product with a vector among some, in no order, whatever they are near to besides.

        Args:
            vector: width.
            m: at most so many, but for ties.
            there: n_rows; which.
        """
        return self._near(Query(vector, commonness=0.0), m, there & self.rows.alive, is_all=False)

    def explained(self, query: Query, rows: Sequence[int]) -> list[Pick]:
        """What is asked for as some rows have it, in their order, whether they fit well or not."""
        wanted = np.asarray(rows, np.int64)
        return self._picks(query, wanted, self.parts(query, wanted))

    def _near(self, query: Query, m: int, there: Flags, *, is_all: bool) -> Codes:
        """Rows among which the m best are."""
        asked = _asked(query.vector[None, :], query.commonness)[0]
        n = len(self.base)
        few = int(np.count_nonzero(there[:n])) if not is_all else n
        if self.lists is None or few <= EXACT_UP_TO or query.wishes:  # lists know nothing of wishes
            rows = np.flatnonzero(there)
            whole = len(rows) == n and not len(self.tail)
            if asked.any():
                scores = self.base @ asked if whole else self.vectors(rows) @ asked
            else:
                scores = np.zeros(len(rows), np.float32)
            scores += self._same(query, rows)
            for wished in query.wishes.values():
                scores += wished[rows].astype(np.float32)
            return rows[largest(scores, m)]
        found = [self.lists.search(asked, m, allowed=None if is_all else there[:n], wider=1 if is_all else 4)]
        if len(self.tail):
            found.append(n + largest(np.where(there[n:], self.tail @ asked, -np.inf).astype(np.float32), m))
        kin = [self.rows.of_artist(a) for a, share in query.artists.items() if share > 0]
        kin += [self.rows.of_album(a) for a, share in query.albums.items() if share > 0]
        rows = np.unique(np.concatenate([*found, *(k[:_LONE] for k in kin)]))
        return rows[there[rows]]

    def _same(self, query: Query, rows: Codes) -> Floats:
        """What the same artist and album add to some rows."""
        added = np.zeros(len(rows), np.float32)
        for codes, wanted, group in self._identities(query):
            for code, share in wanted.items():
                added[codes[rows] == code] += self.space.weights.of[group] * share
        return added

    def _identities(self, query: Query) -> tuple[tuple[Codes, Mapping[int, float], str], ...]:
        return (self.rows.artists, query.artists, "artist"), (self.rows.albums, query.albums, "album")

    def parts(self, query: Query, rows: Codes) -> dict[str, Values]:
        """Each group's share of the score, rounded, so that what is shown sums to the score."""
        vectors = self.vectors(rows)
        parts = self.space.parts(query.vector, vectors)
        for codes, wanted, group in self._identities(query):
            parts[group] = np.zeros(len(rows))
            for code, share in wanted.items():
                if code != NOBODY:
                    parts[group][codes[rows] == code] = self.space.weights.of[group] * share
        parts[COMMONNESS] = -query.commonness * vectors[:, -1].astype(np.float64)
        ordered = {group: parts[group] for group in CONTRIBUTIONS} | {w: v[rows] for w, v in query.wishes.items()}
        return {group: np.round(part, _DECIMALS) + 0.0 for group, part in ordered.items()}

    def _scored(self, query: Query, rows: Codes) -> tuple[Codes, Values, dict[str, Values]]:
        """The rows that have something in common with what is asked for, best first, with their scores and shares."""
        parts = self.parts(query, rows)
        likeness = np.sum([part for group, part in parts.items() if group != COMMONNESS], axis=0)
        scores = np.round(likeness + parts[COMMONNESS], _DECIMALS)
        alike = np.flatnonzero(np.round(likeness, _DECIMALS) > 0)
        order = alike[np.lexsort((rows[alike], -scores[alike]))]
        # Ties go by id, as the rows of `base` do already; names are looked up where later ones are among those that tie.
        if len(order) and rows[order].max() >= len(self.base) and (np.diff(scores[order]) == 0).any():
            ids = self.rows.names(rows[order])
            order = order[sorted(range(len(order)), key=lambda i: (-scores[order[i]], ids[i]))]
        return rows[order], scores[order], {group: part[order] for group, part in parts.items()}

    def _picks(self, query: Query, picked: Codes, parts: Mapping[str, Values]) -> list[Pick]:
        if not len(picked):
            return []
        seeds = self._nearest_seeds(query, picked)
        given = sorted({seed for seed in seeds if seed is not None})
        read = np.concatenate([picked, np.array(given, np.int64)])
        table = self.rows.some(read, ("id", *TAGS))
        names = table.column("id").to_pylist()
        tags = {kind: table.column(kind).to_pylist() for kind in TAGS}
        at = {row: len(picked) + i for i, row in enumerate(given)}
        compared = (
            Compared(self.rows.numbers[read], tags, audio=self.space.audio, rarity=self.rarity) if given else None
        )
        shares = {group: part.tolist() for group, part in parts.items()}
        found = []
        for i, seed in enumerate(seeds):
            contributions = {group: share[i] for group, share in shares.items()}
            told = NOTHING if seed is None or compared is None else compared.of(at[seed], i)
            found.append(
                Pick(
                    id=names[i],
                    row=int(picked[i]),
                    score=round(sum(contributions.values()), _DECIMALS),
                    contributions=contributions,
                    because=None if seed is None else names[at[seed]],
                    **told,
                )
            )
        return found

    def _nearest_seeds(self, query: Query, rows: Codes) -> list[int | None]:
        """Of each row the given track that is nearest."""
        if not query.seeds or not len(rows):
            return [None] * len(rows)
        if len(query.seeds) == 1:
            return [query.seeds[0]] * len(rows)
        likeness = self.vectors(rows)[:, :-1] @ self.vectors(query.seeds)[:, :-1].T
        return [query.seeds[int(i)] for i in np.argmax(likeness, axis=1)]


def _asked(vectors: Floats, commonness: float = 1.0) -> Floats:
    """As the last number of a stored vector is what is taken off, that of a question is -1, or less where it counts for less."""
    return np.column_stack([vectors, np.full(len(vectors), -commonness, np.float32)]).astype(np.float32)


def _rarity(table: pa.Table) -> dict[str, dict[str, int]]:
    """At how many tracks each tag stands."""
    return {kind: counts(lists(table, kind)) for kind in TAGS}
