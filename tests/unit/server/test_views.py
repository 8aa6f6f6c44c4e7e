from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from sleevenotes import errors
from sleevenotes.server import charts, feeds, pages_account, pages_status, views
from sleevenotes.store.library import Month

VIENNA = views.zone("Europe/Vienna")
NOW = datetime(2026, 3, 10, 20, 0, tzinfo=UTC)


def test_today_is_told_by_how_long_ago() -> None:
    told = [views.moment(NOW - timedelta(seconds=s), NOW, VIENNA).text for s in (20, 60, 3599, 3600, 7300)]
    assert told == ["just now", "1 min ago", "59 min ago", "1 h ago", "2 h ago"]


def test_other_days_are_told_by_the_listeners_clock() -> None:
    told = views.moment(datetime(2026, 3, 9, 22, 30, tzinfo=UTC), NOW, VIENNA)
    assert told.text == "23:30"
    assert told.exact == "Monday 9 March 2026, 23:30:00 CET"
    assert told.machine == "2026-03-09T22:30:00+00:00"


def test_today_is_the_listeners_today_not_utcs() -> None:
    late = datetime(2026, 3, 9, 23, 30, tzinfo=UTC)  # 0:30 on the 10th in Vienna
    assert views.moment(late, NOW, VIENNA).text == "20 h ago"
    assert views.moment(late, NOW, views.zone("UTC")).text == "23:30"


def test_a_time_that_stands_alone_is_told_by_its_date() -> None:
    assert views.dated(NOW - timedelta(days=2), NOW, VIENNA).text == "8 March 2026"
    assert views.dated(NOW, NOW, VIENNA).text == "just now"


def test_an_unknown_zone_falls_back_to_utc() -> None:
    assert str(views.zone("Atlantis/Capital")) == "UTC"


def test_days_have_names_people_use() -> None:
    today = date(2026, 3, 10)
    days = [today, date(2026, 3, 9), date(2026, 3, 8), date(2025, 12, 31)]
    assert [views.day_label(day, today) for day in days] == [
        "Today",
        "Yesterday",
        "Sunday 8 March",
        "Wednesday 31 December 2025",
    ]


def test_the_bounds_of_a_day_follow_the_listeners_summer_time() -> None:
    since, until = views.day_bounds([date(2026, 3, 29)], VIENNA)
    assert until - since == timedelta(hours=23)
    assert since == datetime(2026, 3, 28, 23, tzinfo=UTC)


def test_lengths_and_spans() -> None:
    assert [views.playing_time(ms) for ms in (None, 0, 59_400, 201_000, 3_730_000)] == [
        "",
        "",
        "0:59",
        "3:21",
        "1:02:10",
    ]
    assert [views.span(ms) for ms in (40, 812, 9_900, 12_000, 95_000, 7_200_000)] == [
        "40 ms",
        "0.8 s",
        "9.9 s",
        "12 s",
        "2 min",
        "2 h",
    ]


def test_numbers_are_grouped_and_counted() -> None:
    assert views.number(1234567) == "1\u202f234\u202f567"
    assert [views.plural(n, "play") for n in (0, 1, 2)] == ["0 plays", "1 play", "2 plays"]


def test_only_the_words_that_differ_are_marked() -> None:
    marked = views.differences("Heroes (2017 Remaster)", "Heroes")
    assert [(piece.text, piece.differs) for piece in marked] == [("Heroes", False), (" (2017 Remaster)", True)]
    assert not any(piece.differs for piece in views.differences("Heroes", "Heroes (2017 Remaster)"))


def test_a_reason_becomes_a_sentence() -> None:
    assert views.sentence("no source knows it") == "No source knows it."
    assert views.sentence("Already one!") == "Already one!"
    assert not views.sentence("")


def test_a_fault_is_never_told_as_absence() -> None:
    assert "not" in views.said("fault", 0, "fetch_image", "timed out")
    assert views.said("fault", 0, "fetch_image", "timed out") != views.said("absent", 0, "fetch_image", "")


def test_a_cursor_leads_back_to_where_it_came_from() -> None:
    moment = datetime(2026, 3, 10, 20, 0, 0, 123456, tzinfo=UTC)
    text = f"{(moment - feeds.EPOCH) // timedelta(microseconds=1)}-77"
    assert feeds.parse(text) == (moment, 77)
    assert feeds.parse("") is None


@pytest.mark.parametrize("text", ["x", "12", "1-x", "9" * 40 + "-1", "--"])
def test_a_place_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(errors.Refused, match="before"):
        feeds.parse(text)


@pytest.mark.parametrize(
    "way", ["//elsewhere.example", "https://elsewhere.example/", "/\\elsewhere.example", "albums", "", "/a\r\nb"]
)
def test_nobody_is_sent_to_another_site_after_logging_in(way: str) -> None:
    assert pages_account.local(way) == "/"


def test_the_way_back_inside_is_kept() -> None:
    assert pages_account.local("/albums/3?x=1") == "/albums/3?x=1"


def test_a_chart_shows_empty_months_and_at_least_a_year() -> None:
    chart = charts.months([Month(date(2026, 1, 1), 4), Month(date(2026, 3, 1), 16)], date(2026, 4, 2))
    assert chart
    assert chart.ends == ("May 2025", "April 2026")
    heights = [bar.height for bar in chart.bars]
    assert heights[-4:] == [16.0, 0, 64.0, 0]
    assert "most in March 2026, 16 plays" in chart.summary


def test_one_month_needs_no_chart() -> None:
    assert charts.months([Month(date(2026, 1, 1), 4)], date(2026, 4, 2)) is None


def test_a_long_history_shows_its_latest_five_years() -> None:
    counts = [Month(date(2005, 1, 1), 4), Month(date(2026, 3, 1), 16)]
    chart = charts.months(counts, date(2026, 4, 2))
    assert chart
    assert len(chart.bars) == charts.MOST


def test_a_budgets_ticks_are_never_more_than_fit() -> None:
    assert sum(tick.used for tick in pages_status.ticks(43, 56)) == 43
    full = pages_status.ticks(700, 600)
    assert (len(full), sum(tick.used for tick in full)) == (60, 60)
    assert sum(tick.used for tick in pages_status.ticks(1, 600)) == 1  # one request is seen


def test_shares_fill_the_whole_bar_in_order() -> None:
    laid = pages_status.shares({"failed": 1, "enriched": 3}, ("enriched", "failed"))
    assert [(share.name, share.x, share.width) for share in laid] == [("enriched", 0, 75), ("failed", 75, 25)]


def test_one_question_that_waits_does_not_fill_the_bar() -> None:
    few, many = (pages_status.shares({"default": n}, ("default",), full=50) for n in (1, 80))
    assert (few[0].width, many[0].width) == (2, 100)
