"""The console has words, in both languages, for every code that the gateway can send it."""

import ast
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from wunder.model.account import AccountStatus
from wunder.model.binding import AgentKind
from wunder.model.conversation import PeerKind
from wunder.model.delivery import DeliveryState, ReceiptState, Settlement
from wunder.model.fault import FaultKind
from wunder.model.message import AttachmentKind, MessageState
from wunder.model.plugin import PluginStatus
from wunder.model.runtime import RuntimeState
from wunder.model.trail import StepName
from wunder.people.person import Role
from wunder.plugins.refusals import Reason
from wunder.plugins.signature import SignatureVerdict
from wunder.plugins.views import PermissionName, Step
from wunder.upkeep.jobs import JobState

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src/wunder"
LANGUAGES = ("en", "zh-CN")
#: Whose refusals an administrator can meet in the console; the others speak to the command line.
ASKED = ("accounts", "plugins", "people", "upkeep", "outbound", "api", "store")
#: Said at a start, a backup or a restore, where no console is.
OFFLINE = {"backup_exists", "key_check_exists", "moved_already", "not_empty", "not_first"}


def calls(*rooms: str) -> Iterator[ast.Call]:
    """Every call in these folders of the gateway."""
    for room in rooms:
        for file in sorted((SRC / room).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Call):
                    yield node


def name_of(call: ast.Call) -> str:
    return getattr(call.func, "attr", "") or getattr(call.func, "id", "")


def words_in(node: ast.expr | None) -> Iterator[str]:
    """The texts that an argument can be, also where it is chosen between two."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from words_in(node.body)
        yield from words_in(node.orelse)


def given(call: ast.Call, place: int, keyword: str) -> ast.expr | None:
    if len(call.args) > place:
        return call.args[place]
    return next((one.value for one in call.keywords if one.arg == keyword), None)


def checks() -> set[str]:
    """What a review can say of a package."""
    found = [one for one in calls("plugins") if name_of(one) == "Finding"]
    warned = [one for one in calls("plugins") if name_of(one) == "warn" and len(one.args) == 3]
    codes = {code for one in found for code in words_in(given(one, 0, "code"))}
    return codes | {code for one in warned for code in words_in(one.args[1])}


def events() -> set[str]:
    """What can be told in the feed and in the audit."""
    told = [one for one in calls("") if name_of(one) == "Event"]
    return {name for one in told for name in words_in(given(one, 0, "name"))}


def conflicts() -> set[str]:
    """Why something that is well said can be refused."""
    refused = [one for one in calls(*ASKED) if name_of(one) == "Conflict"]
    return {name for one in refused for name in words_in(given(one, 1, "reason"))} - OFFLINE


SENT: dict[str, Callable[[], Iterable[str]]] = {
    "upload.check.": checks,
    "upload.checkText.": checks,
    "event.": events,
    "problem.": conflicts,
    "state.delivery.": lambda: DeliveryState,
    "state.receipt.": lambda: get_args(ReceiptState),
    "state.message.": lambda: MessageState,
    "state.plugin.": lambda: PluginStatus,
    "state.runtime.": lambda: RuntimeState,
    "state.job.": lambda: get_args(JobState),
    "state.attempt.": lambda: get_args(get_type_hints(Settlement)["outcome"]),
    "state.account.": lambda: get_args(AccountStatus),
    "trace.step.": lambda: StepName,
    "fault.": lambda: FaultKind,
    "refusal.": lambda: Reason,
    "signature.": lambda: SignatureVerdict,
    "attachment.": lambda: get_args(AttachmentKind),
    "peer.": lambda: get_args(PeerKind),
    "agent.kinds.": lambda: get_args(AgentKind),
    "role.": lambda: get_args(Role),
    "permission.": lambda: get_args(PermissionName),
    "upload.kind.": lambda: get_args(Step),
}


@pytest.mark.parametrize("family", SENT)
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_gateway_can_send_has_words(family: str, language: str) -> None:
    words = json.loads((ROOT / f"console/src/i18n/{language}.json").read_text("utf-8"))
    codes = {str(code) for code in SENT[family]()}
    assert codes, "nothing is sent any more: this line of the test says nothing"
    assert {code for code in codes if not words.get(family + code, "").strip()} == set()
