"""An administrator connects QQ from the console alone: package, review, account, first message, its trace."""

import io
import os
import re
import signal
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import shoot, violations
from tests.e2e.people import Make, signed_in
from tests.e2e.words import Words
from tests.journeys.gateway_process import GatewayProcess
from tests.journeys.new_channel import package
from tests.journeys.qq_process import APP_ID, SECRET, QqProcess
from tests.ports import own_port
from tests.waiting import wait_for
from wunder.plugins.pack import pack

say = Words("en")
ROOT = Path(__file__).parents[2]
CHANNEL, OTHER = "bottle_post", "bottle_mail"


@pytest.fixture(scope="module")
def qq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[QqProcess]:
    with QqProcess(tmp_path_factory.mktemp("qq")) as process:
        yield process


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, qq: QqProcess) -> Iterator[GatewayProcess]:
    """A gateway that may speak to the stand-in."""
    folder = tmp_path_factory.mktemp("gateway")
    settings = {
        "WUNDER_EGRESS_ALLOW_HOSTS": qq.url.removeprefix("http://"),
        "WUNDER_SERVER_PORT": str(own_port()),
        "WUNDER_RETRY_BASE_S": "0.05",
        "WUNDER_RETRY_CAP_S": "0.1",
    }
    with GatewayProcess(folder / "data", **settings) as process:
        yield process


def install(gateway: GatewayProcess, channel: str, version: str = "1.0.0") -> None:
    """Have a plugin serve, without the console."""
    release = gateway.upload(package(channel, version=version))
    approval = {"version": version, "sha256": release["package_sha256"]}
    gateway.call("POST", f"channel_plugins/{channel}/approve", approval)
    gateway.call("POST", f"channel_plugins/{channel}/enable", {"version": version})


def upload(page: Page, gateway: GatewayProcess, name: str, content: bytes) -> None:
    """Bring a package up to its review."""
    page.goto(f"{gateway.url}/console/plugins/upload")
    file = {"name": name, "mimeType": "application/zip", "buffer": content}
    page.locator("input[type=file]").set_input_files([file])  # type: ignore[list-item]
    expect(page.get_by_role("heading", name=say("upload.checks"))).to_be_visible()


def agree(page: Page, plugin_id: str, step: str, version: str) -> None:
    """Review, type the id, install and enable."""
    page.get_by_role("checkbox").check()
    typed = page.get_by_label(say("confirm.type", what=plugin_id))
    if typed.is_visible():
        typed.fill(plugin_id)
    page.get_by_role("button", name=say(f"upload.enable.{step}", version=version)).click()
    expect(page.get_by_text(say("upload.enabled", id=plugin_id, version=version))).to_be_visible()


def test_qq_is_connected_from_the_console_alone(
    gateway: GatewayProcess, qq: QqProcess, watched: Make, tmp_path: Path
) -> None:
    context = watched()
    context.expect("409|422")
    page = signed_in(gateway, context)
    zip_file = tmp_path / "channel-qq.zip"
    pack(ROOT / "plugins/channel-qq", zip_file)

    upload(page, gateway, "channel-qq.zip", zip_file.read_bytes())
    expect(page.get_by_text("api.sgroup.qq.com", exact=False).first).to_be_visible()
    assert violations(page) == []
    shoot(page, "plugin-review")
    button = page.get_by_role("button", name=say.like("upload.enable.first"))
    expect(button).to_be_disabled()
    agree(page, "qq", "first", "0.1.0")
    expect(page.get_by_text(say("state.runtime.ready")).first).to_be_visible()

    page.get_by_role("button", name=say("upload.addAccount")).click()
    page.get_by_label(say("account.displayName")).fill("Shop")
    page.get_by_label("AppID", exact=False).first.fill("not a number")
    page.get_by_label("AppSecret", exact=False).first.fill(SECRET)
    page.get_by_role("button", name=say("account.create")).click()
    fault = page.locator(".field", has=page.get_by_label("AppID", exact=False)).get_by_role("alert")
    expect(fault.first).to_be_visible()
    page.get_by_label("AppID", exact=False).first.fill(APP_ID)
    page.locator("details.advanced summary").click()
    page.get_by_label("API address", exact=False).fill("http://no host")
    page.get_by_role("button", name=say("account.create")).click()
    expect(page.locator(".field .fault").first).to_be_visible()
    shoot(page, "account-form")
    page.get_by_label("API address", exact=False).fill(qq.url)
    page.get_by_role("button", name=say("account.create")).click()

    expect(page.get_by_role("heading", name="Shop")).to_be_visible()
    expect(page.get_by_text(say("todo.waiting"))).to_be_visible()
    page.get_by_role("button", name=say("test.do")).click()
    expect(page.get_by_text(say("test.ok"))).to_be_visible()
    shoot(page, "account-waiting")
    account = gateway.get("channels/accounts")["items"][0]
    url = f"{gateway.url}/wunder/channel/{account['channel']}/{account['webhook_key']}/webhook"
    shown = page.locator("input, code").filter(has_text=account["webhook_key"])
    expect(
        shown.or_(page.locator(f"input[value*='{account['webhook_key']}']")).first
    ).to_be_visible()
    qq.tell("webhook", url=url)
    qq.send("Is the shop open?", peer="ann", sender="ann")
    expect(page.get_by_text(say("todo.arrived"))).to_be_visible()
    assert violations(page) == []

    page.get_by_role("link", name=say("trace.open")).first.click()
    expect(page.get_by_text("Is the shop open?").first).to_be_visible()
    expect(page.get_by_text("qq", exact=False).first).to_be_visible()
    assert violations(page) == []
    shoot(page, "trace")
    page.goto(f"{gateway.url}/console/sessions")
    page.locator(".talk-list li button").first.click()
    expect(page.get_by_role("log")).to_contain_text("Is the shop open?")
    shoot(page, "sessions")
    page.goto(f"{gateway.url}/console/outbox")
    row = page.get_by_role("row").filter(has_text=account["account_id"]).first
    expect(row).to_contain_text(say("state.delivery.sent"))
    row.click()
    expect(page.get_by_role("heading", name=say("outbox.tries"))).to_be_visible()
    shoot(page, "delivery")
    assert qq.texts("ann") == ["Is the shop open?"]


