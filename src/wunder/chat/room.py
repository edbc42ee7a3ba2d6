"""The whole room, put together: what the composition root asks for."""

from wunder.chat.desk import ChatDesk
from wunder.chat.doors import ChatLog
from wunder.chat.feed import ChatFeed
from wunder.chat.places import ChatPlaces
from wunder.chat.policy import ChatPolicy
from wunder.chat.stream import ChatStreams, Files
from wunder.ports import Accounts, Clock, Providers


class ChatRoom:
    """`desk` and `streams` are for the API, `feed` runs beside the rooms."""

    def __init__(
        self,
        directory: tuple[Accounts, Providers],
        chats: ChatLog,
        files: Files,
        key: bytes,
        clock: Clock,
        policy: ChatPolicy,
    ) -> None:
        self.desk = ChatDesk(ChatPlaces(*directory), key, clock, policy)
        self.feed = ChatFeed(chats, clock, policy)
        self.streams = ChatStreams(self.desk, chats, self.feed, files, clock, policy)
