-- How much goes through an account or a binding, kept by the hour: counting messages would take longer the more there are.
-- table tallies: how many messages each account and each binding had, by the hour and in all | 每个账号与每条绑定的消息数，按小时与累计
CREATE TABLE tallies (
  subject TEXT NOT NULL, -- account_uid or binding_id, '' for the whole gateway | account_uid 或 binding_id，'' 表示整个网关
  hour INTEGER NOT NULL, -- Unix hours, 0 for all time | Unix 小时，0 表示累计
  received INTEGER NOT NULL DEFAULT 0, -- messages taken in; of a binding: turns that it answered | 收到的消息；绑定：由它应答的轮次
  sent INTEGER NOT NULL DEFAULT 0, -- messages for the platform, replies and those sent first | 发往平台的消息，包括回复与主动发送
  last_at INTEGER NOT NULL DEFAULT 0, -- when the last of them was stored | 其中最后一条的存储时间
  counted_to INTEGER NOT NULL DEFAULT 0, -- of the whole gateway, all time: the last message that was counted, its seq | 仅整个网关的累计行：已计入的最后一条消息的 seq
  PRIMARY KEY (subject, hour)
) STRICT;
