"""The OpenAPI document: complete, consistent, and committed as it is."""

import json
import re
from typing import Any

import pytest

from tools import openapi as tool
from wunder.accounts.tokens import PREFIX
from wunder.api.admin import openapi_document
from wunder.api.credentials import TOKEN_PREFIX
from wunder.api.scopes import NEEDS_NOBODY, OWN, PERSON, SCOPES


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi_document()


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


def test_what_is_committed_is_what_the_code_says() -> None:
    for path, text in tool.render().items():
        written = (tool.ROOT / path).read_text("utf-8")
        assert written == text, f"{path} is stale: run `python tools/openapi.py`"


def test_every_endpoint_is_described(document: dict[str, Any]) -> None:
    described = set(operations(document))
    bare = {
        key
        for key in described
        if not key.split(" ")[1].startswith(
            ("/wunder/admin", "/wunder/agent", "/wunder/session", "/wunder/channels")
        )
    }
    assert described - bare == set(SCOPES) - {"GET /wunder/openapi.json"}
    assert bare == {
        "GET /healthz",
        "GET /readyz",
        "GET /metrics",
        "GET /wunder/untrusted/attachments/{blob_id}",
        "GET /wunder/chat/{key}",
        "GET /wunder/chat/{key}/events",
        "POST /wunder/chat/{key}/messages",
        "POST /wunder/chat/{key}/visits",
        "GET /wunder/channel/{provider}/webhook",
        "POST /wunder/channel/{provider}/webhook",
        "GET /wunder/channel/{provider}/{account}/webhook",
        "POST /wunder/channel/{provider}/{account}/webhook",
    }


def test_every_operation_has_a_name_of_its_own_and_words(document: dict[str, Any]) -> None:
    found = operations(document)
    names = [operation["operationId"] for operation in found.values()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z][a-z_]+", name) for name in names)
    assert all(operation["summary"] and operation["tags"] for operation in found.values())


def test_every_guarded_operation_names_its_scope_and_its_refusals(document: dict[str, Any]) -> None:
    for key, operation in operations(document).items():
        scope = SCOPES.get(key, "public")
        if scope in NEEDS_NOBODY:
            continue
        session = {"console_session": []}
        for_people = scope in {PERSON, OWN}
        wanted = [session] if for_people else [{"api_token": [scope]}, session]
        assert operation["security"] == wanted, key
        assert {"401", "403"} <= set(operation["responses"]), key


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for reference in re.findall(r'"#/([^"]+)"', json.dumps(document)):
        place: Any = document
        for step in reference.split("/"):
            place = place[step]


def test_every_json_body_that_can_be_guessed_wrong_has_an_example(document: dict[str, Any]) -> None:
    small = {"approve_plugin", "enable_plugin", "choose_source", "release_held"}
    lacking = [
        key
        for key, operation in operations(document).items()
        if not key.startswith("POST /wunder/chat/")  # what the page itself says
        and "application/json" in (content := operation.get("requestBody", {}).get("content", {}))
        and "example" not in content["application/json"]
        and operation["operationId"] not in small
    ]
    assert not lacking


def test_tokens_begin_here_as_they_are_made() -> None:
    assert TOKEN_PREFIX == PREFIX
