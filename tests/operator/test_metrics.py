"""What Prometheus scrapes, read by its own client and by promtool; dashboard and alarms know these names."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import structlog
import yaml
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from b2bua.operator.desk.feed import Feed
from b2bua.operator.desk.metrics import Exposition

from .measured import measures

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
DASHBOARD = json.loads((EXAMPLES / "grafana" / "b2bua.json").read_text(encoding="utf-8"))
RULES = EXAMPLES / "prometheus" / "b2bua.rules.yaml"
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
ALARMS = [
    rule["expr"] for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]
]


@pytest.fixture
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("not installed: promtool")
    return found


async def taken(calls: object) -> None:
    """Nobody is told."""


FEED = Feed("webhook", Path(), 0, taken, structlog.get_logger())


def scraped(measured: dict[str, Any] | None, *feeds: Feed) -> dict[str, Metric]:
    families = text_string_to_metric_families(Exposition(measured, feeds).text().decode())
    return {family.name: family for family in families}


def values(family: Metric) -> dict[tuple[str, ...], float]:
    return {tuple(value for _, value in sorted(sample.labels.items())): sample.value for sample in family.samples}


def test_each_number_is_found_under_its_name() -> None:
    found = scraped(measures())
    assert values(found["b2bua_server_up"]) == {(): 1.0}
    assert values(found["b2bua_ready"]) == {(): 1.0}
    assert values(found["b2bua_calls"]) == {(): 4.0}
    assert values(found["b2bua_registrations"]) == {(): 3.0}
    assert values(found["b2bua_registered_users"]) == {(): 2.0}
    assert values(found["b2bua_events"]) == {("udp_dropped",): 7.0}
    assert values(found["b2bua_trunk_up"]) == {("pstn",): 1.0}
    assert values(found["b2bua_trunk_disabled"]) == {("pstn",): 0.0}
    assert values(found["b2bua_trunk_channels_limit"]) == {("pstn",): 30.0}
    assert values(found["b2bua_trunk_calls"]) == {("ok", "pstn"): 5.0, ("failed", "pstn"): 1.0}
    assert values(found["b2bua_policy_loaded_timestamp_seconds"]) == {("office", "in force", "abc"): 900.0}
    assert values(found["b2bua_store_waiting"]) == {("records",): 1.0, ("decisions",): 0.0}
    assert values(found["b2bua_certificate_expiry_timestamp_seconds"]) == {("sip.pem",): 5000.0}
    assert values(found["b2bua_media_up"]) == {(): 0.0}
    outcomes = values(found["b2bua_calls_ended"])
    assert {outcome: count for (outcome,), count in outcomes.items() if count} == {"answered": 1.0, "busy": 1.0}
    assert len(outcomes) == 6


def test_a_histogram_counts_up() -> None:
    setup = scraped(measures())["b2bua_call_setup_seconds"]
    counts = {sample.labels["le"]: sample.value for sample in setup.samples if sample.name.endswith("_bucket")}
    assert counts["2.5"] == 0.0
    assert counts["5.0"] == counts["+Inf"] == 1.0
    assert {sample.name[len(setup.name) :]: sample.value for sample in setup.samples if not sample.labels} == {
        "_count": 1.0,
        "_sum": 3.0,
    }


def test_a_trunk_without_registration_limit_or_check_has_no_number_for_it() -> None:
    [trunk] = measures()["trunks"]
    found = scraped(measures(trunks=[trunk | {"registration": "off", "limit": None, "latency": None}]))
    assert "b2bua_trunk_registered" in found
    for name in ("registered", "channels_limit", "check_seconds"):
        assert values(found[f"b2bua_trunk_{name}"]) == {}


def test_without_a_server_the_desk_says_so() -> None:
    found = scraped(None)
    assert values(found["b2bua_server_up"]) == {(): 0.0}
    assert "b2bua_calls" not in found
    assert set(values(found["b2bua_process_cpu_seconds"])) == {("desk",)}


def test_promtool_finds_nothing_to_say(promtool: str) -> None:
    done = subprocess.run([promtool, "check", "metrics"], input=Exposition(measures()).text(), capture_output=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")


@pytest.mark.parametrize("query", [*QUERIES, *ALARMS])
def test_what_dashboard_and_alarms_ask_for_is_there(query: str) -> None:
    exported = {sample.name for family in scraped(measures(), FEED).values() for sample in family.samples}
    # Strings first: job="b2bua" is no name of a metric.
    asked = set(re.findall(r"\bb2bua_\w+", re.sub(r'"[^"]*"', "", query)))
    assert asked
    assert asked - exported == set()


def test_promtool_understands_each_of_them(promtool: str, tmp_path: Path) -> None:
    replaced = [query.replace("$__rate_interval", "5m").replace("$instance", ".*") for query in QUERIES]
    rules = [{"record": f"asked:{number}", "expr": query} for number, query in enumerate(replaced)]
    (tmp_path / "dashboard.yaml").write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    for file in (tmp_path / "dashboard.yaml", RULES):
        done = subprocess.run([promtool, "check", "rules", str(file)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_takes_the_way_to_scrape(promtool: str) -> None:
    file = EXAMPLES / "prometheus" / "scrape.yaml"
    done = subprocess.run([promtool, "check", "config", str(file)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
