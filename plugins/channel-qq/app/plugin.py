"""The entry of the QQ plugin: the gateway serves the one channel class it finds here."""

from wunder_channels.qqbot.channel import QqChannel as QqChannel
