"""Every figure of /metrics stands on the page of upkeep, in both languages, with its kind and its labels."""

import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.docs.pages import ROOT
from wunder.model.runtime import RuntimeState
from wunder.observe.metrics import Counter, Metrics

KINDS = {
    "upkeep.md": {"counter": "counter", "gauge": "gauge", "histogram": "histogram"},
    "upkeep.zh-CN.md": {"counter": "计数器", "gauge": "仪表", "histogram": "直方图"},
}


def shown() -> dict[str, tuple[str, set[str]]]:
    """Each figure of a scrape: its kind and its labels."""
    metrics = Metrics()
    metrics.watch(lambda: {"queue": 1}, lambda: [RuntimeState.READY], lambda: {"turned_away": 0})
    for metric in vars(metrics).values():
        if isinstance(metric, Counter) and metric.labels:
            metric.inc(*(min(values) for values in metric.labels.values()))
    found = {}
    for family in text_string_to_metric_families(metrics.render().decode()):
        name = family.name + ("_total" if family.type == "counter" else "")
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        found[name] = (family.type, labels)
    return found


@pytest.mark.parametrize("page", KINDS)
def test_every_figure_is_on_the_page_with_its_kind_and_labels(page: str) -> None:
    text = (ROOT / "docs/operate" / page).read_text("utf-8")
    rows = re.findall(r"^\| `((?:wunder|process)_\w+)` \| ([^|]+) \|", text, re.M)
    told = {}
    for name, said in rows:
        kind, _, labels = said.replace("：", ":").partition(":")
        told[name] = (kind.strip(), set(re.findall(r"\w+", labels)))
    kinds = KINDS[page]
    assert told == {name: (kinds[kind], labels) for name, (kind, labels) in shown().items()}
