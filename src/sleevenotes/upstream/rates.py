"""What a reply's headers say of how much we may still ask."""

from __future__ import annotations

from sleevenotes.sources.contract import Policy, Reply


def spent_for(policy: Policy, reply: Reply) -> float:
    """Return the seconds for which the reply's own headers say that nothing is left of the rate; 0 where some is.

    Without a header that tells how long (`…-Reset-In`), until the next slot of a moving window.
    """
    try:
        left = int(reply.headers.get(f"{policy.told}-remaining", "")) if policy.told else 1
    except ValueError:
        return 0.0
    try:
        resets_in = float(reply.headers.get(f"{policy.told}-reset-in", ""))
    except ValueError:
        resets_in = policy.pace
    return max(0.0, resets_in) if left <= 0 else 0.0
