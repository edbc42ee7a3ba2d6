"""Every door of a store that is written once, over the writer and the readers of an engine."""

from collections.abc import Callable
from typing import NamedTuple

from wunder.ports import Clock
from wunder.store.accounts import SqlAccountTable
from wunder.store.activity import SqlActivityLog
from wunder.store.agents import SqlAgentTable
from wunder.store.attachments import SqlAttachmentTable
from wunder.store.audit import SqlAuditLog
from wunder.store.bindings import SqlBindingTable
from wunder.store.chat import StoredChatLog
from wunder.store.desk import SqlOutboxDesk
from wunder.store.events import Carries, SqlEventLog
from wunder.store.ledger import SqlLedger
from wunder.store.people import SqlSessionTable, SqlUserTable
from wunder.store.plugin_history import SqlPluginHistory
from wunder.store.plugins import SqlPluginTable
from wunder.store.policy import StorePolicy
from wunder.store.reads import Reads
from wunder.store.tokens import SqlKeyCheck, SqlTokenTable
from wunder.store.upkeep import Moves, UpkeepTables
from wunder.store.visibility import SqlVisibilityTable


class Under(NamedTuple):
    """What an engine gives to them: `quick` for short reads, `slow` for long ones."""

    writer: Carries
    quick: Reads
    slow: Reads
    moves: Moves
    figure: Callable[[str], int]
    node_id: str
    like: str  # its word for a comparison that folds case


class SharedDoors:
    """The doors off the message path."""

    def __init__(self, under: Under, clock: Clock, policy: StorePolicy) -> None:
        writer, quick, slow, moves = under.writer, under.quick, under.slow, under.moves
        self.outbox_desk = SqlOutboxDesk(writer, slow, moves.lanes, moves.reroute)
        self.accounts = SqlAccountTable(writer, quick, moves.lanes)
        self.bindings = SqlBindingTable(writer, quick)
        self.agents = SqlAgentTable(writer, quick)
        self.attachments = SqlAttachmentTable(writer, quick)
        self.plugins = SqlPluginTable(writer, quick)
        self.history = SqlPluginHistory(writer, quick, under.node_id)
        self.tokens = SqlTokenTable(writer, quick)
        self.users = SqlUserTable(writer, quick)
        self.sessions = self.session_ends = SqlSessionTable(writer, quick)
        self.audit, self.activity = SqlAuditLog(writer, slow), SqlActivityLog(slow)
        self.visibility = SqlVisibilityTable(writer, quick)
        self.key_check = SqlKeyCheck(writer, quick)
        self.chat = StoredChatLog(slow)
        self.upkeep = UpkeepTables(writer, slow, moves, under.figure, policy)
        self.ledger = SqlLedger(slow, under.like, clock.monotonic)
        self.events = SqlEventLog(writer, slow, policy)
