"""Whatever a plugin asks for, it is told: what it may not have is an error of the protocol."""

import json
from typing import Any, cast

import pytest

from tests.fakes.plugin_blobs import FakePluginBlobs
from wunder.errors import ProviderFault
from wunder.model.fault import FaultKind
from wunder.model.ids import PluginId
from wunder.plugins.host_answers import HostAnswers


def answers() -> HostAnswers:
    return HostAnswers(cast("Any", None), FakePluginBlobs(), lambda plugin_id, label: None)


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("host.blob.write", {"transfer_id": "t", "offset": 0, "data_b64": "é"}),
        ("host.blob.write", {"transfer_id": "t", "offset": 0, "data_b64": "YQ"}),
        ("host.blob.read", {"blob_id": "b", "offset": 2**63}),
        ("host.blob.read", {"blob_id": "b", "offset": 10**30}),
        ("host.blob.read", {"blob_id": "b", "offset": -1}),
        ("host.state.get", {"key": "a\0b"}),
        ("host.state.put", {"key": "\0", "value": 1}),
        ("host.state.get", {"key": ["a"]}),
    ],
)
async def test_what_does_not_fit_is_refused_by_its_place(
    method: str, params: dict[str, object]
) -> None:
    with pytest.raises(ProviderFault) as caught:
        await answers().answer(PluginId("asks"), method, json.dumps(params).encode())
    assert caught.value.fault.kind is FaultKind.BAD_PARAMS
