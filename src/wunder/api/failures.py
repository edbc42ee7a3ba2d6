"""What handlers raise, said as problem documents."""

from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from wunder.api.auditing import request_id_of
from wunder.api.json_body import fault_of
from wunder.api.problems import PlaceOfFault, Problem, problem, problem_of
from wunder.errors import WunderError
from wunder.observe.logs import get_logger

log = get_logger(__name__)

PROBLEM = "application/problem+json"
AnyRequest = Request[Any, Any, Any]


def on_wunder_error(request: AnyRequest, error: WunderError) -> Response[bytes]:
    """Answer an error of ours with its own status and code."""
    made = problem_of(error, request_id_of(request.scope))
    if made.status >= 500:
        log.warning("request_failed", code=made.code, trace_id=made.trace_id)
    headers = {"WWW-Authenticate": "Bearer"} if made.status == 401 else {}
    return _response(made, headers)


def on_framework_error(request: AnyRequest, error: HTTPException) -> Response[bytes]:
    """Answer what the framework refuses: no such route, wrong parameters, too large."""
    trace_id = request_id_of(request.scope)
    if isinstance(error, ValidationException):
        places = tuple(_place(one) for one in error.extra or () if isinstance(one, dict))
        words = "The request holds wrong fields."
        return _response(problem(422, "invalid", words, errors=places, trace_id=trace_id))
    code = _CODES.get(error.status_code, "refused")
    return _response(problem(error.status_code, code, trace_id=trace_id), error.headers)


def on_bug(request: AnyRequest, error: Exception) -> Response[bytes]:
    """Answer what nobody foresaw; the traceback is in the log under the trace id."""
    trace_id = request_id_of(request.scope)
    # The framework calls this inside its except block.
    log.exception("request_failed", code="internal", trace_id=trace_id)  # noqa: LOG004 - see above
    words = "Something went wrong in the gateway; look for this trace id in its log."
    return _response(problem(500, "internal", words, trace_id=trace_id))


_CODES = {
    400: "bad_request",
    404: "no_such_route",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "content_type",
}


def _place(complaint: dict[str, Any]) -> PlaceOfFault:
    """Point into the query or path as `?limit`, into the body as `/`."""
    key = str(complaint.get("key", ""))
    source = getattr(complaint.get("source"), "value", complaint.get("source"))
    if source == "body" and key == "data":
        return PlaceOfFault("", "required", "a body is required")
    fault = fault_of(str(complaint.get("message", "")), f"?{key}")
    return PlaceOfFault(fault.pointer, fault.code, fault.message)


def _response(made: Problem, headers: dict[str, str] | None = None) -> Response[bytes]:
    lines = dict(headers or {})
    if made.retry_after_s is not None:
        lines["Retry-After"] = str(made.retry_after_s)
    return Response(
        msgspec.json.encode(made), status_code=made.status, media_type=PROBLEM, headers=lines
    )
