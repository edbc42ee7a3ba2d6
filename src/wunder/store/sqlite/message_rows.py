"""Rows of `channel_messages` as SQLite is given them; what the rooms see is the same on both engines."""

#: `inbound_row`, then what T1 knows.
INSERT_INBOUND = """
INSERT INTO channel_messages (message_id, account_uid, peer_kind, peer_id, thread_id, channel,
  account_id, peer_name, thread_topic, sender_id, sender_name, sender_is_bot, type, text, content, meta,
  platform_message_id, state, reason, lane_id, lane_seq, fence, claims, epoch, claimed_at, turn_id,
  request_id, plugin_id, version, sent_at, received_at, created_at, inline_until, direction)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
#: `outbound_row`, then what T2 knows.
INSERT_OUTBOUND = """
INSERT INTO channel_messages (message_id, account_uid, peer_kind, peer_id, thread_id, channel,
  account_id, peer_name, thread_topic, format, text, content, meta, reply_to, in_reply_to, turn_id,
  session_id, session_seq, agent_id, binding_id, created_at, direction)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
