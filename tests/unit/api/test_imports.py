"""What the front door may not bring with it: a gateway pays for the admin API when it is used."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.process


def loaded_by(code: str) -> set[str]:
    program = f"import sys\n{code}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(ran.stdout.split())


def test_the_front_door_loads_no_framework_no_crypto_and_no_client() -> None:
    loaded = loaded_by("import wunder.api.server, wunder.api.listener")
    assert {"uvicorn", "httptools", "msgspec"} <= loaded
    assert not loaded & {"litestar", "pydantic", "aiohttp", "cryptography", "jsonschema_rs", "yaml"}


def test_the_whole_gateway_starts_without_the_framework() -> None:
    assert not loaded_by("import wunder.app.life") & {"litestar", "pydantic", "openai", "yaml"}


def test_the_admin_api_loads_one_type_system_only() -> None:
    loaded = loaded_by("from wunder.api.admin import openapi_document\nopenapi_document()")
    assert "litestar" in loaded
    assert not loaded & {"pydantic", "attr", "openai"}
