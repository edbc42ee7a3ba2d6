"""What an account did lately: whether its first message came, when the last one did, whether it rests."""

import msgspec

from wunder.accounts.drafts import AccountView
from wunder.api.parts import ApiParts
from wunder.model.ids import AccountUid, At
from wunder.upkeep.ledger import MessageFilter


class Activity(msgspec.Struct, frozen=True):
    """`is_parked`: the platform refuses the credentials, and this node waits before it tries again."""

    has_received: bool
    last_message_at: At | None
    is_parked: bool


async def activity_of(view: AccountView, parts: ApiParts) -> Activity:
    """Say what an account did; nothing of what was said."""
    uid = AccountUid(view.account_uid)
    where = MessageFilter(channel=view.channel, account_id=view.account_id)
    latest = (await parts.ledger.messages(where, 1, "")).items
    grown_at = None if latest else await parts.activity.last_grown_at(uid)
    return Activity(
        has_received=await parts.activity.has_received(uid),
        last_message_at=latest[0].created_at if latest else grown_at,
        is_parked=uid in parts.parked(),
    )
