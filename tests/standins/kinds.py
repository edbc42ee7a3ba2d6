"""What differs between the platforms' stand-ins, so that one journey fits all of them."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.standins.feishu.platform import App
from tests.standins.feishu.server import FeishuStandin
from tests.standins.qq.server import QqStandin
from tests.standins.serving import StandinServer
from tests.standins.wechat_mp.callbacks import ORIGINAL_ID, CallbackWriter
from tests.standins.wechat_mp.server import MpStandin
from tests.standins.wecom.callbacks import Keys
from tests.standins.wecom.desk import OPEN_KFID
from tests.standins.wecom.platform import WecomPlatform
from tests.standins.wecom.server import WecomStandin
from tests.standins.whatsapp.server import WhatsAppStandin
from tests.vectors.replay import Recorded

APP = App("cli_a1b2c3d4e5f60001", "FAKEsecret", "vT0ken", "enc-key-示例")
CORP_ID, AGENT_ID, CORP_SECRET = "ww1234567890abcdef", 1000002, "FAKEsecretFAKEsecret"
KEYS = Keys("CpT0ken01", "IWh9k9QI91Lh1lHRTV8iDqqmPvwYAwrmdx/wWvDTLHQ")
MP_ID, MP_SECRET, MP_TOKEN = "wx1234567890abcdef", "FAKEmpSecretFAKE0001", "MpT0ken01"
MP_KEY = "FIVnSBaYDdCrxT1nbLHOpoSH/lMfB+BzC655o4Vbzo4"
NUMBER_ID, META_TOKEN = "106540352242922", "EAAtest"
META_SECRET = "9f3c1b2a4d5e6f708192a3b4c5d6e7f8"
QQ_ID, QQ_SECRET = "102000001", "kX9fQ2mZ7tLwB4nRcV8yHs"

#: An answer that is lost ends as this at a platform that folds no repeats.
SENT, FAILED, UNKNOWN = "sent", "failed", "unknown"


@dataclass(frozen=True)
class Outcome:
    """One class of the platform's table of errors, by one of its codes, and what becomes of it."""

    code: int
    state: str
    status: int = 400
    times: int = 1
    what: str = ""


def _sent(*codes: int, status: int = 400) -> tuple[Outcome, ...]:
    return tuple(Outcome(code, SENT, status) for code in codes)


def _failed(*codes: int, status: int = 400) -> tuple[Outcome, ...]:
    return tuple(Outcome(code, FAILED, status) for code in codes)


@dataclass(frozen=True)
class Kind:
    """One platform: its stand-in, an account on it, a message as it delivers it.

    Attributes:
        channel: The id of the built-in, and of its bundle.
        standin: Makes the stand-in.
        account: The account's fields, given the stand-in's address.
        write: A callback with a text of a person, at Unix seconds.
        person: The n-th person's id there.
        outcomes: One code of each class of the platform's table.
        token_call: What the stand-in counts token requests under; "" where tokens never end.
        lost: What a delivery ends as whose answer got lost.
        ack: The body that the platform reads as "received".
        picture: A callback with a picture that a person sent.
        pictures: The bytes of the pictures people were shown.
        courteous: Fields of an account that shows read marks or typing; None where there are none.
        shown: What the stand-in saw of them.
        label: What tests call it where a channel has several kinds of account.
        asked: What `POST /standin/send` is told besides the text.
    """

    channel: str
    standin: Callable[[], StandinServer]
    account: Callable[[str], dict[str, Any]]
    write: Callable[[Any, str, str, float], Recorded]
    person: Callable[[int], str]
    outcomes: tuple[Outcome, ...]
    picture: Callable[[Any, str, bytes, float], Recorded]
    pictures: Callable[[Any], list[bytes]]
    token_call: str = "token"
    lost: str = SENT
    ack: bytes = b""
    courteous: dict[str, Any] | None = None
    shown: Callable[[Any], list[str]] = lambda platform: []
    label: str = ""
    asked: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """How a test is called."""
        return self.label or self.channel


