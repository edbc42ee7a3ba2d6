-- What administrators do beside the traffic: who was let in by a code, and work that goes on in small steps.

-- table channel_pairings: strangers who asked to talk to an account, and what was decided | 请求与账号对话的陌生人及处理结果
CREATE TABLE channel_pairings (
  pairing_id TEXT NOT NULL PRIMARY KEY, -- identity | 标识
  account_uid TEXT NOT NULL, -- account | 账号
  channel TEXT NOT NULL, -- provider id | 提供方标识
  account_id TEXT NOT NULL, -- account label then | 当时的账号标签
  peer_id TEXT NOT NULL, -- who asks | 请求者
  peer_name TEXT NOT NULL DEFAULT '', -- their name, as the platform gave it | 平台给出的名称
  code TEXT NOT NULL, -- what they were told, 8 characters | 告知对方的配对码，8 个字符
  state TEXT NOT NULL CHECK (state = 'pending' OR state = 'approved' OR state = 'rejected'), -- pending, approved or rejected; a pending one ends at expires_at | pending、approved 或 rejected；pending 在 expires_at 失效
  message_id TEXT NOT NULL DEFAULT '', -- the message that is kept and answered once approved | 保留并在批准后回答的消息
  created_at INTEGER NOT NULL, -- when the code was given | 给出配对码的时间
  expires_at INTEGER NOT NULL, -- until when the code is good | 配对码有效期
  decided_at INTEGER, -- when an administrator decided | 管理员处理的时间
  decided_by TEXT NOT NULL DEFAULT '' -- who decided | 由谁处理
) STRICT, WITHOUT ROWID;
CREATE INDEX channel_pairings_peer ON channel_pairings (account_uid, peer_id);
CREATE INDEX channel_pairings_open ON channel_pairings (account_uid, expires_at) WHERE state = 'pending';
CREATE INDEX channel_pairings_code ON channel_pairings (code);

-- table jobs: work that an administrator ordered and that goes on in small steps, on any node | 管理员下达、由任一节点分小步执行的任务
CREATE TABLE jobs (
  seq INTEGER PRIMARY KEY, -- order of being ordered, cursor of lists | 下达顺序，列表游标
  job_id TEXT NOT NULL UNIQUE, -- identity | 标识
  kind TEXT NOT NULL, -- what kind of work: replay | 任务类型：replay
  state TEXT NOT NULL CHECK (state = 'waiting' OR state = 'running' OR state = 'done' OR state = 'cancelled' OR state = 'failed'), -- waiting, running, done, cancelled or failed | waiting、running、done、cancelled 或 failed
  spec TEXT NOT NULL, -- JSON: what exactly | JSON：具体内容
  total INTEGER NOT NULL, -- how much there was to do when it was ordered | 下达时的工作量
  done INTEGER NOT NULL DEFAULT 0, -- how much was done | 已完成
  skipped INTEGER NOT NULL DEFAULT 0, -- how much was found done or gone | 已完成或已不存在而跳过
  cursor INTEGER NOT NULL DEFAULT 0, -- how far it came | 进行到的位置
  ends_at INTEGER NOT NULL DEFAULT 0, -- cursor at which it is done | 完成时的位置
  fence INTEGER NOT NULL DEFAULT 0, -- grows with each take-over | 每次接管递增
  epoch INTEGER NOT NULL DEFAULT 0, -- start of the gateway that works on it | 执行它的那次网关启动
  lease_until INTEGER NOT NULL DEFAULT 0, -- who works on it has said so until then | 执行者声明的有效期
  error TEXT NOT NULL DEFAULT '', -- why it failed | 失败原因
  created_by TEXT NOT NULL DEFAULT '', -- who ordered it | 由谁下达
  created_at INTEGER NOT NULL, -- when | 何时
  updated_at INTEGER NOT NULL, -- when it last came further | 最近推进的时间
  finished_at INTEGER -- when it ended | 结束时间
) STRICT;
CREATE INDEX jobs_open ON jobs (seq) WHERE (state = 'waiting' OR state = 'running');
