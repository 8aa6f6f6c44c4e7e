"""Text of names. Two foldings, never confused.

`fold` is frozen for ever: it decides which plays and which lookups are the same, and stored digests rest on it.
`key` is for matching and may get cleverer: whatever is stored from it carries `KEY_VERSION`.

Worked examples:
    fold("  Sigur  Rós ")          == "sigur rós"
    key("Sigur Rós")               == "sigurros"
    key("AC/DC")                   == "acdc"
    key("!!!")                     == "!!!"          (nothing but punctuation: kept as folded)
    key("Песни")                   == "pesni"
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

from anyascii import anyascii

KEY_VERSION = 1

_NOT_WORD = re.compile(r"[\W_]+")


def fold(text: str) -> str:
    """Fold for identity: NFKC, casefold, collapsed white space. Frozen; never change it."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def digest(*texts: str) -> bytes:
    """Identify folded texts by 16 bytes (BLAKE2b). Frozen like `fold`."""
    return hashlib.blake2b("\0".join(map(fold, texts)).encode(), digest_size=16).digest()


def key(text: str) -> str:
    """Reduce a name to what matching compares: romanised, lower case, letters and digits only.

    A name that would leave nothing ("!!!") keeps its folded form.
    """
    if text.isascii():
        return _NOT_WORD.sub("", text).lower() or fold(text)
    plain = anyascii(unicodedata.normalize("NFKC", text))
    return _NOT_WORD.sub("", plain).lower() or fold(text)
