-- What a chat page reads of one conversation. Rows that take the usual way, received, answering, then
-- part of a session, are never in the second index: the message path does not pay for it.
CREATE INDEX channel_sessions_conversation ON channel_sessions (account_uid, peer_kind, peer_id, thread_id, seq);
CREATE INDEX channel_messages_apart ON channel_messages (account_uid, peer_id, seq) WHERE peer_kind = 'user' AND session_id IS NULL AND state <> 'received' AND state <> 'answering';
