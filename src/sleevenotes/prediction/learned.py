"""What goes into training and what comes out of it, as plain values; no library of numbers is needed to hold them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

FEATURES_VERSION: Final = 1
"""Of the features' meaning (features.py): weights of another are not used."""


class Example(msgspec.Struct, frozen=True, array_like=True):
    """One question asked once, and judged: did the answer hold something that serves?

    `artist_key` and `question` tell which examples are of one artist, and of one question of their kind. `plays` is
    how often it was played here when it was judged; `asked_s` and `took_s` in seconds.
    """

    source: str
    kind: str
    artist_key: str
    question: str
    artist: str
    track: str
    release: str
    plays: int
    asked_s: float
    took_s: float
    served: bool


class Model(msgspec.Struct, frozen=True):
    """What was learned, as plain numbers.

    `weights` are (kinds, sources, features) flattened, `runs` (1 + sources, buckets). A question whose chance is below
    `threshold` at a source is not put to it. `took_s` is how long each source took, at the median.
    """

    features: int
    sources: tuple[str, ...]
    weights: tuple[float, ...]
    runs: tuple[float, ...]
    threshold: float
    took_s: tuple[float, ...]


class Bin(msgspec.Struct, frozen=True):
    """A tenth of the chances: how many questions fell into it, their mean chance, and the share that was served."""

    count: int
    chance: float
    served: float


class Evaluation(msgspec.Struct, frozen=True):
    """How a predictor fares on questions that came after those it was trained on.

    `log_loss` beside that of each source's plain share (`plain_log_loss`); requests and questions served (expected
    where a source was not asked) in the predicted and in the declared order.
    """

    examples: int
    held_out: int
    log_loss: float
    plain_log_loss: float
    requests: float
    declared_requests: float
    found: float
    declared_found: float
    threshold: float
    bins: tuple[Bin, ...]

    @property
    def saved(self) -> float:
        """Return the share of requests that the predicted order saves."""
        return 1.0 - self.requests / self.declared_requests if self.declared_requests else 0.0

    @property
    def kept(self) -> float:
        """Return the share of what the declared order finds that the predicted one finds, too."""
        return self.found / self.declared_found if self.declared_found else 1.0


class Task(msgspec.Struct, frozen=True):
    """What to train for: the declared order of sources by kind, the coverage to keep, and the predictor in force."""

    declared: Mapping[str, tuple[str, ...]]
    keep: float
    old: Model | None = None
    old_until_s: float = 0.0  # it was trained on what was asked until then


class Trained(msgspec.Struct, frozen=True):
    """What training came to. `why_not` is "" where the new predictor is to replace the old one.

    `old_holds` says whether the old one, held against the same questions, is still better than the declared order.
    """

    model: Model | None
    evaluation: Evaluation | None
    why_not: str
    old_holds: bool
    took_s: float
    peak_mb: float