def test_a_refused_package_is_named_with_the_entry_that_is_wrong(
    gateway: GatewayProcess, watched: Make
) -> None:
    made = io.BytesIO(package(CHANNEL))
    with zipfile.ZipFile(made, "a") as archive:
        link = zipfile.ZipInfo("passwords.txt")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    context = watched()
    context.expect("422")
    page = signed_in(gateway, context)
    page.goto(f"{gateway.url}/console/plugins/upload")
    file = {"name": "mine.zip", "mimeType": "application/zip", "buffer": made.getvalue()}
    page.locator("input[type=file]").set_input_files([file])  # type: ignore[list-item]
    expect(page.get_by_text(say("upload.refused", name="mine.zip"))).to_be_visible()
    expect(page.get_by_role("code").filter(has_text="passwords.txt")).to_be_visible()
    assert violations(page) == []


def running_pid(gateway: GatewayProcess) -> int:
    """The plugin's process; 0 while there is none."""
    nodes = gateway.get(f"channel_plugins/{CHANNEL}/runtime")["nodes"]
    return int(nodes[0]["pid"] or 0) if nodes else 0


def test_a_crash_is_shown_live_and_so_is_the_recovery(
    gateway: GatewayProcess, watched: Make
) -> None:
    context = watched()
    context.expect("409")
    page = signed_in(gateway, context)
    upload(page, gateway, "bottle.zip", package(CHANNEL))
    agree(page, CHANNEL, "first", "1.0.0")
    page.goto(f"{gateway.url}/console/plugins/{CHANNEL}?tab=events")
    expect(page.get_by_text(say("state.runtime.ready")).first).to_be_visible()
    before = running_pid(gateway)
    os.kill(before, signal.SIGKILL)
    expect(page.get_by_text(re.compile("crash", re.IGNORECASE)).first).to_be_visible()
    shoot(page, "plugin-crash")
    expect(page.get_by_text(say("state.runtime.ready")).first).to_be_visible()
    wait_for(lambda: running_pid(gateway) not in {0, before})


def test_a_version_is_switched_and_back(gateway: GatewayProcess, watched: Make) -> None:
    context = watched()
    context.expect("409")
    page = signed_in(gateway, context)
    install(gateway, OTHER)
    upload(page, gateway, "bottle-1.1.zip", package(OTHER, version="1.1.0"))
    agree(page, OTHER, "upgrade", "1.1.0")
    page.goto(f"{gateway.url}/console/plugins/{OTHER}?tab=versions")
    new = page.get_by_role("row").filter(has_text="1.1.0")
    old = page.get_by_role("row").filter(has_text="1.0.0")
    expect(new).to_contain_text(say("plugin.isCurrent"))
    shoot(page, "plugin-versions")
    page.get_by_role("button", name=say("do.actionsOf", what=OTHER)).or_(
        page.get_by_role("button", name=re.compile("Bottle", re.IGNORECASE))
    ).first.click()
    page.get_by_role("menuitem", name=say("plugin.backTo", version="1.0.0")).click()
    page.get_by_role("dialog").get_by_role("button", name=say("plugin.back")).click()
    expect(old).to_contain_text(say("plugin.isCurrent"))
    assert gateway.get(f"channel_plugins/{OTHER}")["current_version"] == "1.0.0"
