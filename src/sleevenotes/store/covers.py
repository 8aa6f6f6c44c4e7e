"""Which cover a play shows, in SQL: the one place that says in which order what is known of it counts.

    1. what the listener chose for this play alone                      (scrobbles.preferred_image_id)
    2. what the listener prefers for its (artist, release)              (artwork_preferences)
    3. the image that was uploaded with it, or that its client named    (scrobbles.image_id, sent_images)
       else of a record of the same play that is hidden behind it
    4. the cover of its album, and until that is decided its preview    (artworks, lookups.image_id)
    5. the image that Last.fm had for it, else for what is hidden behind (sent_images, temporary)

An address at Last.fm's image hosts, or that came with a play from Last.fm, is Last.fm's picture and no client's own.
A preference speaks of names; of an album it holds also for plays sent by other names that were matched to that album.
Without a release it holds for the artist's plays that were sent without one, and for nothing else.
"""

from __future__ import annotations

from typing import Final

from sleevenotes.store import effective

JOINS: Final = """
    LEFT JOIN artworks w ON w.release_group_id = m.release_group_id
    LEFT JOIN artwork_preferences named
        ON named.account_id = s.account_id AND named.artist_key = l.artist_key AND named.release_key = l.release_key
        AND named.in_force AND named.scrobble_id IS NULL
    LEFT JOIN LATERAL (
        SELECT p.image_id, p.chosen_at FROM artwork_preferences p
        WHERE p.account_id = s.account_id AND p.release_group_id = m.release_group_id
          AND p.in_force AND p.scrobble_id IS NULL AND p.image_id IS NOT NULL
        ORDER BY p.id DESC LIMIT 1
    ) grouped ON true
    LEFT JOIN sent_images sent ON s.artwork_uri <> '' AND sent.digest = sha256(convert_to(s.artwork_uri, 'UTF8'))
    LEFT JOIN LATERAL (
        SELECT min(coalesce(h.image_id, CASE WHEN NOT (x.temporary OR h.origin = 'lastfm') THEN x.image_id END)) AS own,
               min(x.image_id) AS temporary
        FROM scrobbles h LEFT JOIN sent_images x
             ON h.artwork_uri <> '' AND x.digest = sha256(convert_to(h.artwork_uri, 'UTF8'))
        WHERE h.same_as = s.id
    ) behind ON true
"""
"""To be joined to plays `s` beside their lookups `l`, `effective.JOINS` and the match `m` in force."""

_TEMPORARY: Final = "(sent.temporary OR s.origin = 'lastfm')"

IMAGE: Final = f"""
    coalesce(s.preferred_image_id, named.image_id, grouped.image_id, s.image_id,
             CASE WHEN NOT {_TEMPORARY} THEN sent.image_id END, behind.own,
             w.image_id, {effective.PREVIEW}, sent.image_id, behind.temporary)
"""
"""The id of the image that the play shows; NULL where there is none."""

BY: Final = f"""
    CASE WHEN s.preferred_image_id IS NOT NULL THEN 'choice'
         WHEN coalesce(named.image_id, grouped.image_id) IS NOT NULL THEN 'preference'
         WHEN s.image_id IS NOT NULL THEN 'sent'
         WHEN sent.image_id IS NOT NULL AND NOT {_TEMPORARY} THEN 'sent'
         WHEN behind.own IS NOT NULL THEN 'sent'
         WHEN w.image_id IS NOT NULL THEN 'album'
         WHEN {effective.PREVIEW} IS NOT NULL THEN 'preview'
         WHEN coalesce(sent.image_id, behind.temporary) IS NOT NULL THEN 'temporary'
         ELSE '' END
"""
"""What led to it: a word for each of the above; "" where there is none."""

SINCE_JOINS: Final = """
    LEFT JOIN artwork_preferences alone ON alone.scrobble_id = s.id AND alone.in_force
"""
"""To be joined, beside JOINS, where it is asked since when a play shows a picture; and the play's arrival, `a`."""

_OWN: Final = f"""
    CASE WHEN s.image_id IS NOT NULL THEN a.received_at END,
    CASE WHEN s.preferred_image_id IS NOT NULL THEN greatest(a.received_at, alone.chosen_at) END,
    CASE WHEN named.image_id IS NOT NULL THEN greatest(a.received_at, named.chosen_at) END,
    CASE WHEN grouped.image_id IS NOT NULL THEN greatest(a.received_at, grouped.chosen_at) END,
    CASE WHEN sent.image_id IS NOT NULL AND NOT {_TEMPORARY} THEN greatest(a.received_at, sent.decided_at) END
"""

_MET: Final = "a.met IN ('known', 'catalogue')"

FIRST_AT: Final = f"""
    least({_OWN},
        CASE WHEN w.image_id IS NOT NULL
             THEN greatest(a.received_at, w.shown_at, CASE WHEN NOT {_MET} THEN m.decided_at END) END,
        CASE WHEN {effective.PREVIEW} IS NOT NULL THEN greatest(a.received_at, l.image_at) END,
        CASE WHEN sent.image_id IS NOT NULL THEN greatest(a.received_at, sent.decided_at) END)
"""
"""Since when the play shows a picture; NULL exactly where IMAGE is.

A name that was matched when the play came in had its album from the beginning, however often it is matched anew.
"""

CHOSEN_AT: Final = f"""
    least({_OWN},
        CASE WHEN w.image_id IS NOT NULL AND w.chosen_at IS NOT NULL
             THEN greatest(a.received_at, w.chosen_at,
                           CASE WHEN NOT ({_MET} AND {effective.BY} = '') THEN m.decided_at END) END)
"""
"""Since when the play shows a picture that does not give way to its album's: one of the first three, or that one."""

ALBUM_JOINS: Final = """
    LEFT JOIN artworks w ON w.release_group_id = g.id
    LEFT JOIN LATERAL (
        SELECT p.image_id FROM artwork_preferences p
        WHERE p.account_id = $1 AND p.release_group_id = g.id
          AND p.in_force AND p.scrobble_id IS NULL AND p.image_id IS NOT NULL
        ORDER BY p.id DESC LIMIT 1
    ) grouped ON true
"""
"""To be joined to release groups `g`: the cover of an album as account $1 sees it, no single play in mind."""

ALBUM_IMAGE: Final = "coalesce(grouped.image_id, w.image_id)"
"""The id of that cover; NULL where there is none."""
