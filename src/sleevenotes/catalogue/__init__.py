"""The offline catalogue: MusicBrainz' canonical recordings by name, in a file that each host may hold.

    dump      the files of MusicBrainz' canonical dump, plain or packed, row by row
    layout    what the file on disk looks like, and how names become its keys
    build     from the dump to the file: resumable, replaced as a whole
    reading   asking it: exactly and in bulk, or for one name with a few letters wrong
    covers    the index of the Cover Art Archive: which release has which front

It is optional. It knows neither types nor dates nor lengths, as the dump does not, and says "" there.
"""

from sleevenotes.catalogue.reading import Catalogue, Entry, Shelf, open  # noqa: A004 - read as catalogue.open

NAMES = "names.sqlite"
"""What the catalogue's file is called in its directory."""

EMPTY = Shelf(None)
"""Where there is no catalogue."""

__all__ = ["EMPTY", "NAMES", "Catalogue", "Entry", "Shelf", "open"]
