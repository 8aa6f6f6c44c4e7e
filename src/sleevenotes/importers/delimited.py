"""Lines of a table: fields between tabs, commas or semicolons, quoted as the csv module does.

A quote never reaches over a line's end: one that is not closed on its line is taken as written and cannot swallow the
rows after it.
"""

from __future__ import annotations

import csv


def delimiter(header: str, known: str = "\t,") -> str:
    """Return what separates the fields of a header: the first of `known` that is in it, else the comma."""
    return next((each for each in known if each in header), ",")


def fields(line: str, delimiter: str) -> list[str]:
    """Cut a line into its fields."""
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error:  # a stray quote: take the line as written
        return line.split(delimiter)
