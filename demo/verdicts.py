"""What the demo promises, and the table at its end that says what was seen of it."""

from collections.abc import Mapping

from screen import Screen

PROMISED = {
    "setup": "starts from nothing; first-run token used up",
    "builtin": "built-in channel answers, no plugin yet",
    "approval": "nothing runs that nobody approved",
    "takeover": "taking over from the built-in is asked for",
    "account": "account made; its secret shows nowhere",
    "address": "QQ's address check answered",
    "private": "private message answered",
    "group": "group @-message answered",
    "trail": "each trail complete: step, time, plugin, account",
    "kept": "the built-in's account went over, and back is one call",
    "plugin_killed": "plugin killed: next message answered",
    "gateway_killed": "gateway killed: replies arrive once, in order",
    "sandbox": "sandbox level shown",
}


def tell(screen: Screen, seen: Mapping[str, str], failure: str, took_s: float) -> bool:
    """Show the table of all that was promised. Returns whether all of it was seen.

    Args:
        screen: where it is shown.
        seen: the key of a promise and the evidence for it.
        failure: why the story ended early; "" where it did not.
        took_s: how long it took.
    """
    missing = [name for name in PROMISED if name not in seen]
    screen.scene("What was promised, and what was seen")
    verdicts = {name: "ok" if name in seen else "missing" for name in PROMISED}
    evidence = {name: seen.get(name, "not seen") for name in PROMISED}
    if missing and failure:
        # The story ends at its first failure: what follows was not tried.
        verdicts[missing[0]], evidence[missing[0]] = "wrong", failure
    screen.verdicts([(verdicts[name], words, evidence[name]) for name, words in PROMISED.items()])
    if missing:
        screen.end("missing: " + "; ".join(PROMISED[name] for name in missing), is_well=False)
        return False
    screen.end(f"all {len(PROMISED)} seen in {took_s:.1f} s", is_well=True)
    return True
