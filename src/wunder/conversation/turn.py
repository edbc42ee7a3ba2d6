"""The heart: one inbound message, its binding, its session, the agent's answer.

A turn is computed here and committed by the worker. The agent may be called again after a crash with
the same `turn_id` (at least once); its result is committed exactly once.
"""

import msgspec

from wunder.conversation.bot_loop import BotLoop
from wunder.conversation.routing import route
from wunder.errors import AgentFailed
from wunder.model.account import Account
from wunder.model.binding import Binding
from wunder.model.command import ChatCommand, chat_command
from wunder.model.delivery import ReleaseRef
from wunder.model.ids import At, BindingId, PluginId, SessionId, derived_id
from wunder.model.message import InboundMessage, MessageState
from wunder.model.trail import Step, StepName
from wunder.model.turn import AgentTurn, ClaimedTurn, Reply, TurnCommit
from wunder.observe.logs import get_logger
from wunder.observe.metrics import Metrics
from wunder.ports import Accounts, Agent, Agents, Bindings, Clock, Media, Providers, Stage, Turns

log = get_logger(__name__)
NOBODY = ReleaseRef(PluginId(""), "")


class TurnPolicy(msgspec.Struct, frozen=True):
    """A failing agent holds its lane for at most `tries` tries or `hold_s` seconds.

    `media_wait_s` is how long a turn waits for what its message brought before the agent is asked.
    """

    tries: int = 3
    hold_s: float = 60.0
    retry_base_s: float = 1.0
    history_lines: int = 20
    media_wait_s: float = 10.0
    started: str = "已开始新的会话。A new session has begun."
    stopped: str = "已停止。Stopped."
    help: str = (
        "/new 开始新的会话 start a new session\n"
        "/stop 停止当前回答 stop the current answer\n"
        "/help 显示本帮助 show this help"
    )
    apology: str = "抱歉，我暂时无法回答，请稍后再试。Sorry, I cannot answer right now. Please try again later."


def joined(replies: tuple[Reply, ...]) -> tuple[Reply, ...]:
    """One reply of all: a webhook's response has room for one."""
    if len(replies) < 2:
        return replies
    text = "\n\n".join(reply.text for reply in replies if reply.text)
    attachments = tuple(one for reply in replies for one in reply.attachments)
    is_markdown = any(reply.format == "markdown" for reply in replies)
    return (Reply(text, "markdown" if is_markdown else "plain", attachments),)


class Directory(msgspec.Struct, frozen=True):
    """Whom a turn asks: which account, which binding, which agent, whose channel."""

    accounts: Accounts
    bindings: Bindings
    agents: Agents
    providers: Providers
    media: Media
    stage: Stage


