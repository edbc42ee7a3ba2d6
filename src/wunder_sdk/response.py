"""What a platform expects in the webhook's own response."""

import base64
from typing import Any

from wunder_wire import codec
from wunder_wire.methods import ImmediateResponse


def bytes_response(body: bytes, content_type: str, status: int = 200) -> ImmediateResponse:
    """Answer `body`; the gateway passes status 200, 204, 400, 401, 403 and text, JSON or XML."""
    return ImmediateResponse(
        status=status,
        headers=(("Content-Type", content_type),) if body else (),
        body_b64=base64.b64encode(body).decode("ascii"),
    )


def json_response(document: Any, status: int = 200) -> ImmediateResponse:
    """Answer a JSON document, e.g. `{"challenge": ...}`."""
    return bytes_response(codec.dumps(document), "application/json", status)


def text_response(text: str, status: int = 200) -> ImmediateResponse:
    """Answer plain text, e.g. "success"."""
    return bytes_response(text.encode(), "text/plain; charset=utf-8", status)


def xml_response(xml: str, status: int = 200) -> ImmediateResponse:
    """Answer an XML document that is already escaped."""
    return bytes_response(xml.encode(), "application/xml; charset=utf-8", status)
