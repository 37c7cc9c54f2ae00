"""One truth per field: an album's row as a pure function of what the sources said and of how far each is believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from backend.ingestion import normalizer as tidy
from backend.ingestion.concordance import Concordance
from backend.ingestion.field_choice import Tidy, choose, choose_one
from backend.ingestion.merged_tracks import Places, merge_tracks
from backend.ingestion.policy import MergePolicy, rights_to
from backend.ingestion.said import Said, counting
from backend.ingestion.source import SourceProfile
from backend.ingestion.tag_sorter import TagSorter
from backend.models.ingestion_models import MergedAlbum, Rights, RightsLevel, SourceRecord
from backend.utils.errors import InvalidInputError
from backend.utils.identifiers import derive
from backend.utils.text import fold_name

Levels = Mapping[RightsLevel, MergedAlbum]
"""An album at each level of rights at which anybody says what it is called."""

FIELDS: Final[Mapping[str, Tidy]] = {
    "title": tidy.tidy_text,
    "artist": tidy.tidy_text,
    "release_date": tidy.tidy_date,
    "label": tidy.tidy_text,
    "upc": tidy.tidy_upc,
    "popularity": tidy.tidy_popularity,
    "listeners": tidy.tidy_count,
    "critic_score": tidy.tidy_share,
    "critic_count": tidy.tidy_count,
    "user_score": tidy.tidy_share,
    "user_count": tidy.tidy_count,
}
SHOWN_AS: Final = {
    "critic_score": "aoty_critic_score",
    "critic_count": "aoty_critic_count",
    "user_score": "aoty_user_score",
    "user_count": "aoty_user_count",
}
# Columns of a track's row that hold its album's value.
_FROM_ALBUM: Final = {
    "release_date": "release_date",
    "aoty_score": "aoty_user_score",
    "aoty_critic_score": "aoty_critic_score",
}


def merge_levels(
    records: Sequence[SourceRecord],
    profiles: Mapping[str, SourceProfile],
    *,
    album_id: str | None,
    policy: MergePolicy,
    places: Places | None = None,
) -> dict[RightsLevel, MergedAlbum]:
    """Merge what the sources said of an album, once per level of rights; the order of the records does not matter.

    At each level the values of sources that are not permitted are replaced by the best permitted one or left out; what is the
    same track at two levels has the same id at both.

    Args:
        records: one per source, at least one.
        profiles: of all sources that the records name.
        album_id: the stored album's; None derives one from the names.
        policy: who is believed on what, and how many tags are kept.
        places: is told which place of which source's list each track's id stands for.

    Raises:
        InvalidInputError: no record is of a source with a profile, or none has a title and an artist.
    """
    said = counting(records, profiles, policy=policy)
    if not said:
        names = sorted({r.source for r in records})
        raise InvalidInputError(f"no registered source says anything of this album; said by: {names or 'nobody'}")
    places = {} if places is None else places
    whole = _merge(said, Concordance.of(said), profiles, album_id=album_id, places=places)
    if whole is None:
        lacking = [
            f for f in ("title", "artist") if not choose_one(said, f, lambda s: s.album, FIELDS[f], anybody=True)[0]
        ]
        said_by = ", ".join(s.source for s in said)
        raise InvalidInputError(f"no source knows the {' and the '.join(lacking)} of this album; said by: {said_by}")
    levels = {RightsLevel.ANY: whole}
    for level in (RightsLevel.NONCOMMERCIAL, RightsLevel.OPEN):
        if _withholds_nothing(level, said):
            levels[level] = whole
            continue
        permitted = counting(records, profiles, policy=policy, level=level)
        permitted.kept = said.kept
        merged = _merge(permitted, Concordance.of(permitted), profiles, album_id=whole.id, places=places)
        if merged is not None:
            levels[level] = merged
    return levels


def merge(
    records: Sequence[SourceRecord],
    profiles: Mapping[str, SourceProfile],
    *,
    album_id: str | None,
    policy: MergePolicy,
    level: RightsLevel = RightsLevel.ANY,
) -> MergedAlbum:
    """The album at one level; see `merge_levels`.

    Raises:
        InvalidInputError: as there; also when nobody permitted knows its title and artist.
    """
    levels = merge_levels(records, profiles, album_id=album_id, policy=policy)
    if level not in levels:
        raise InvalidInputError(f"no source whose values are {level} knows the title and the artist of this album")
    return levels[level]


def _withholds_nothing(level: RightsLevel, said: Sequence[Said]) -> bool:
    """Whether all that these sources give is permitted."""
    return all(
        level.permits(rights_to(s.profile, name))
        for s in said
        for name in (*s.profile.gives, "title", "artist", "tracks", "ids")
    )


def _merge(
    said: Sequence[Said],
    concordance: Concordance | None,
    profiles: Mapping[str, SourceProfile],
    *,
    album_id: str | None,
    places: Places,
) -> MergedAlbum | None:
    """The album from these sources; None when none of them knows its title and artist."""
    values, provenance = choose(said, FIELDS, lambda s: s.album)
    for name in ("title", "artist"):
        # An album needs both: when no trusted source has one, any other's is taken. Only where everything is permitted, for
        # a source that is not trusted with names may repeat those that it was asked with.
        if not values[name] and said and said[0].level is RightsLevel.ANY:
            values[name], giver = choose_one(said, name, lambda s: s.album, FIELDS[name], anybody=True)
            provenance[name] = giver
    title, artist = values["title"], values["artist"]
    if not title or not artist:
        return None
    keys = fold_name(artist), fold_name(title)
    album_id = album_id or derive("album", *keys)
    policy = said[0].policy
    sorter = TagSorter(said, artist=artist, album=title, max_genres=policy.max_genres, max_moods=policy.max_moods)
    tags = sorter.album()
    provenance = {SHOWN_AS.get(k, k): v for k, v in provenance.items()}
    tracks = tuple(
        merge_tracks(
            said,
            concordance,
            sorter,
            names=(album_id, title, artist),
            shared=_of_rows(provenance),
            places=places,
        )
    )
    provenance |= tags.givers
    if tracks and concordance:
        provenance["tracks"] = concordance.lister
    named = {k: (v, s.source) for s in reversed(said) for k, v in s.album.ids.items() if s.may_call(k)}
    if named:
        provenance["ids"] = "+".join(sorted({giver for _, giver in named.values()}))
    return MergedAlbum(
        id=album_id,
        title=title,
        artist=artist,
        artist_id=derive("artist", keys[0]),
        title_key=keys[1],
        artist_key=keys[0],
        release_date=values["release_date"],
        label=values["label"],
        upc=values["upc"],
        popularity=values["popularity"],
        listeners=values["listeners"],
        aoty_critic_score=values["critic_score"],
        aoty_critic_count=values["critic_count"],
        aoty_user_score=values["user_score"],
        aoty_user_count=values["user_count"],
        genres=tags.genres,
        moods=tags.moods,
        ids={k: v for k, (v, _) in sorted(named.items())},
        provenance=dict(sorted(provenance.items())),
        synthetic=_is_synthetic(provenance, *(t.provenance for t in tracks), said=said, profiles=profiles),
        tracks=tracks,
    )


def _of_rows(provenance: Mapping[str, str]) -> dict[str, str]:
    """Whose those values of a track are that it has from its album."""
    shown = {"album": provenance["title"], "artist": provenance["artist"]}
    for name, of_album in _FROM_ALBUM.items():
        if of_album in provenance:
            shown[name] = provenance[of_album]
    return shown


def _is_synthetic(*provenances: Mapping[str, str], said: Sequence[Said], profiles: Mapping[str, SourceProfile]) -> bool:
    made_up = {s.source for s in said if Rights.SYNTHETIC in {s.profile.rights, *s.profile.rights_of.values()}}
    if not made_up:
        return False
    return any(
        rights_to(profiles[source], name) is Rights.SYNTHETIC
        for provenance in provenances
        for name, sources in provenance.items()
        for source in made_up.intersection(sources.split("+"))
    )