class TurnRunner:
    """Answers one claimed message."""

    def __init__(
        self, turns: Turns, directory: Directory, clock: Clock, metrics: Metrics, policy: TurnPolicy
    ) -> None:
        self._turns = turns
        self._directory = directory
        self._clock = clock
        self._metrics = metrics
        self._policy = policy
        self._bot_loop = BotLoop()

    async def answer(self, turn: ClaimedTurn) -> TurnCommit:
        """Work out what this turn ends with. Never raises for what an agent or a binding does."""
        message = turn.message
        started_at = self._clock.now()
        account = self._directory.accounts.get(message.conversation.account_uid)
        if account is None:
            return self._without_reply(turn, MessageState.UNROUTED, "account_gone")
        age_ms = started_at - message.received_at
        if age_ms > account.row.config.delivery.ttl_s * 1000 and not turn.is_rerouted:
            # After a long downtime nobody waits for these any more: quiet, and shown.
            return self._without_reply(turn, MessageState.FAILED, "too_old")
        if message.sender.is_bot and self._bot_loop.is_looping(
            message.conversation, self._clock.monotonic()
        ):
            return self._without_reply(turn, MessageState.NO_ANSWER, "bot_loop")
        binding = self._bind(message, account)
        if binding is None:
            return self._without_reply(turn, MessageState.UNROUTED, "no_binding")
        if message.is_event and not binding.events:
            return self._without_reply(turn, MessageState.NO_ANSWER, "event")
        if account.row.config.access.commands:
            command = chat_command(message.content)
            if command is not None:
                return self._obey(turn, command, account, binding)
        agent = self._directory.agents.get(binding.agent_id)
        if agent is None:
            return self._without_reply(turn, MessageState.UNROUTED, "agent_gone")
        return await self._ask(turn, account, binding, agent, started_at)

    def stopped(self, turn: ClaimedTurn) -> TurnCommit:
        """What a turn ends with that its own chat user stopped."""
        account = self._directory.accounts.get(turn.message.conversation.account_uid)
        commit = self._without_reply(turn, MessageState.ANSWERED, "stopped")
        if account is None:
            return msgspec.structs.replace(commit, state=MessageState.NO_ANSWER)
        expires_at = self._expires_at(turn.message, account, commit.at)
        said = (Reply(self._policy.stopped),)
        return msgspec.structs.replace(commit, replies=said, expires_at=expires_at)

    def _obey(
        self, turn: ClaimedTurn, command: ChatCommand, account: Account, binding: Binding
    ) -> TurnCommit:
        """Answer a command without asking the agent; /new opens a session of its own."""
        opened = SessionId(derived_id(turn.message.message_id, "session"))
        is_new = command is ChatCommand.NEW
        now = self._clock.now()
        return TurnCommit(
            turn=turn,
            state=MessageState.ANSWERED,
            at=now,
            replies=(Reply(self._policy.started if is_new else self._policy.help),),
            expires_at=self._expires_at(turn.message, account, now),
            session_id=opened if is_new else turn.session_id,
            agent_id=binding.agent_id,
            binding_id=BindingId(binding.binding_id),
            reason=f"command {command.value}",
            steps=(self._step(turn, StepName.ANSWERED, now, command=command.value),),
            release=self._release(turn.message),
        )

    def _bind(self, message: InboundMessage, account: Account) -> Binding | None:
        return route(
            self._directory.bindings.of(message.channel, message.account_id),
            message.channel,
            message.account_id,
            message.conversation,
            account.row.owner_user_id,
        )

    async def _ask(
        self, turn: ClaimedTurn, account: Account, binding: Binding, agent: Agent, started_at: At
    ) -> TurnCommit:
        session_id = turn.session_id or SessionId(derived_id(turn.message.message_id, "session"))
        steps = [self._step(turn, StepName.TURN_STARTED, started_at, agent_id=binding.agent_id)]
        lines = min(self._policy.history_lines, agent.history_lines) if turn.session_id else 0
        history = await self._turns.history(session_id, lines) if lines else []
        wait_s = self._policy.media_wait_s
        if turn.inline_until is not None:
            # The rest of the window is the agent's: a reply that misses it may never arrive.
            wait_s = min(wait_s, max(0, turn.inline_until - started_at) / 4_000)
        message = await self._directory.media.gathered(turn.message, wait_s)
        began, now = self._clock.monotonic(), self._clock.now()
        async with self._directory.stage.show(
            turn, self._expires_at(message, account, now)
        ) as shown:
            asked = AgentTurn(turn.turn_id, session_id, message, tuple(history), shown.say)
            replies, reason = await self._ask_until(turn, agent, asked, steps)
        # What people have seen stays, whatever became of the rest.
        replies = replies or ((Reply(shown.text),) if shown.text else ())
        replies = await self._directory.media.sendable(account.uid, replies)
        if turn.inline_until is not None:
            replies = joined(replies)
        self._metrics.agent_seconds.observe(self._clock.monotonic() - began)
        state = MessageState.ANSWERED if replies else MessageState.NO_ANSWER
        if reason:
            state, replies = MessageState.FAILED, self._apology(account) or replies
        now = self._clock.now()
        is_answered = state is MessageState.ANSWERED
        done = StepName.ANSWERED if is_answered else StepName.NOT_ANSWERED
        steps.append(self._step(turn, done, now, **({"reason": reason} if reason else {})))
        return TurnCommit(
            turn=turn,
            state=state,
            at=now,
            replies=replies,
            expires_at=self._expires_at(turn.message, account, now),
            session_id=session_id,
            agent_id=binding.agent_id,
            binding_id=BindingId(binding.binding_id),
            reason=reason,
            steps=tuple(steps),
            release=self._release(turn.message),
        )

    async def _ask_until(
        self, turn: ClaimedTurn, agent: Agent, asked: AgentTurn, steps: list[Step]
    ) -> tuple[tuple[Reply, ...], str]:
        """Ask, and ask again with backoff; the replies, or why there are none."""
        ends_at = self._clock.monotonic() + self._policy.hold_s
        for attempt_no in range(1, self._policy.tries + 1):
            try:
                return await agent.answer(asked), ""
            except AgentFailed as error:
                reason = error.detail
                is_last = error.is_permanent or attempt_no == self._policy.tries
            except Exception as error:
                log.exception("agent_failed_inside", turn_id=turn.turn_id)
                reason, is_last = type(error).__name__, attempt_no == self._policy.tries
            steps.append(
                self._step(
                    turn,
                    StepName.AGENT_FAILED,
                    self._clock.now(),
                    reason=reason,
                    attempt=attempt_no,
                )
            )
            log.warning("agent_failed", turn_id=turn.turn_id, attempt_no=attempt_no, reason=reason)
            pause_s = self._policy.retry_base_s * 2.0 ** (attempt_no - 1)
            if is_last or self._clock.monotonic() + pause_s > ends_at:
                return (), reason or "agent_failed"
            await self._clock.sleep(pause_s)
        return (), "agent_failed"

    def _apology(self, account: Account) -> tuple[Reply, ...]:
        own = account.row.config.delivery.apology
        text = self._policy.apology if own is None else own
        return (Reply(text),) if text else ()

    def _expires_at(self, message: InboundMessage, account: Account, now: At) -> At:
        """Deliveries wait until the account's TTL, or the end of the platform's reply window."""
        ends_at = now + account.row.config.delivery.ttl_s * 1000
        provider = self._directory.providers.serving(message.channel)
        if provider is not None and provider.facts.reply_window_s is not None:
            ends_at = min(ends_at, message.received_at + provider.facts.reply_window_s * 1000)
        return At(ends_at)

    def _without_reply(self, turn: ClaimedTurn, state: MessageState, reason: str) -> TurnCommit:
        now = self._clock.now()
        step = self._step(turn, StepName.NOT_ANSWERED, now, reason=reason)
        return TurnCommit(turn=turn, state=state, at=now, reason=reason, steps=(step,))

    def _release(self, message: InboundMessage) -> ReleaseRef:
        provider = self._directory.providers.serving(message.channel)
        return provider.facts.release if provider else NOBODY

    def _step(self, turn: ClaimedTurn, name: StepName, at: At, **detail: object) -> Step:
        """One step of the trail, with the release that serves the account at this moment."""
        message = turn.message
        release = self._release(message)
        whose = (*release.parts, message.conversation.account_uid, message.account_id)
        return Step(message.message_id, name, at, *whose, detail=detail)
