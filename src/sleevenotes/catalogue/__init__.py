"""The offline catalogue: MusicBrainz' canonical recordings by name, in a file that each host may hold.

    dump      the files of MusicBrainz' dumps, plain or packed, row by row
    layout    what the file on disk looks like, and how names become its keys
    staging   reading the dump in, so that reading can go on after an interruption
    build     from there to the file: sorted, replaced as a whole
    reading   asking it: exactly and in bulk, or for one name with a few letters wrong
    covers    the index of the Cover Art Archive: which release has which front
    shelf     where both lie, and how a new one is taken up

It is optional. It knows neither types nor dates nor lengths, as the dump does not, and says "" there.
"""

from sleevenotes.catalogue.reading import Catalogue, Entry, open  # noqa: A004 - read as catalogue.open
from sleevenotes.catalogue.shelf import COVERS, NAMES, Shelf

EMPTY = Shelf(None)
"""Where there is no catalogue."""

__all__ = ["COVERS", "EMPTY", "NAMES", "Catalogue", "Entry", "Shelf", "open"]
