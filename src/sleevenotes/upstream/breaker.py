"""How long to leave a host or a question alone after a fault; pure.

Two waits, never confused. A *question* that failed on its own is asked again with growing gaps and is given up
after `GIVE_UP` of them. A *host* that told us to slow down, or that has answered nothing for long, is left alone
as a whole; that is not held against the questions.
"""

from __future__ import annotations

from sleevenotes import errors

GIVE_UP = 10
"""Own faults after which a question is given up until the recheck: one to two minutes of trying."""

LONGEST = 10.0
"""Seconds between two tries of a question: a service that is down as a whole is left alone by its host's pause."""

EAGER = 4
"""Times that a question somebody waits for is asked again at once."""

OPENS_AFTER = 12
"""Consecutive faults that open the breaker: at one failure in two, one pause in 4,000 requests; a dead host, soon."""


def question_wait(fault: errors.Fault, faults: int, jitter: float, *, waited_for: bool) -> float:
    """Return the seconds before a question is asked again after its (faults + 1)-th fault; `jitter` in 0..1.

    Worked example, jitter 0.5: 1.25, 2.5, 5, 10, 12.5 … s, and where somebody waits, 0.25, 0.25, 0.25, 0.25, 2.5, 5 …:
    half of an archive's requests failing is a bad day, and each is a new throw. When the whole service sheds load, 1.1
    to 4.1 s, to 1.5 s where somebody waits.
    """
    if isinstance(fault, errors.Throttled):
        return 1.1 + (0.4 if waited_for else 3.0) * jitter if fault.site_wide else max(1.0, fault.retry_after or 0.0)
    if waited_for:
        return (0.2 if faults < EAGER else min(LONGEST, 2.0 ** (faults - EAGER + 1))) * (1.0 + 0.5 * jitter)
    return min(LONGEST, 2.0**faults) * (1.0 + 0.5 * jitter)


def host_pause(fault: errors.Fault, consecutive: int) -> float:
    """Return the seconds to leave the host alone after its `consecutive`-th fault in a row; 0 for none."""
    if isinstance(fault, errors.Throttled) and not fault.site_wide:
        return fault.retry_after if fault.retry_after is not None else min(300.0, 2.0 * 2**consecutive)
    if consecutive >= OPENS_AFTER and consecutive % OPENS_AFTER == 0:
        return min(300.0, 5.0 * 2.0 ** (consecutive // OPENS_AFTER - 1))
    return 0.0


def counts(fault: errors.Fault) -> bool:
    """Tell whether a fault is held against the question that met it."""
    return not isinstance(fault, errors.Throttled)
