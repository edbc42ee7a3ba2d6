-- A replay gives a delivery its time once more: how long that is must not depend on how often its end was moved.
ALTER TABLE channel_outbox ADD COLUMN ttl_ms INTEGER; -- milliseconds it may wait, kept when its end is moved; NULL: expires_at - created_at | 允许等待的毫秒数，到期时间被改动时记下；NULL 表示 expires_at - created_at
