-- What nodes of one database share and know of each other.

-- table shelf: large bytes that every node can read: packages and attachments; empty where one node has them in files | 各节点都能读取的大块内容：插件包与附件；只有一个节点时放在文件里，此表为空
CREATE TABLE shelf (
  kind TEXT NOT NULL, -- package or attachment | package 或 attachment
  name TEXT NOT NULL, -- SHA-256 of the package, or the attachment's blob_id | 插件包的 SHA-256，或附件的 blob_id
  piece INTEGER NOT NULL, -- which piece, from 0 | 第几块，从 0 起
  content BLOB NOT NULL, -- its bytes, 256 KiB but for the last | 内容，除最后一块外均为 256 KiB
  stored_at INTEGER NOT NULL, -- when it was put there | 存入时间
  PRIMARY KEY (kind, name, piece)
) STRICT;

-- table nodes: gateways that served this store: who they are and how they ended | 服务过此存储的网关：身份与结束方式
CREATE TABLE nodes (
  node_id TEXT NOT NULL PRIMARY KEY, -- name, made with its data directory | 名称，随数据目录生成
  epoch INTEGER NOT NULL, -- its latest start | 最近一次启动
  state TEXT NOT NULL, -- serving, draining or stopped, as it said itself; a dead one says nothing | 自述的状态：serving、draining 或 stopped；已死的节点不会说话
  version TEXT NOT NULL DEFAULT '', -- of the gateway | 网关版本
  host TEXT NOT NULL DEFAULT '', -- name of its machine | 所在机器名
  platform TEXT NOT NULL DEFAULT '', -- such as linux-amd64 | 平台，如 linux-amd64
  python TEXT NOT NULL DEFAULT '', -- its interpreter | 解释器版本
  url TEXT NOT NULL DEFAULT '', -- where it listens | 监听地址
  schema_version INTEGER NOT NULL DEFAULT 0, -- newest schema it knows | 它所知的最新模式版本
  started_at INTEGER NOT NULL, -- when it started | 启动时间
  seen_at INTEGER NOT NULL, -- when it last said something | 最近一次自述的时间
  stopped_at INTEGER -- when it left; NULL while it has not | 离开时间；未离开为 NULL
) STRICT, WITHOUT ROWID;

ALTER TABLE channel_plugin_runtime ADD COLUMN last_error_code TEXT NOT NULL DEFAULT ''; -- why it does not run on this node | 在此节点不运行的原因码
ALTER TABLE channel_plugin_runtime ADD COLUMN last_error TEXT NOT NULL DEFAULT ''; -- the same in words | 原因说明
ALTER TABLE channel_plugin_runtime ADD COLUMN noted_at INTEGER NOT NULL DEFAULT 0; -- when this was noted | 记录时间
