"""Rules and alerts: promtool plays each alert's test, and what no tool looks at is checked here.

An alert's test is in the file of the same name as the alert's, with the input, the moment and the text that an operator would
read. Everything is found from the files: an alert that is added without a test or a runbook is noticed.
"""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.prometheus import promtool_binary

ROOT = Path(__file__).resolve().parents[3]
MONITORING = ROOT / "deploy" / "k8s" / "components" / "monitoring"
RUNBOOKS = ROOT / "docs" / "runbooks"
ALERT_FILES = sorted((MONITORING / "alerts").glob("*.yaml"))
RULE_FILES = sorted((MONITORING / "rules").glob("*.yaml"))
TESTS = Path(__file__).parent

OTHERS = {
    "alertmanager_notifications_failed_total",
    "certmanager_certificate_expiration_timestamp_seconds",
    "prometheus_notifications_errors_total",
    "prometheus_rule_evaluation_failures_total",
}
"""Metrics that are not Salon's, and so not in docs/metrics.md."""

_FUNCTIONS = {
    "group_left",
    "histogram_quantile",
    "avg_over_time",
    "max_over_time",
    "min_over_time",
    "sum_over_time",
}
_NAME = re.compile(r"\b[a-z]\w*[_:][\w:]*")
_LABELS = re.compile(r"\{[^}]*\}|\b(?:by|on|without|ignoring|group_left) ?\([^)]*\)")


def rules_of(paths: list[Path]) -> list[dict[str, Any]]:
    return [
        rule
        for path in paths
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
    ]


ALERTS = [rule for rule in rules_of(ALERT_FILES) if "alert" in rule]
ALERT_NAMES = sorted({rule["alert"] for rule in ALERTS})
RECORDS = {rule["record"] for rule in rules_of(RULE_FILES)}


def metrics_of(expression: str) -> set[str]:
    """The names that a query asks for; `up` and other words without an underscore are not told apart from PromQL's own."""
    return set(_NAME.findall(_LABELS.sub(" ", expression))) - _FUNCTIONS


def documented_metrics() -> set[str]:
    """Those of docs/metrics.md, as a query may name them."""
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|", (ROOT / "docs" / "metrics.md").read_text(), re.MULTILINE)
    names = {name for name, kind in rows if kind != "histogram"}
    return names | {
        f"{name}_{part}" for name, kind in rows if kind == "histogram" for part in ("bucket", "count", "sum")
    }


def promtool(*arguments: str | Path) -> None:
    done = subprocess.run([promtool_binary(), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", sorted(TESTS.glob("*.yaml")), ids=lambda path: path.stem)
def test_each_alert_fires_when_it_should_and_only_then(path: Path) -> None:
    promtool("test", "rules", path)


def test_the_files_are_valid() -> None:
    promtool("check", "rules", *RULE_FILES, *ALERT_FILES)
    promtool("check", "config", "--syntax-only", MONITORING / "prometheus" / "prometheus.yaml")


def evaluations(path: Path) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """What a test expects of an alert, moment by moment."""
    for case in yaml.safe_load(path.read_text())["tests"]:
        for evaluation in case.get("alert_rule_test", ()):
            yield evaluation["alertname"], evaluation["exp_alerts"]


@pytest.mark.parametrize("path", ALERT_FILES, ids=lambda path: path.stem)
def test_each_alert_is_seen_firing_and_silent(path: Path) -> None:
    expected = list(evaluations(TESTS / path.name))
    fired = {(name, alert["exp_labels"]["severity"]) for name, alerts in expected for alert in alerts}
    silent = {name for name, alerts in expected if not alerts}
    rules = rules_of([path])
    assert fired == {(rule["alert"], rule["labels"]["severity"]) for rule in rules}
    assert silent == {rule["alert"] for rule in rules}


def test_rules_ask_only_for_metrics_that_exist() -> None:
    asked = set().union(*(metrics_of(rule["expr"]) for rule in rules_of(RULE_FILES + ALERT_FILES)))
    assert asked - documented_metrics() - RECORDS == OTHERS


def test_names_are_found_in_a_query() -> None:
    query = 'sum by (a_b, c) (rate(x_total{d_e="f_g"}[5m])) / on (h_i) group_left(j_k) l:m_n:o or max_over_time(up[1h])'
    assert metrics_of(query) == {"x_total", "l:m_n:o"}


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: f"{rule['alert']}-{rule['labels']['severity']}")
def test_an_alert_says_what_it_is_and_where_to_read_on(rule: dict[str, Any]) -> None:
    texts = rule["annotations"]
    assert rule["labels"]["severity"] in ("page", "ticket", "none")
    assert texts["runbook_url"] == f"docs/runbooks/{rule['alert']}.md"
    assert set(texts) == {"summary", "description", "runbook_url"}
    assert texts["description"].endswith(".")


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    assert sorted(path.stem for path in RUNBOOKS.glob("Salon*.md")) == ALERT_NAMES


@pytest.mark.parametrize("name", ALERT_NAMES)
def test_a_runbook_says_what_to_do(name: str) -> None:
    text = (RUNBOOKS / f"{name}.md").read_text()
    headings = re.findall(r"^#+ .*", text, re.MULTILINE)
    assert headings == [f"# {name}", "## What people notice", "## Look at", "## Do", "## It ends"]
    assert f"({name}.md)" in (RUNBOOKS / "README.md").read_text()


def test_a_runbook_asks_only_for_metrics_that_exist() -> None:
    known = documented_metrics() | RECORDS | OTHERS
    for path in RUNBOOKS.glob("Salon*.md"):
        queries = re.findall(r"```promql\n(.*?)\n```", path.read_text(), re.DOTALL)
        asked = set().union(*map(metrics_of, queries))
        assert asked <= known, f"{path.name}: {asked - known}"


@pytest.mark.parametrize(
    "page", [ROOT / "docs" / "slo.md", *sorted(RUNBOOKS.glob("*.md"))], ids=lambda page: page.stem
)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)", page.read_text())
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


def test_alertmanager_knows_the_alerts_that_it_names() -> None:
    settings = yaml.safe_load((MONITORING / "alertmanager/alertmanager.yaml").read_text())
    receivers = {receiver["name"] for receiver in settings["receivers"]}
    routes = [settings["route"], *settings["route"]["routes"]]
    assert {route["receiver"] for route in routes} == receivers
    rules = settings["inhibit_rules"]
    matchers = [matcher for route in routes for matcher in route.get("matchers", ())]
    matchers += [
        matcher for rule in rules for side in ("source", "target") for matcher in rule[f"{side}_matchers"]
    ]
    patterns = re.findall(r'alertname =~? "([^"]+)"', " ".join(matchers))
    for pattern in "|".join(patterns).split("|"):
        assert any(re.fullmatch(pattern, name) for name in ALERT_NAMES), pattern


def test_objectives_are_those_of_the_page() -> None:
    page = (ROOT / "docs" / "slo.md").read_text()
    budgets = {
        rule["labels"]["slo"]: float(rule["expr"].removeprefix("vector(").removesuffix(")"))
        for rule in rules_of(RULE_FILES)
        if rule["record"] == "slo:salon_error_budget:ratio"
    }
    told = re.findall(r"^\| `(\w+)` \|.*\| ([\d.]+) % \|$", page, re.MULTILINE)
    assert {name: pytest.approx(float(percent) / 100) for name, percent in told} == budgets
