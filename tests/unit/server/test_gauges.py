"""The gauges on /metrics, and that what is watched with them names nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml  # type: ignore[import-untyped] # comes with Litestar
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from sleevenotes.clock import HandClock
from sleevenotes.server import gauges
from sleevenotes.settings import Settings
from sleevenotes.store import arrivals, backlog, traces
from sleevenotes.store.postgres import Database
from tests import serving

CONTRIB = Path(__file__).parents[3] / "contrib"
DASHBOARD = json.loads((CONTRIB / "grafana/sleevenotes.json").read_text("utf-8"))
RULES = yaml.safe_load((CONTRIB / "prometheus/sleevenotes.rules.yml").read_text("utf-8"))
HOWTO = (CONTRIB.parent / "docs/howto/watch-it.md").read_text("utf-8")


@pytest_asyncio.fixture
async def maria(settings: Settings, clock: HandClock, database: Database) -> AsyncIterator[serving.Listener]:
    async with serving.listening(settings, clock, database) as listener:
        yield listener


async def exported(maria: serving.Listener) -> dict[str, list[Sample]]:
    """Return what /metrics tells, by the names as queries write them."""
    text = (await maria.client.get("/metrics")).text
    found: dict[str, Any] = {}
    for family in text_string_to_metric_families(text):
        for name in (family.name, f"{family.name}_total"):
            found.setdefault(name, []).extend(family.samples)
    return found


async def lived(maria: serving.Listener, clock: HandClock) -> None:
    """Play something, ask for it, and take a sample, so that every gauge has a value."""
    names = {"artist_name": "Marrow", "track_name": "Kelp"}
    listen = {"listened_at": int(clock.now().timestamp()), "track_metadata": names}
    body = {"listen_type": "single", "payload": [listen]}
    assert (await maria.client.post("/1/submit-listens", json=body, headers=maria.header)).status_code == 200
    async with maria.services.database.connection() as conn:
        await conn.execute("UPDATE arrivals SET first_s = 2.5, chosen_s = 4, look_at = NULL")
        await conn.execute("UPDATE lookups SET status = 'not_found', candidates = '[]', decided_at = $1", clock.now())
        said = [traces.New(b"k", "find_recording", 1, clock.now(), outcome) for outcome in ("answered", "fault")]
        await traces.keep(conn, "musicbrainz", said, asked_at=clock.now(), took_ms=5, status=200)
        await conn.execute("INSERT INTO budgets (host, faults) VALUES ('musicbrainz.org', 3)")
        for _ in range(3):
            clock.turn(60)
            await backlog.sample(conn, clock.now())
        await conn.execute("UPDATE pgqueuer SET status = 'failed'")


async def test_gauges_tell_the_figures_of_the_last_hour_and_day(maria: serving.Listener, clock: HandClock) -> None:
    await lived(maria, clock)
    told = await exported(maria)

    def value(name: str, **labels: str) -> float:
        [found] = [each.value for each in told[f"sleevenotes_{name}"] if labels.items() <= each.labels.items()]
        return float(found)

    for window in ("1h", "24h"):
        assert value("plays", window=window, kind="live") == 1
        assert value("first_artwork_seconds", window=window, plays="all", picture="first", quantile="0.95") == 2.5
        assert value("first_artwork_seconds", window=window, plays="first", picture="chosen", quantile="0.5") == 4
        assert value("plays_within_minute_ratio", window=window) == 1
        assert value("names_success_ratio", window=window) == 0
        assert value("source_questions", window=window, source="musicbrainz", outcome="fault") == 1
        assert value("source_requests_per_1000_plays", window=window, source="musicbrainz") == 1000
    assert value("lane_faults", host="musicbrainz.org") == 3
    assert value("jobs_held", stage="match", band="default") == 1
    assert value("sample_age_seconds") == 0
    assert value("disk_size_bytes") >= value("disk_free_bytes") > 0


async def test_gauges_are_worked_out_once_in_a_while_however_often_they_are_asked_for(
    maria: serving.Listener, clock: HandClock
) -> None:
    await lived(maria, clock)
    before = await exported(maria)
    async with maria.services.database.connection() as conn:
        await conn.execute("UPDATE budgets SET faults = 9")
    assert (await exported(maria))["sleevenotes_lane_faults"] == before["sleevenotes_lane_faults"]
    clock.turn(gauges.FRESH.total_seconds())
    assert (await exported(maria))["sleevenotes_lane_faults"][0].value == 9


async def test_without_the_database_the_counters_are_told_all_the_same(maria: serving.Listener) -> None:
    await maria.services.database.pool.close()
    told = await exported(maria)
    assert "sleevenotes_requests_total" in told
    assert "sleevenotes_pending" not in told


async def test_metrics_name_no_account_and_no_music(maria: serving.Listener, clock: HandClock) -> None:
    await lived(maria, clock)
    text = (await maria.client.get("/metrics")).text.lower()
    assert not [word for word in ("maria", "marrow", "kelp") if word in text]


# ---------------------------------------------------------------- what watches them

EXPRESSIONS = [
    *((panel["title"], target["expr"]) for panel in DASHBOARD["panels"] for target in panel["targets"]),
    *((rule["alert"], rule["expr"]) for group in RULES["groups"] for rule in group["rules"]),
]


def selectors(expression: str) -> Iterator[tuple[str, dict[str, tuple[str, str]]]]:
    """Find the metrics of ours in an expression, each with its matchers: label → (operator, value)."""
    for name, _, inner in re.findall(r"(sleevenotes_\w+)(\{([^}]*)\})?", expression):
        matchers = re.findall(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"', inner)
        yield name, {label: (operator, value) for label, operator, value in matchers}


async def test_dashboard_and_alerts_name_only_what_is_exported(maria: serving.Listener, clock: HandClock) -> None:
    await lived(maria, clock)
    told = await exported(maria)
    missing = []
    for where, expression in EXPRESSIONS:
        for name, matchers in selectors(expression):
            own = {label: said for label, said in matchers.items() if label != "instance"}
            values = [each for each in told.get(name, []) if _matches(each.labels, own)]
            if not values and not (name in told and "queue" in name):  # nothing waits
                missing.append((where, name, matchers))
    assert not missing


def _matches(labels: dict[str, str], matchers: dict[str, tuple[str, str]]) -> bool:
    return all(
        re.fullmatch(value, labels.get(label, "")) if operator == "=~" else labels.get(label, "") == value
        for label, (operator, value) in matchers.items()
    )


def test_what_watches_is_complete() -> None:
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    assert all(list(selectors(expression)) or "up{" in expression for _, expression in EXPRESSIONS)
    names = [rule["alert"] for group in RULES["groups"] for rule in group["rules"]]
    assert len(set(names)) == len(names)
    assert all(rule["annotations"]["summary"] for group in RULES["groups"] for rule in group["rules"])


async def test_every_gauge_is_documented_and_every_documented_one_exists(
    maria: serving.Listener, clock: HandClock
) -> None:
    await lived(maria, clock)
    async with maria.services.database.connection() as conn:
        await arrivals.settle(conn, clock.now() + timedelta(days=1))
    told = {family.name for family in gauges.families(await gauges.know(maria.services, clock.now()))}
    documented = set(re.findall(r"^\| `(sleevenotes_\w+)`", HOWTO, re.MULTILINE))
    assert told == documented - {"sleevenotes_requests_total", "sleevenotes_submits_total", "sleevenotes_listens_total"}


@pytest.mark.parametrize("name", ["sleevenotes_requests", "sleevenotes_submits", "sleevenotes_listens"])
def test_every_counter_is_documented(name: str) -> None:
    assert f"| `{name}_total`" in HOWTO
