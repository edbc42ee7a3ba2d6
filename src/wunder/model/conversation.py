"""Conversation and session: who talks with whom, and the running thread of talk between them."""

from enum import StrEnum
from typing import Literal

import msgspec

from wunder.model.ids import AccountId, AccountUid, AgentId, At, ChannelId, SessionId

PeerKind = Literal["user", "group", "channel"]


class LaneKind(StrEnum):
    """Each conversation has two lanes: turns in, deliveries out."""

    TURN = "turn"
    DELIVERY = "delivery"


class Conversation(msgspec.Struct, frozen=True, order=True):
    """(account_uid, peer_kind, peer_id, thread_id): separate fields, binary comparison, '' for none."""

    account_uid: AccountUid
    peer_kind: str
    peer_id: str
    thread_id: str = ""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """The four parts in order, as columns and as input of the dedupe key."""
        return (self.account_uid, self.peer_kind, self.peer_id, self.thread_id)


class Session(msgspec.Struct, frozen=True):
    """One running conversation with one agent."""

    session_id: SessionId
    conversation: Conversation
    channel: ChannelId
    account_id: AccountId
    agent_id: AgentId
    peer_name: str
    created_at: At
    last_message_at: At
    message_count: int


class HistoryLine(msgspec.Struct, frozen=True):
    """One earlier line of a session, oldest first, as agents read it."""

    role: Literal["user", "assistant"]
    text: str
    sender_name: str = ""
    at: At = At(0)
