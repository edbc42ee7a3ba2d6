"""The three rooms of a message's way, wired from the last to the first: send, answer, take in."""

import random

from wunder.accounts.agents import AgentDesk
from wunder.agents.catalog import AgentCatalog
from wunder.agents.later import LaterReplies
from wunder.app.channels import Channels
from wunder.app.ground import Ground
from wunder.app.senders import SendersHere
from wunder.app.stores import has_peers, holds_of
from wunder.attachments.room import AttachmentRoom
from wunder.conversation.turn import Directory as TurnDirectory
from wunder.conversation.turn import TurnRunner
from wunder.conversation.worker import Beside, Worker
from wunder.inbound.inline import InlineDesk
from wunder.inbound.intake import IntakeDesk
from wunder.inbound.spool import Spool, SpoolWorker
from wunder.inbound.webhook import Directory as WebhookDirectory
from wunder.inbound.webhook import WaitingRooms, Webhooks
from wunder.outbound.attempt import Attempt
from wunder.outbound.dispatcher import Dispatcher
from wunder.outbound.outcome import OutcomeReporter
from wunder.outbound.queue import SendDesk
from wunder.outbound.slots import Slots
from wunder.streaming.stage import Stage
from wunder.upkeep.admission import Gate


class Rooms:
    """Every part that a message passes, and the doors to them."""

    def __init__(
        self,
        ground: Ground,
        channels: Channels,
        agents: AgentDesk,
        attachments: AttachmentRoom,
        gate: Gate,
    ) -> None:
        self._ground = ground
        self._providers = channels.providers
        self._media = attachments.media
        self._send(channels)
        self._answer(agents)
        self._take_in(gate)

    def wake(self) -> None:
        """Look for rows that wait, in both rooms that claim."""
        self.worker.wake()
        self.dispatcher.wake()

    def _send(self, channels: Channels) -> None:
        config, store, clock = self._ground.config, self._ground.store, self._ground.clock
        accounts, providers = self._ground.accounts, self._providers
        senders = SendersHere(providers, channels.takes_calls, lambda: has_peers(store))
        self.slots = Slots(accounts, senders, clock, config.slots, config.parking)
        dice, holds = random.SystemRandom(), holds_of(store)
        attempt = Attempt(accounts, providers, clock, config.retry, dice, holds)
        figures = self._ground.metrics
        reporter = OutcomeReporter(accounts, self.slots, store.events, figures, config.retry)
        self.dispatcher = Dispatcher(
            store.outbox, attempt, self.slots, reporter, clock, config.dispatcher
        )
        self.sends = SendDesk(store.outbox, accounts, self.dispatcher, self._media, clock)

    def _answer(self, desk: AgentDesk) -> None:
        config, store, clock = self._ground.config, self._ground.store, self._ground.clock
        accounts, providers = self._ground.accounts, self._providers
        later = LaterReplies(store.upkeep.later)
        self.agents = AgentCatalog(desk, self._ground.http, clock, self._media, later)
        self.stage = Stage(
            store.streams, accounts, providers, self.dispatcher, clock, config.streaming
        )
        directory = TurnDirectory(
            accounts, self._ground.bindings, self.agents, providers, self._media, self.stage
        )
        figures = self._ground.metrics
        runner = TurnRunner(store.turns, directory, clock, figures, config.turn)
        self._inline = InlineDesk(store.outbox, clock, config.inline)
        beside = Beside(self.dispatcher, self._inline)
        self.worker = Worker(store.turns, runner, beside, clock, figures, config.worker)

    def _take_in(self, gate: Gate) -> None:
        config, store, clock = self._ground.config, self._ground.store, self._ground.clock
        accounts, figures = self._ground.accounts, self._ground.metrics
        desk = IntakeDesk(store.intake, self.worker, self.worker, clock, figures, config.pairing)
        spool = Spool(store.intake, self._ground.keyring, clock, store.events, config.spool)
        who = WebhookDirectory(accounts, self._providers)
        waiting = WaitingRooms(gate, spool, self._inline)
        limit = config.gateway.max_body_bytes
        self.webhooks = Webhooks(who, waiting, desk, store.events, figures, limit)
        self.spool = SpoolWorker(spool, desk, accounts, self._providers, gate)
