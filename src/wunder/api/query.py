"""What every list understands: how many items a page has, and where it begins."""

from typing import Annotated

import msgspec

#: How many items a page has. Choices: 50 fill a screen, 200 bound an answer.
Limit = Annotated[int, msgspec.Meta(ge=1, le=200, description="items a page")]
Cursor = Annotated[
    str, msgspec.Meta(max_length=512, description="`next_cursor` of the page before")
]
#: A time in a query: Unix milliseconds that every store can hold.
Moment = Annotated[int, msgspec.Meta(ge=0, le=2**53, description="Unix milliseconds, UTC")]