# --- Feishu ---------------------------------------------------------------------------------------


def _feishu_write(standin: Any, person: str, text: str, now_s: float) -> Recorded:
    asked = {"text": text, "chat_id": person, "sender": person.replace("oc_", "ou_")}
    callback = standin.callbacks.write(asked)
    return Recorded("POST", "", callback.headers, callback.body)


def _feishu_picture(standin: Any, person: str, content: bytes, now_s: float) -> Recorded:
    key = "img_v3_in"
    asked = {"message_type": "image", "content": {"image_key": key}, "chat_id": person}
    callback = standin.callbacks.write(asked)
    standin.platform.resources[callback.message_id, key] = ("image/png", "", content)
    return Recorded("POST", "", callback.headers, callback.body)


def _feishu_pictures(platform: Any) -> list[bytes]:
    keys = [
        json.loads(one.content)["image_key"] for one in platform.sent if one.msg_type == "image"
    ]
    return [platform.uploads[key][1] for key in keys]


FEISHU = Kind(
    "feishu",
    lambda: FeishuStandin(APP),
    lambda url: {
        "app_id": APP.app_id,
        "app_secret": APP.app_secret,
        "verification_token": APP.verification_token,
        "encrypt_key": APP.encrypt_key,
        "domain": url,
    },
    _feishu_write,
    lambda n: f"oc_{n:032x}",
    (
        *_sent(99991400, 230020, 11232, 230049, 99991663, 99991672),
        *_failed(230013, 230001, 230022, 230025, 230099),
    ),
    _feishu_picture,
    _feishu_pictures,
    ack=b'{"code":0}',
)


# --- WeCom ----------------------------------------------------------------------------------------


def _wecom_write(standin: Any, person: str, text: str, now_s: float) -> Recorded:
    callback = standin.callbacks.write({"text": text, "user": person, "now_s": now_s})
    return Recorded(callback.method, callback.raw_query, dict(callback.headers), callback.body)


def _wecom_picture(standin: Any, person: str, content: bytes, now_s: float) -> Recorded:
    media_id = standin.platform.upload("image", "a.png", content)["media_id"]
    asked = {"kind": "image", "user": person, "now_s": now_s, "fields": {"MediaId": media_id}}
    callback = standin.callbacks.write(asked)
    return Recorded(callback.method, callback.raw_query, dict(callback.headers), callback.body)


def _wecom_pictures(platform: Any) -> list[bytes]:
    shown = [one.body["image"]["media_id"] for one in platform.sent if "image" in one.body]
    return [platform.media[media_id][2] for media_id in shown]


WECOM = Kind(
    "wechat",
    lambda: WecomStandin(WecomPlatform(CORP_ID, AGENT_ID, CORP_SECRET), KEYS),
    lambda url: {
        "corp_id": CORP_ID,
        "agent_id": AGENT_ID,
        "secret": CORP_SECRET,
        "token": KEYS.token,
        "encoding_aes_key": KEYS.encoding_aes_key,
        "domain": url,
    },
    _wecom_write,
    lambda n: f"member{n}",
    (
        *_sent(-1, 6000, 45009, 45033, 40014, 42001, 60020),
        *_failed(60111, 81013, 40003, 45002, 44004, 40058, 47001),
    ),
    _wecom_picture,
    _wecom_pictures,
    token_call="gettoken",
)


# --- WeCom's customer service -------------------------------------------------------------------------


def _desk_standin() -> WecomStandin:
    standin = WecomStandin(WecomPlatform(CORP_ID, AGENT_ID, CORP_SECRET), KEYS)
    standin.platform.desk.a_page = 100
    return standin


def _desk_hint(standin: Any, now_s: float, **asked: Any) -> Recorded:
    callback = standin.callbacks.write({"kind": "kf", "now_s": now_s, **asked})
    return Recorded(callback.method, callback.raw_query, dict(callback.headers), callback.body)


