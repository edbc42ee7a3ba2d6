"""The later answer of an agent over HTTP that took a turn with 202."""

import msgspec
from litestar import post
from litestar.params import FromPath, JSONBody

from wunder.api.admin_request import AdminRequest
from wunder.api.authority import token_needed
from wunder.api.credentials import bearer_of
from wunder.errors import NotFound
from wunder.model.ids import TurnId
from wunder.model.turn import Reply


class Replies(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the agent says, in order; empty where it has nothing to say."""

    replies: tuple[Reply, ...]


class Accepted(msgspec.Struct, frozen=True):
    """The replies belong to the turn now."""

    turn_id: str


@post(
    "/wunder/agent/turns/{turn_id:str}/replies",
    operation_id="reply_to_turn",
    tags=["Agents over HTTP"],
    summary="Answer a turn later",
    status_code=202,
    opt={"example": {"replies": [{"text": "Good morning!"}]}},
)
async def reply_to_turn(
    turn_id: FromPath[str], data: JSONBody[Replies], request: AdminRequest
) -> Accepted:
    """Hand over the replies, with the token that the turn's request carried.

    404 where no such turn waits or the token is not the turn's: the two look the same.
    """
    token = bearer_of(request.scope["headers"])
    if not token:
        raise token_needed()
    answers = request.parts.answers
    if not await answers.accept_replies(TurnId(turn_id), token, data.replies):
        raise NotFound("No turn of this id waits for replies with this token.")
    return Accepted(turn_id)


HANDLERS = (reply_to_turn,)
