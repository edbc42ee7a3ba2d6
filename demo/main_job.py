"""The main job from end to end (`make demo`): a QQ plugin is installed, messages come, replies arrive.

Everything happens on this machine, in a temporary folder, through the public API and the `wunder`
command. Two things die on the way: the plugin's process, and the gateway between accepting a message
and answering it. Exit status 0: all that was promised was seen; 1: what was not is in the last table.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from typing import Any

from gateway import WUNDER, Gateway, Refused
from qq import Qq
from screen import Screen
from stage import ROOT, Miss, Stage, is_alive, until
from trail import BY_NO_PLUGIN, missing_steps, show_trail, took_ms
from verdicts import tell

PLUGIN, CHANNEL, AGENT = "qq", "qq", "echo"
OLD, NEW = "front-desk", "shop"
OPEN_STATES = ("pending", "claimed", "sending")


class MainJob:
    """The story, scene by scene; `seen` fills up with what was promised and came true."""

    def __init__(self, stage: Stage, screen: Screen) -> None:
        self.stage, self.screen = stage, screen
        self.gateway = Gateway(stage, screen)
        self.old_bot = Qq(stage, "qq-front-desk", "102000001", "front-desk-secret-6d1f0c")
        self.bot = Qq(stage, "qq-shop", "102000002", "shop-secret-91b2a7e4")
        self.seen: dict[str, str] = {}

    def play(self) -> None:
        """Play every scene; the first that fails ends the story. Raises: Miss, Refused."""
        self.set_up()
        self.let_the_builtin_serve()
        self.install_the_plugin()
        self.make_the_account()
        self.talk()
        self.kill_the_plugin()
        self.kill_the_gateway()
        self.look_at_the_sandbox()

    # --- scenes --------------------------------------------------------------------------------

    def set_up(self) -> None:
        self.screen.scene("A gateway on SQLite, and QQ as a process of its own")
        for bot in (self.old_bot, self.bot):
            bot.start()
        for bot in (self.old_bot, self.bot):
            bot.wait()
            self.screen.say(f"QQ stand-in for bot {bot.app_id}: {bot.url}")
        started = time.monotonic()
        self._start_gateway()
        took_ms = (time.monotonic() - started) * 1000
        self.screen.say(
            f"gateway: {self.gateway.url}, pid {self.gateway.pid}, ready in {took_ms:.0f} ms"
        )
        self.gateway.wunder("setup", "--to", str(self.gateway.token_file))
        if (self.gateway.data_dir / "run" / "setup-token").exists():
            raise Miss("the first-run token is still there after it was used")
        self.seen["setup"] = f"ready in {took_ms:.0f} ms"

    def let_the_builtin_serve(self) -> None:
        self.screen.scene("Before any plugin: the built-in channel serves an account")
        account = {
            "channel": CHANNEL,
            "account_id": OLD,
            "display_name": "Front desk",
            "provider_config": self.old_bot.account_config(),
        }
        made = self.gateway.post("channels/accounts", account)
        self.gateway.post("channels/bindings", _binding(OLD))
        self._expect(
            self.old_bot.calls_back_to(self._webhook(made)), "QQ's address check (built-in)"
        )
        text = "Is anybody at the front desk?"
        steps = self._answered(self.old_bot, "c2c", text)
        sent_by = steps[-1]
        self._expect(sent_by["version"].startswith("builtin@"), f"served by {sent_by['version']}")
        self.seen["builtin"] = f"served by {sent_by['version']}"

    def install_the_plugin(self) -> None:
        self.screen.scene("Pack, upload, approve, enable")
        place = self.stage.folder / "qq.zip"
        said = self.gateway.wunder("plugin", "pack", "plugins/channel-qq", "--to", str(place))
        uploaded = self.gateway.upload(place, said.split()[-1])
        version = uploaded["version"]
        self.screen.say(
            f"installed {uploaded['plugin_id']} {version}, sha256 {uploaded['package_sha256'][:16]}.."
        )
        self._expect_refused("channel_plugins/qq/enable", {}, "not approved")
        self.gateway.wunder("plugin", "approve", PLUGIN, version, "--yes")
        self.seen["approval"] = "enable before approval: 409"
        # Without --confirm the command says what would be handed over, and does nothing.
        self.gateway.wunder("plugin", "enable", PLUGIN, may_fail=True)
        self._expect(self._plugin()["serving"] == "builtin", "still served by the built-in")
        self.gateway.wunder("plugin", "enable", PLUGIN, "--confirm", PLUGIN)
        view = until("the plugin is ready", self._ready_plugin)
        runtime = view["runtime"]
        self.screen.say(
            f"{PLUGIN} {view['current_version']} runs as pid {runtime['pid']}, {runtime['state']}"
        )
        self.seen["takeover"] = "refused until --confirm qq"

    def make_the_account(self) -> None:
        self.screen.scene("An account, with its secret from a file, and a binding")
        form = "\n".join(f'{name} = "{value}"' for name, value in self.bot.account_config().items())
        file = self.stage.secret_file("shop.toml", form)
        self.gateway.wunder(
            "account", "add", f"{CHANNEL}/{NEW}", "--name", "Shop", "--config-file", str(file)
        )
        file.unlink()
        self.gateway.wunder("binding", "add", AGENT, "--account", f"{CHANNEL}/{NEW}")
        shown = self.gateway.get(f"channels/accounts/{CHANNEL}/{NEW}")
        self._expect(
            shown["provider_config"]["client_secret"] == {"set": True}, "a secret that hides"
        )
        self._expect(self.bot.secret not in self.gateway.log_tail(100_000), "a log without secrets")
        self.seen["account"] = 'shown as {"set": true}, sealed in the store'
        self._expect(self.bot.calls_back_to(self._webhook(shown)), "QQ's address check")
        self.screen.say("QQ checked the webhook address: the answer was signed right (op 13)")
        self.seen["address"] = "op 13, signature right"

    def talk(self) -> None:
        self.screen.scene("People write; the agent answers; every step is on record")
        private = self._answered(self.bot, "c2c", "你好，还有票吗？")
        self.seen["private"] = _journey(private)
        group = self._answered(self.bot, "group_at", "Two tickets for tonight, please")
        self.seen["group"] = _journey(group)
        for step in (*private, *group):
            self._expect(step["account_id"] == NEW, f"the account of {step['step']}")
            if step["step"] not in BY_NO_PLUGIN:
                whose = (step["plugin_id"], bool(step["version"]))
                self._expect(whose == (PLUGIN, True), f"plugin and version of {step['step']}")
        self.seen["trail"] = f"{len(private)} and {len(group)} steps"
        self.screen.say("The account that the built-in served has moved along, untouched:")
        moved = self._answered(self.old_bot, "c2c", "And the front desk?", is_brief=True)
        back = self.gateway.post(f"channel_plugins/{PLUGIN}/source", {"source": "builtin"})
        again = self.gateway.post(f"channel_plugins/{PLUGIN}/source", {"source": "plugin"})
        self._expect(back["serving"] == "builtin" and again["serving"] == "plugin", "one call back")
        self.seen["kept"] = f"{moved[-1]['version']}, then source builtin and back"
        until("the plugin is ready again", self._ready_plugin)

    def kill_the_plugin(self) -> None:
        self.screen.scene("kill -9: the plugin's process")
        before = self._runtime()
        os.kill(before["pid"], signal.SIGKILL)
        self.screen.command(f"kill -9 {before['pid']}")
        # QQ asks again only for a few seconds: the request is kept and parsed when the plugin is back.
        self._answered(self.bot, "c2c", "Still there?")
        after = until("the plugin runs again", lambda: self._ready_plugin() and self._runtime())
        self.screen.say(
            f"pid {before['pid']} -> {after['pid']}, restarts {after['restarts']}, last exit: {after['last_exit']}"
        )
        self._expect(
            after["pid"] != before["pid"] and after["restarts"] >= 1, "a restart on record"
        )
        self.seen["plugin_killed"] = f"restarted once, last exit: {after['last_exit']}"

    def kill_the_gateway(self) -> None:
        self.screen.scene("kill -9: the gateway, between acceptance and reply")
        texts = ["Is my order on its way?", "And when will it be here?"]
        requests = self.bot.send_requests()
        self.bot.hold_next_send()
        for text in texts:
            self._expect(
                self._said(self.bot, "c2c", text)["status"] == 200, "a 200 from the webhook"
            )
        # QQ sits on the first reply; the second waits behind it, for order holds in a conversation.
        until("QQ has the first reply in its hands", lambda: self.bot.send_requests() > requests)
        until("one reply is being sent, one waits", lambda: self._open() == ["pending", "sending"])
        plugin_pid = self._runtime()["pid"]
        pid = self.gateway.kill()
        self.screen.command(f"kill -9 {pid}")
        self._expect(not any(map(self.bot.received, texts)), "killed before any reply arrived")
        until("the plugin ends with its gateway", lambda: not is_alive(plugin_pid))
        self.screen.say("2 accepted with 200, 0 answered, gateway dead; its plugin went with it")
        self._start_gateway()
        self.screen.say(f"started again: pid {self.gateway.pid}")
        for text in texts:
            until(f"the reply to {text!r}", lambda text=text: self.bot.received(text))
            self.screen.bot(text, "as QQ received it")
        # When nothing is under way any more, nothing more can arrive.
        until("every delivery is over", lambda: not self._open())
        arrived = [text for text in self.bot.all_texts() if text in texts]
        self._expect(arrived == texts, f"each reply once and in order, QQ got {arrived}")
        for text in texts:
            show_trail(self.screen, self._trail(text))
        self.seen["gateway_killed"] = "2 accepted, 2 replies, each once"

    def look_at_the_sandbox(self) -> None:
        self.screen.scene("How far the plugin is locked in")
        view = self._plugin()
        level, is_enforced = view["sandbox_level"], view["is_sandbox_enforced"]
        words = "enforced by the kernel" if is_enforced else "NOT enforced"
        self.screen.say(f"sandbox level {level}, {words}: {view['sandbox_note']}")
        permissions = next(one for one in view["releases"] if one["is_current"])["permissions"]
        self.screen.table(
            ("permission", "wants", "held by", "enforced"),
            [
                (
                    one["name"],
                    ", ".join(one["wants"]) or "nothing",
                    one["level"],
                    _yes(one["is_enforced"]),
                )
                for one in permissions
            ],
        )
        self._expect(bool(level), "a sandbox level")
        self.seen["sandbox"] = f"{level}, {words}"

    # --- what scenes are made of -----------------------------------------------------------------

    def _start_gateway(self) -> None:
        hosts = [bot.url.removeprefix("http://") for bot in (self.old_bot, self.bot)]
        self.gateway.start(hosts)
        self.gateway.wait()

    def _answered(self, bot: Qq, kind: str, text: str, *, is_brief: bool = False) -> list[Any]:
        """Let a person write, wait for the reply as QQ gets it, show both; return the trail."""
        self._expect(self._said(bot, kind, text)["status"] == 200, "a 200 from the webhook")
        reply = until(f"QQ received the reply to {text!r}", lambda: bot.received(text))[0]
        steps = until(f"the trail of {text!r} ends in `sent`", lambda: self._ended_trail(text))
        body = reply["body"]
        self.screen.bot(
            reply["text"],
            f"to {reply['scope']} {reply['peer'][:8]}.., msg_seq {body.get('msg_seq')}",
        )
        if not is_brief:
            show_trail(self.screen, steps)
        missing = missing_steps(steps)
        self._expect(not missing, f"a whole trail of {text!r}; no {', '.join(missing)}")
        self._expect(len(bot.received(text)) == 1, f"one reply to {text!r}")
        return steps

    def _said(self, bot: Qq, kind: str, text: str) -> dict[str, Any]:
        answer = bot.say(text, kind)
        who = "private" if kind == "c2c" else "group @"
        took = f"webhook answered {answer['status']} in {answer['took_ms']:.0f} ms"
        self.screen.person(who, text, took)
        return answer

    def _trail(self, text: str) -> list[Any]:
        found = self.gateway.get("channels/messages", text=text, direction="in")["items"]
        if not found:
            return []
        steps = self.gateway.get(f"channels/messages/{found[0]['message_id']}/trail")["items"]
        return list(steps)

    def _ended_trail(self, text: str) -> list[Any]:
        steps = self._trail(text)
        return steps if any(step["step"] == "sent" for step in steps) else []

    def _webhook(self, account: Any) -> str:
        return f"{self.gateway.url}/wunder/channel/{CHANNEL}/{account['webhook_key']}/webhook"

    def _plugin(self) -> Any:
        return self.gateway.get(f"channel_plugins/{PLUGIN}")

    def _ready_plugin(self) -> Any:
        view = self._plugin()
        is_ready = (
            view["runtime"] and view["runtime"]["state"] == "ready" and view["serving"] == "plugin"
        )
        return view if is_ready else None

    def _runtime(self) -> Any:
        return self.gateway.get(f"channel_plugins/{PLUGIN}/runtime")["nodes"][0]

    def _open(self) -> list[str]:
        """The states of the deliveries that are not over."""
        found = self.gateway.get("channels/outbox", account_id=NEW, limit="50")["items"]
        return sorted(one["state"] for one in found if one["state"] in OPEN_STATES)

    def _expect(self, is_so: bool, promised: str) -> None:
        if not is_so:
            raise Miss(f"expected: {promised}")

    def _expect_refused(self, path: str, body: Any, why: str) -> None:
        try:
            self.gateway.post(path, body)
        except Refused as refused:
            self._expect(refused.status == 409, f"409 ({why}), got {refused}")
            self.screen.output(str(refused))
        else:
            raise Miss(f"{path} should be refused: {why}")


def _binding(account_id: str) -> dict[str, str]:
    return {"channel": CHANNEL, "account_id": account_id, "agent_id": AGENT}


def _journey(steps: list[Any]) -> str:
    sent = steps[-1]
    by = f"{sent['plugin_id']} {sent['version']}, account {sent['account_id']}"
    return f"webhook to QQ in {took_ms(steps)} ms, {by}"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def main() -> int:
    """Play the story and say what was seen of it. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="make demo", description="The main job, end to end.")
    parser.add_argument("--keep", action="store_true", help="leave the processes and the folder")
    arguments = parser.parse_args()
    if not WUNDER.exists():
        parser.error(f"there is no {WUNDER}: run `make demo`, or `make setup` first")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    screen, started = Screen(), time.monotonic()
    with Stage(is_kept=arguments.keep) as stage:
        screen.title(
            "Wunder Channels: the main job, end to end",
            f"SQLite, the echo agent, two QQ stand-ins; nothing leaves this machine. In {stage.folder}",
        )
        job = MainJob(stage, screen)
        failure = _played(job)
        is_well = tell(screen, job.seen, failure, time.monotonic() - started)
        if arguments.keep:
            _say_what_is_kept(job)
    return 0 if is_well else 1


