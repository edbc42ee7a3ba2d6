"""What is remembered between calls: what WeChat lets an account do, and what each user may get."""

from collections import OrderedDict
from dataclasses import dataclass

from wunder_channels.wechat_mp.config import ACTIVE, PASSIVE, MpConfig
from wunder_sdk import Account, Send, StateConflict

_REFUSED = "customer_service_refused_ms"
_FORCED = "token_forced_ms"
#: An account may be verified any day: ask again after this long (choice).
_REFUSED_AGAIN_MS = 24 * 3_600_000
#: How long a process trusts what it read of the gateway's store (choice).
_READ_AGAIN_MS = 30_000
#: force_refresh kills the old token; WeChat takes it 20 times a day, 30 s apart (stable_token docs).
_FORCED_AGAIN_MS = 30_000
_USERS = 20_000
_DEFAULT_QUOTA = 5


class Permission:
    """Whether an account answers by customer service message; one for all accounts of a process."""

    def __init__(self) -> None:
        self._read: OrderedDict[tuple[str, int], tuple[int, bool]] = OrderedDict()

    async def must_be_passive(self, account: Account[MpConfig], now_ms: int) -> bool:
        """Say whether answers can only travel in the webhook's response."""
        config = account.config
        if config.reply_mode == PASSIVE or not config.can_call:
            return True
        if config.reply_mode == ACTIVE:
            return False
        key = (account.account_id, account.rev)
        read_ms, refused = self._read.get(key, (-_READ_AGAIN_MS, False))
        if now_ms - read_ms >= _READ_AGAIN_MS:
            at = await account.state.get(_REFUSED)
            refused = isinstance(at, int) and now_ms - at < _REFUSED_AGAIN_MS
            self._note(key, now_ms, refused=refused)
        return refused

    async def remember_refused(self, account: Account[MpConfig], now_ms: int) -> None:
        """Answer passively for a day: WeChat says that this account may not do more (48001)."""
        self._note((account.account_id, account.rev), now_ms, refused=True)
        await account.state.put(_REFUSED, now_ms)

    async def forget_refused(self, account: Account[MpConfig], now_ms: int) -> None:
        """Use customer service messages again: "test connection" found that they are allowed."""
        self._note((account.account_id, account.rev), now_ms, refused=False)
        await account.state.delete(_REFUSED)

    def _note(self, key: tuple[str, int], now_ms: int, *, refused: bool) -> None:
        self._read[key] = (now_ms, refused)
        while len(self._read) > _USERS:
            self._read.popitem(last=False)


async def may_force_token(account: Account[MpConfig], now_ms: int) -> bool:
    """Say whether a token may be forced now, and note that it is."""
    at, rev = await account.state.get_with_rev(_FORCED)
    if isinstance(at, int) and 0 <= now_ms - at < _FORCED_AGAIN_MS:
        return False
    try:
        await account.state.put(_FORCED, now_ms, rev=rev)
    except StateConflict:
        return False  # another process, maybe on another node, was first
    return True


class Pictures:
    """Where the pictures lie that came with an id: their addresses need no permission."""

    def __init__(self, most: int = _USERS) -> None:
        self._most = most
        self._addresses: OrderedDict[tuple[str, str], str] = OrderedDict()

    def note(self, account_id: str, media_id: str, address: str) -> None:
        """Remember the address of a picture."""
        self._addresses[account_id, media_id] = address
        while len(self._addresses) > self._most:
            self._addresses.popitem(last=False)

    def address(self, account_id: str, media_id: str) -> str:
        """Return the address of a picture, empty where this process did not see it."""
        return self._addresses.get((account_id, media_id), "")


@dataclass(slots=True)
class _Answers:
    message_id: str
    sent: int


class Allowance:
    """How many messages each user may still get; WeChat itself has the last word (45047).

    Kept in this process only: after a restart the parts of earlier deliveries are unknown, and
    a long answer may meet WeChat's refusal instead of being shortened in time.
    """

    def __init__(self, most: int = _USERS) -> None:
        self._most = most
        self._answers: OrderedDict[tuple[str, str], _Answers] = OrderedDict()

    def left(self, account_id: str, send: Send) -> int:
        """Return how many messages this part may count on, itself included."""
        quota = send.message.meta.get("quota")
        known = self._answers.get((account_id, send.peer.id))
        counted = known.sent if known and known.message_id == (send.message.reply_to or "") else 0
        # Every delivery before this one took at least one.
        least = max(send.reply_ordinal, 1) - 1 + send.part
        return (quota if isinstance(quota, int) else _DEFAULT_QUOTA) - max(counted, least)

    def count(self, account_id: str, send: Send) -> None:
        """Note that a message went out, or may have."""
        key, message_id = (account_id, send.peer.id), send.message.reply_to or ""
        known = self._answers.pop(key, None)
        if known is None or known.message_id != message_id:
            known = _Answers(message_id, max(send.reply_ordinal, 1) - 1 + send.part)
        known.sent += 1
        self._answers[key] = known
        while len(self._answers) > self._most:
            self._answers.popitem(last=False)
