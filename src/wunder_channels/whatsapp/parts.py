"""What a message becomes: the parts that WhatsApp shows one after the other, one call for each."""

from dataclasses import dataclass

from wunder_channels.whatsapp.choices import interactive
from wunder_channels.whatsapp.formatting import to_whatsapp
from wunder_channels.whatsapp.media import CAPTION_MAX, Medium, medium
from wunder_sdk import OutboundMessage
from wunder_sdk.choices import Choice, as_lines, take_choices
from wunder_sdk.directives import Template, take_reaction, take_template
from wunder_sdk.loose_json import JsonObject
from wunder_sdk.splitting import Style, pieces

#: Characters of a text; WhatsApp takes 4096 code points (platforms sheet, section 4).
TEXT_MAX = 4000
#: WhatsApp shows fences, and the language of one as a line of the code.
_STYLE = Style(repeats_language=False)


@dataclass(frozen=True, slots=True)
class Part:
    """One platform message: a text, a medium with a caption, something to tap, or one of the others.

    Attributes:
        text: What it says, or the caption.
        medium: A picture, film, voice or file.
        interactive: Something to tap.
        template: A template and what fills it.
        reaction: An emoji under the message that is answered.
    """

    text: str = ""
    medium: Medium | None = None
    interactive: JsonObject | None = None
    template: Template | None = None
    reaction: str = ""


def parts_of(message: OutboundMessage) -> list[Part]:
    """Return the parts of a message: a pure function, so that every attempt sends the same.

    Raises:
        TooLarge: An attachment is larger than WhatsApp takes.
    """
    text = (message.text or "").strip()
    if message.format != "markdown":
        return _said(message, text)
    text, emoji = take_reaction(text)
    text, template = take_template(text)
    first = [Part(reaction=emoji)] if emoji and answered(message) else []
    first += [Part(template=template)] if template is not None else []
    return [*first, *_said(message, text)]


def answered(message: OutboundMessage) -> str:
    """Return WhatsApp's id of the message that is answered, "" if none is."""
    found = message.meta.get("context_message_id") or message.reply_to
    return found if isinstance(found, str) else ""


def _said(message: OutboundMessage, text: str) -> list[Part]:
    choices: tuple[Choice, ...] = ()
    if message.format == "markdown":
        # Groups take no interactive messages (Cloud API, Groups, read 2026-07).
        text, choices = take_choices(text)
        text = to_whatsapp(text)
    media = [medium(one) for one in message.attachments]
    texts = _texts(text)
    tappable = None
    if choices and message.peer.kind == "user" and texts:
        tappable = interactive(choices, texts[-1])
    if tappable is not None:
        shown = [Part(one) for one in texts[:-1]]
        return [*(Part(medium=one) for one in media), *shown, Part(interactive=tappable)]
    if choices:
        texts = _texts("\n\n".join(filter(None, (text, as_lines(choices)))))
    if media and len(texts) == 1 and len(texts[0]) <= CAPTION_MAX and media[0].takes_caption:
        first, *others = media
        return [Part(texts[0], first), *(Part(medium=one) for one in others)]
    return [*(Part(one) for one in texts), *(Part(medium=one) for one in media)]


def _texts(text: str) -> list[str]:
    return [piece.text for piece in pieces(text, TEXT_MAX, _STYLE)]