def _desk_write(standin: Any, person: str, text: str, now_s: float) -> Recorded:
    return _desk_hint(standin, now_s, text=text, user=person)


def _desk_picture(standin: Any, person: str, content: bytes, now_s: float) -> Recorded:
    media_id = standin.platform.upload("image", "a.png", content)["media_id"]
    return _desk_hint(standin, now_s, type="image", content={"media_id": media_id}, user=person)


WECOM_DESK = Kind(
    "wechat",
    _desk_standin,
    lambda url: {
        "mode": "kf",
        "corp_id": CORP_ID,
        "open_kfid": OPEN_KFID,
        "secret": CORP_SECRET,
        "token": KEYS.token,
        "encoding_aes_key": KEYS.encoding_aes_key,
        "domain": url,
    },
    _desk_write,
    lambda n: f"wmCUSTOMER{n:022d}",
    (*_sent(-1, 45009, 42001), *_failed(95018, 40058)),
    _desk_picture,
    _wecom_pictures,
    token_call="gettoken",
    label="wechat_kf",
    asked={"kind": "kf"},
)


# --- WeCom's AI bot -----------------------------------------------------------------------------------


def _bot_write(standin: Any, person: str, text: str, now_s: float) -> Recorded:
    callback = standin.callbacks.write({"kind": "bot_text", "text": text, "user": person})
    return Recorded(callback.method, callback.raw_query, dict(callback.headers), callback.body)


#: It only answers, once, where the question says; its errors and streams have tests of their own.
WECOM_BOT = Kind(
    "wechat",
    lambda: WecomStandin(WecomPlatform(CORP_ID, AGENT_ID, CORP_SECRET), KEYS),
    lambda url: {
        "mode": "webhook",
        "bot_name": "小助手",
        "token": KEYS.token,
        "encoding_aes_key": KEYS.encoding_aes_key,
        "domain": url,
    },
    _bot_write,
    lambda n: f"member{n}",
    (),
    _wecom_picture,
    _wecom_pictures,
    token_call="",
    label="wechat_bot",
)


# --- WeChat Official Account ------------------------------------------------------------------------


def _mp_write(standin: Any, person: str, text: str, now_s: float) -> Recorded:
    asked = {"text": text, "openid": person, "created_s": int(now_s)}
    callback = standin.callbacks.write(asked)
    standin.platform.acted(person, is_message=True)
    return Recorded("POST", callback.query_string, {}, callback.body)


def _mp_picture(standin: Any, person: str, content: bytes, now_s: float) -> Recorded:
    media_id = standin.platform.upload("image", "a.png", "image/png", content)["media_id"]
    extra = {"PicUrl": f"{standin.url}/files/{media_id}", "MediaId": media_id}
    asked = {"kind": "image", "openid": person, "created_s": int(now_s), "extra": extra}
    callback = standin.callbacks.write(asked)
    standin.platform.acted(person, is_message=True)
    return Recorded("POST", callback.query_string, {}, callback.body)


def _mp_pictures(platform: Any) -> list[bytes]:
    shown = [one.body["image"]["media_id"] for one in platform.sent if "image" in one.body]
    return [platform.media[media_id][2] for media_id in shown]


WECHAT_MP = Kind(
    "wechat_mp",
    lambda: MpStandin(CallbackWriter(MP_ID, MP_TOKEN, MP_KEY), MP_SECRET),
    lambda url: {
        "app_id": MP_ID,
        "app_secret": MP_SECRET,
        "token": MP_TOKEN,
        "encoding_aes_key": MP_KEY,
        "original_id": ORIGINAL_ID,
        "reply_mode": "active",
        "domain": url,
    },
    _mp_write,
    lambda n: f"oPERSON{n:021d}",
    (
        *_sent(-1, 45011, 45009, 40001, 42001, 40164, 45002),
        *_failed(45015, 45047, 43004, 48002, 87014, 40003, 44004),
    ),
    _mp_picture,
    _mp_pictures,
    token_call="/cgi-bin/stable_token",
    lost=UNKNOWN,
    ack=b"success",
    courteous={},
    shown=lambda platform: [one["command"] for one in platform.typing],
)


