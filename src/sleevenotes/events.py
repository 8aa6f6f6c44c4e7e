"""The facts worth telling. What happened is a row in `events` (store/events.py); NOTIFY only wakes the readers.

Each fact's docstring is its reference: the pages' JavaScript and the API tell exactly these.
"""

from __future__ import annotations

import msgspec

WAKE_EVENTS = "sleevenotes_events"  # NOTIFY channel; its payload is the account's id
WAKE_LANES = "sleevenotes_lanes"  # NOTIFY channel; its payload is the source that has new wants
WAKE_DECIDED = "sleevenotes_decided"  # NOTIFY channel, no payload: lookups or covers were decided, whoever plays them


class ScrobblesStored(msgspec.Struct, frozen=True, tag="scrobbles_stored"):
    """New scrobbles of this account are stored. `ids` holds at most 100 of them, newest first; `count` is all."""

    ids: tuple[int, ...]
    count: int


class ScrobblesDeleted(msgspec.Struct, frozen=True, tag="scrobbles_deleted"):
    """These scrobbles of this account are gone."""

    ids: tuple[int, ...]


class ScrobblesEdited(msgspec.Struct, frozen=True, tag="scrobbles_edited"):
    """These scrobbles of this account are told anew: other names, or another time."""

    ids: tuple[int, ...]


class NowPlayingChanged(msgspec.Struct, frozen=True, tag="now_playing_changed"):
    """What this account is playing now has changed."""


class LookupsDecided(msgspec.Struct, frozen=True, tag="lookups_decided"):
    """These lookups, which scrobbles of this account point at, were matched, not found, failed or corrected."""

    ids: tuple[int, ...]


class PreviewsShown(msgspec.Struct, frozen=True, tag="previews_shown"):
    """These lookups, which scrobbles of this account point at, show another cover: a temporary one until their own is
    decided, or the image that came with the play.
    """

    ids: tuple[int, ...]


class ArtworkDecided(msgspec.Struct, frozen=True, tag="artwork_decided"):
    """The cover of these release groups, which this account has played, was found or found absent."""

    release_group_ids: tuple[int, ...]


class CoversChosen(msgspec.Struct, frozen=True, tag="covers_chosen"):
    """This account chose covers for its plays of these lookups and release groups, or gave up what it had chosen."""

    lookup_ids: tuple[int, ...]
    release_group_ids: tuple[int, ...]


class SearchesAnswered(msgspec.Struct, frozen=True, tag="searches_answered"):
    """What this account searched for, to correct a match, has been answered, or could not be asked."""

    ids: tuple[int, ...]


class FeedbackGiven(msgspec.Struct, frozen=True, tag="feedback_given"):
    """This account loves (1) or hates (-1) a track, or neither any more (0); `track_key` names it, as rows do."""

    track_key: str
    score: int


class ConnectionChanged(msgspec.Struct, frozen=True, tag="connection_changed"):
    """This account's connection to a service ("lastfm", "listenbrainz") was made, moved on, is in trouble or ended."""

    service: str


class ImportChanged(msgspec.Struct, frozen=True, tag="import_changed"):
    """These imports of this account have moved on, or come to their end."""

    ids: tuple[int, ...]


Event = (
    ScrobblesStored
    | ScrobblesDeleted
    | ScrobblesEdited
    | NowPlayingChanged
    | LookupsDecided
    | PreviewsShown
    | ArtworkDecided
    | CoversChosen
    | SearchesAnswered
    | FeedbackGiven
    | ConnectionChanged
    | ImportChanged
)
