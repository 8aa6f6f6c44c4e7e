from __future__ import annotations

from benches.page_live import Seen, figures


def test_our_own_part_is_what_is_left_without_the_host_of_each_image() -> None:
    new = [Seen(20, 300, 2.0), Seen(30, 700, None), Seen(25, None, None), Seen(25, 90, None)]
    summed = figures(new, [Seen(10, 40, None)], [200, 550, 130, None])
    assert (summed["own_p50_ms"], summed["own_p95_ms"]) == (100, 150)  # of the two whose host is known
    assert (summed["temporary_p50_ms"], summed["never"], summed["replaced_share"]) == (300, 1, 0.25)
