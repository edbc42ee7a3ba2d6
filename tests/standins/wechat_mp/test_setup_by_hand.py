"""The channel's README, followed step by step: real gateway, real stand-in, nothing but their HTTP."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.gateway_process import GatewayProcess
from tests.standins.process import StandinProcess
from tests.standins.wechat_mp.callbacks import ORIGINAL_ID
from tests.waiting import wait_for

pytestmark = pytest.mark.process
APP_ID = "wx1234567890abcdef"
SECRETS = {
    "app_secret": "FAKEmpSecretFAKEmpSecretFAKE0001",
    "token": "MpT0ken01",
    "encoding_aes_key": "FIVnSBaYDdCrxT1nbLHOpoSH/lMfB+BzC655o4Vbzo4",
}


class MpProcess(StandinProcess):
    """One official account, and its users."""

    def __init__(self, folder: Path) -> None:
        secrets_file = folder / "mp-secrets.json"
        secrets_file.write_text(json.dumps(SECRETS))
        account = ("--app-id", APP_ID, "--secrets-file", str(secrets_file))
        super().__init__("tests.standins.wechat_mp", *account)


@pytest.fixture
def mp(tmp_path: Path) -> Iterator[MpProcess]:
    with MpProcess(tmp_path) as process:
        yield process


@pytest.mark.parametrize("is_verified", [True, False])
def test_the_readme_leads_to_an_account_that_answers(
    is_verified: bool, mp: MpProcess, tmp_path: Path
) -> None:
    mp.tell("rules", verified=is_verified)
    allowed = mp.url.removeprefix("http://")
    with GatewayProcess(tmp_path / "data", WUNDER_EGRESS_ALLOW_HOSTS=allowed) as gateway:
        config = {"app_id": APP_ID, "original_id": ORIGINAL_ID, "domain": mp.url, **SECRETS}
        made = gateway.call(
            "POST",
            "channels/accounts",
            {"channel": "wechat_mp", "account_id": "main", "provider_config": config},
        )
        tested = gateway.call("POST", "channels/accounts/wechat_mp/main/test", {})
        binding = {"channel": "wechat_mp", "account_id": "main", "agent_id": "echo"}
        gateway.call("POST", "channels/bindings", binding)
        mp.tell(
            "webhook",
            url=f"{gateway.url}/wunder/channel/wechat_mp/{made['webhook_key']}/webhook",
        )
        checked = mp.tell("check")
        said = mp.tell("send", text="你好")

        assert (
            APP_ID in json.dumps(tested) and ("not verified" in json.dumps(tested)) != is_verified
        )
        assert checked == {"ok": True, "status": 200}
        assert [one["status"] for one in said["answers"]] == [200]
        wait_for(lambda: mp.texts() == ["你好"])
        shown = gateway.get("channels/accounts/wechat_mp/main")
        assert not [secret for secret in SECRETS.values() if secret in json.dumps(shown)]
