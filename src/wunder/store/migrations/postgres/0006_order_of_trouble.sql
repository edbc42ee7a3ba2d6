-- SQLite's indexes hold the row's number beside the key; here it has to be asked for.
CREATE INDEX channel_outbox_trouble_order ON channel_outbox (state, seq) WHERE (state = 'failed' OR state = 'unknown' OR state = 'expired' OR state = 'cancelled' OR state = 'held');
