-- A delivery whose text a person corrected stays as it is; what went out in its place is a delivery of its own.
ALTER TABLE channel_outbox ADD COLUMN successor_id TEXT NOT NULL DEFAULT ''; -- the delivery that was sent in its place with a corrected text, '' for none | 更正文字后代替它发送的投递，没有则为空
ALTER TABLE channel_outbox ADD COLUMN predecessor_id TEXT NOT NULL DEFAULT ''; -- the delivery whose text this one corrects, '' for none | 本投递所更正的投递，没有则为空
