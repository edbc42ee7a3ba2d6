"""The smallest channel: whoever posts {"id", "from", "text"} is a user."""

from wunder_sdk import Channel, ChannelMessage, ParseResult, Peer, Sender, SendResult


class Echo(Channel):
    async def parse_inbound(self, account, http):
        event = http.json()
        peer, sender = Peer("user", event["from"]), Sender(event["from"])
        where = (account.channel, account.account_id, peer, event["id"], sender, http.received_ms)
        return ParseResult(messages=(ChannelMessage(*where, text=event["text"]),))

    async def send_outbound(self, account, send):
        self.log.info("sent", to=send.peer.id, size=len(send.text))
        return SendResult(provider_message_id=send.idempotency_key)
