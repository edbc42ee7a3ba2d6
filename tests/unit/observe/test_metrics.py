"""What a scrape shows, checked with Prometheus' own parser."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from wunder.model.fault import FaultKind
from wunder.model.intake import Taken
from wunder.model.runtime import RuntimeState
from wunder.observe.metrics import Counter, Metrics


def samples(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = text_string_to_metric_families(metrics.render().decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_counters_show_what_was_counted():
    metrics = Metrics()
    metrics.attempts.inc("not_sent", FaultKind.RATE_LIMITED)
    metrics.attempts.inc("not_sent", FaultKind.RATE_LIMITED)
    seen = samples(metrics)
    labels = (("kind", "rate_limited"), ("outcome", "not_sent"))
    assert seen["wunder_attempts_total", labels] == 2


@pytest.mark.parametrize("result", Taken)
def test_what_became_of_a_message_is_counted_under_its_own_name(result):
    metrics = Metrics()
    metrics.intake_messages.inc(result)
    assert samples(metrics)["wunder_intake_messages_total", (("result", result),)] == 1


def test_rule_18_a_label_value_that_is_not_listed_becomes_other():
    metrics = Metrics()
    metrics.plugin_calls.inc('evil"\n} 1', "internal")
    seen = samples(metrics)
    assert seen["wunder_plugin_calls_total", (("kind", "internal"), ("method", "other"))] == 1


def test_rule_18_every_label_has_a_closed_list_of_values():
    for metric in vars(Metrics()).values():
        if isinstance(metric, Counter):
            assert all(allowed for allowed in metric.labels.values())


def test_a_wrong_number_of_labels_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="outcome"):
        Metrics().attempts.inc("sent")


def test_a_histogram_is_cumulative_and_ends_with_everything():
    metrics = Metrics()
    for seconds in (0.0004, 0.3, 99.0, -1.0):
        metrics.webhook_seconds.observe(seconds)
    seen = samples(metrics)
    assert seen["wunder_webhook_seconds_bucket", (("le", "0.001"),)] == 2
    assert seen["wunder_webhook_seconds_bucket", (("le", "0.5"),)] == 3
    assert seen["wunder_webhook_seconds_bucket", (("le", "+Inf"),)] == 4
    assert seen["wunder_webhook_seconds_count", ()] == metrics.webhook_seconds.count == 4
    assert seen["wunder_webhook_seconds_sum", ()] == pytest.approx(99.3004)


def test_gauges_come_from_the_store_and_the_runtime():
    metrics = Metrics()
    metrics.watch(figures=lambda: {"outbox_pending": 3.0})
    metrics.watch(plugin_states=lambda: [RuntimeState.READY, RuntimeState.READY])
    seen = samples(metrics)
    assert seen["wunder_store", (("figure", "outbox_pending"),)] == 3
    assert seen["wunder_plugins", (("state", "ready"),)] == 2
    assert seen["wunder_plugins", (("state", "broken"),)] == 0


def test_every_name_ends_with_its_unit_or_total():
    names = {name for name, _ in samples(Metrics())}
    endings = ("_total", "_bucket", "_sum", "_count", "_seconds", "_kilobytes", "_created")
    assert all(name.endswith(endings) for name in names), names
