-- Attachments are fetched after the message was taken in, so a row begins without bytes; nothing was ever
-- written to the table of 0001.
DROP TABLE attachments;

-- table attachments: media kept by the gateway; the bytes lie in data/attachments | 网关保存的媒体；内容在 data/attachments
CREATE TABLE attachments (
  blob_id TEXT NOT NULL PRIMARY KEY, -- identity, also the file's name | 标识，也是文件名
  message_id TEXT NOT NULL DEFAULT '', -- inbound message it came with, '' for an upload | 所属的接收消息，上传的为空
  ordinal INTEGER NOT NULL DEFAULT 0, -- its place in that message, from 0 | 在消息中的位置，从 0 起
  account_uid TEXT NOT NULL DEFAULT '', -- account it belongs to, '' for any | 所属账号，空表示任何账号
  kind TEXT NOT NULL, -- image, audio, video or file | image、audio、video 或 file
  state TEXT NOT NULL CHECK (state = 'waiting' OR state = 'stored' OR state = 'failed'), -- waiting to be fetched, stored or failed | waiting 待取、stored 已存、failed 失败
  source TEXT NOT NULL DEFAULT '{}', -- JSON: how its channel named it | JSON：渠道给出的引用
  name TEXT NOT NULL DEFAULT '', -- file name for people, never a path | 供人阅读的文件名，从不作为路径
  mime TEXT NOT NULL DEFAULT '', -- media type as its bytes say, else as given | 按内容判断的媒体类型，否则按来源所述
  size_bytes INTEGER NOT NULL DEFAULT 0, -- size | 大小
  sha256 TEXT NOT NULL DEFAULT '', -- of the bytes | 字节的 SHA-256
  tries INTEGER NOT NULL DEFAULT 0, -- fetches that failed | 失败的获取次数
  retry_at INTEGER NOT NULL DEFAULT 0, -- when to fetch it, while waiting | 等待时，何时去取
  error TEXT NOT NULL DEFAULT '', -- why the last fetch failed | 最近一次失败的原因
  created_at INTEGER NOT NULL, -- when it was first heard of | 首次得知的时间
  used_at INTEGER NOT NULL -- when it was last put to use; retention counts from here | 最近使用时间；保留期由此计算
) STRICT, WITHOUT ROWID;
CREATE INDEX attachments_due ON attachments (retry_at) WHERE state = 'waiting';
CREATE INDEX attachments_account ON attachments (account_uid, used_at);
CREATE INDEX attachments_used ON attachments (used_at);
