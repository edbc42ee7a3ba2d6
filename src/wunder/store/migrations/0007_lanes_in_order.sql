-- Of lanes that became ready at the same moment, as after an outage, the oldest is claimed first: the index
-- says so too, or a claim would sort them all.
DROP INDEX channel_lanes_ready;
CREATE INDEX channel_lanes_ready ON channel_lanes (kind, is_suspect, ready_at, lane_id) WHERE ready_at IS NOT NULL;
DROP INDEX channel_lanes_ready_account;
CREATE INDEX channel_lanes_ready_account ON channel_lanes (kind, account_uid, ready_at, lane_id) WHERE ready_at IS NOT NULL;
