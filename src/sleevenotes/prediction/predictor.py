"""Probabilities from numbers, and whom to ask in what order.

A source's chance to serve a question is a logistic function of the question's row (features.py) and of the runs of
letters in the artist's name. Weights are plain arrays; nothing of a library is kept in them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from sleevenotes.prediction import features
from sleevenotes.prediction.learned import Model

RUN_SCALE: Final = 0.5
"""Of what a name's runs of letters weigh together, beside a feature."""


class Predictor:
    """A model, ready to be asked."""

    def __init__(self, model: Model) -> None:
        self.sources: Final = model.sources
        self.threshold: Final = model.threshold
        self.took_s: Final[Mapping[str, float]] = dict(zip(model.sources, model.took_s, strict=True))
        there = len(model.sources)
        self._weights = np.array(model.weights).reshape(len(features.KINDS), there, len(features.FEATURES))
        self._runs = np.array(model.runs).reshape(1 + there, features.BUCKETS)

    def chances(self, questions: Sequence[features.Asked]) -> list[dict[str, float]]:
        """Return, for each question, how likely each source is to serve it."""
        if not questions:
            return []
        told = self.probabilities(features.rows(questions, self.sources))
        return [dict(zip(self.sources, row, strict=True)) for row in told.tolist()]

    def probabilities(self, rows: features.Rows) -> features.Array:
        """Return the chances (n, sources) of questions in numbers."""
        score = np.einsum("nsf,nsf->ns", rows.dense, self._weights[rows.kinds]) + self._of_runs(rows)
        chances: features.Array = 1.0 / (1.0 + np.exp(-score))
        return chances

    def _of_runs(self, rows: features.Rows) -> features.Array:
        shared = self._runs[0][features.buckets(rows.runs, 0)]
        counts = np.diff(rows.ends, prepend=0)
        scale = RUN_SCALE / np.sqrt(np.maximum(counts, 1))
        of_sources = [
            _sums(shared + self._runs[1 + at][features.buckets(rows.runs, 1 + at)], rows.ends) * scale
            for at in range(len(self.sources))
        ]
        return np.array(of_sources).T


def _sums(values: npt.NDArray[np.float64], ends: features.Ints) -> features.Array:
    """Sum up each name's stretch of values."""
    running = np.concatenate(([0.0], np.cumsum(values)))
    return np.diff(running[ends], prepend=0.0)
