"""What the host knows of each method: who may close an account, and whose silence is an unknown outcome."""

from wunder.runtime.policy import CallLimits
from wunder.runtime.rules import method_rules

RULES = method_rules(CallLimits())
SENDS = {"channel.send_outbound", "channel.edit_outbound"}


def test_only_what_the_gateway_itself_decides_to_send_has_a_breaker() -> None:
    """A stranger's webhook must not close an account (ADR 0023), nor a courtesy (ADR 0073)."""
    assert {name for name, rule in RULES.items() if rule.has_breaker} == SENDS


def test_only_a_send_without_an_answer_may_have_reached_the_platform() -> None:
    assert {name for name, rule in RULES.items() if rule.may_reach} == SENDS