def _played(job: MainJob) -> str:
    """Play it. Returns why it ended early, "" where it did not."""
    try:
        job.play()
    except KeyboardInterrupt:
        return "stopped by Ctrl-C"
    except (Miss, Refused, OSError, KeyError, subprocess.SubprocessError) as failure:
        words = str(failure) if isinstance(failure, Miss | Refused) else repr(failure)
        job.screen.say(f"MISSED: {words.splitlines()[0]}")
        job.screen.output("\n".join(words.splitlines()[1:]))
        job.screen.say("the gateway's last lines:")
        job.screen.output(job.gateway.log_tail())
        return words.splitlines()[0]
    return ""


def _say_what_is_kept(job: MainJob) -> None:
    pids = " ".join(str(process.pid) for process in job.stage.running.values())
    job.screen.say(f"kept, in {ROOT}:")
    job.screen.command(f"export WUNDER_DATA_DIR={job.gateway.data_dir}")
    job.screen.command(f"{WUNDER.relative_to(ROOT)} message list")
    job.screen.say(f"QQ: curl {job.bot.url}/standin/sent (tests/standins/qq/README.md)")
    job.screen.say(
        f"end it: kill {pids}; chmod -R u+w {job.stage.folder}; rm -r {job.stage.folder}"
    )


if __name__ == "__main__":
    sys.exit(main())
