"""The form of an agent comes from the gateway, and what it asks for is what is accepted."""

from pathlib import Path

from tests.journeys.http_gateway import http_gateway


async def test_each_kind_of_agent_brings_the_form_that_its_configuration_is_held_to(
    tmp_path: Path,
) -> None:
    async with http_gateway(tmp_path / "data") as gateway:
        status, page = await gateway.call("GET", "agent_kinds")
        assert status == 200
        schemas = {one["kind"]: one["config_schema"] for one in page["items"]}
        draft = {"agent_id": "helper", "kind": "openai", "config": {}}
        status, problem = await gateway.call("POST", "agents", draft)
        assert status == 422
        missing = {fault["pointer"] for fault in problem["errors"]}
        assert missing == {f"/config/{name}" for name in schemas["openai"]["required"]}
        assert schemas["http"]["properties"]["signing_secret"]["writeOnly"] is True
