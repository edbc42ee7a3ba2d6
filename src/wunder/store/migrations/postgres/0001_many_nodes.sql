-- What PostgreSQL has besides the tables of 0001: the order of the trail over all nodes, and room for
-- rows that change in place.
CREATE SEQUENCE channel_trail_steps;
ALTER TABLE channel_trail ALTER COLUMN step_no SET DEFAULT nextval('channel_trail_steps');
-- These change with each message: half-full pages let a new version stay beside the old one.
ALTER TABLE channel_lanes SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE channel_sessions SET (fillfactor = 70);
ALTER TABLE channel_leases SET (fillfactor = 20);
ALTER TABLE meta SET (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
ALTER TABLE channel_messages SET (fillfactor = 85);
ALTER TABLE channel_outbox SET (fillfactor = 85);