# --- WhatsApp -------------------------------------------------------------------------------------


def _whatsapp_write(standin: Any, person: str, text: str, now_s: float) -> Recorded:
    asked = {"text": text, "from": person, "user_id": ""}
    callback = standin.webhooks.write(asked)
    return Recorded("POST", "", callback.headers, callback.body)


def _whatsapp_picture(standin: Any, person: str, content: bytes, now_s: float) -> Recorded:
    asked = {"kind": "image", "bytes": content, "mime": "image/png", "from": person, "user_id": ""}
    callback = standin.webhooks.write(asked)
    return Recorded("POST", "", callback.headers, callback.body)


def _whatsapp_pictures(platform: Any) -> list[bytes]:
    shown = [one.body["image"]["id"] for one in platform.sent if one.body["type"] == "image"]
    return [platform.media[media_id].content for media_id in shown]


WHATSAPP = Kind(
    "whatsapp",
    lambda: WhatsAppStandin(NUMBER_ID, META_TOKEN, META_SECRET),
    lambda url: {
        "phone_number_id": NUMBER_ID,
        "access_token": META_TOKEN,
        "app_secret": META_SECRET,
        "verify_token": "verify-me-7Q",
        "api_base": url,
    },
    _whatsapp_write,
    lambda n: f"165055{n:05d}",
    (
        *_sent(130429, 131056, 4, 80007, 131048, 131016, 131000, 131057, 131208),
        *_sent(190, 10, 131042, 133010),
        *_failed(131049, 131047, 131026, 131030, 131050, 131009, 132001, 130472, 131020),
        *_sent(368, 131031, 3),
    ),
    _whatsapp_picture,
    _whatsapp_pictures,
    token_call="",
    lost=UNKNOWN,
    courteous={},
    shown=lambda platform: [
        "typing" if "typing_indicator" in one else "read" for one in platform.read
    ],
)


# --- QQ -------------------------------------------------------------------------------------------


def _qq_write(standin: Any, person: str, text: str, now_s: float) -> Recorded:
    asked = {"kind": "c2c", "text": text, "peer": person, "now_s": now_s}
    callback = standin.callbacks.write(asked)
    return Recorded("POST", "", callback.headers, callback.body)


def _qq_picture(standin: Any, person: str, content: bytes, now_s: float) -> Recorded:
    standin.platform.cdn["a.png"] = content
    attachment = {"content_type": "image/png", "url": f"{standin.url}/standin/cdn/a.png"}
    asked = {"kind": "c2c", "peer": person, "now_s": now_s, "attachments": [attachment]}
    callback = standin.callbacks.write(asked)
    return Recorded("POST", "", callback.headers, callback.body)


def _qq_pictures(platform: Any) -> list[bytes]:
    shown = [one.body["media"]["file_info"] for one in platform.sent if "media" in one.body]
    return [platform.files[file_info] for file_info in shown]


QQ = Kind(
    "qqbot",
    lambda: QqStandin(QQ_ID, QQ_SECRET),
    lambda url: {"app_id": QQ_ID, "client_secret": QQ_SECRET, "api_base": url},
    _qq_write,
    lambda n: f"{n:032X}A",
    (
        *_sent(11244, 22009, 11281, 50055001, 40034100, 11251, 40054005),
        *_failed(304027, 40034102, 40034006, 40054003, 50006, 40054007, 40054010, 50056),
    ),
    _qq_picture,
    _qq_pictures,
    ack=b'{"op":12,"d":0}',
    courteous={"typing": True},
    shown=lambda platform: ["typing" for _ in platform.typing],
)

KINDS = (FEISHU, WECOM, WECOM_DESK, WECHAT_MP, WHATSAPP, QQ)
