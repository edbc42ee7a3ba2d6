-- The first schema. Times (`*_at`, `*_until`) are Unix milliseconds. JSON columns hold UTF-8 JSON text.
-- Lists of states are written as ORs: `IN` builds a temporary index for each row (60 us instead of 4).
-- Each column's comment is "English | 中文": docs/database.md and its twin are generated from it.

-- table meta: facts about this store itself: schema version, epoch, incarnation, kept counters | 关于存储自身的事实：模式版本、纪元、化身、持续计数
CREATE TABLE meta (
  key TEXT NOT NULL PRIMARY KEY, -- name of the fact | 事实名称
  value TEXT NOT NULL -- its value as text | 文本形式的值
) STRICT, WITHOUT ROWID;

-- table channel_accounts: logins on channels, with access rules and sealed secrets | 渠道账号：访问规则与密封的机密
CREATE TABLE channel_accounts (
  account_uid TEXT NOT NULL PRIMARY KEY, -- random, immutable; everything refers to it | 随机且不可变的身份，其他表都引用它
  channel TEXT NOT NULL, -- provider id, which is the plugin_id | 提供方标识，即 plugin_id
  account_id TEXT NOT NULL, -- label, unique per channel among live accounts | 标签，在同一渠道的有效账号中唯一
  owner_user_id TEXT NOT NULL DEFAULT '', -- gateway user who owns it, '' for administrators | 所属网关用户，管理员账号为空
  display_name TEXT NOT NULL DEFAULT '', -- name shown to people | 展示名称
  status TEXT NOT NULL CHECK (status = 'enabled' OR status = 'disabled' OR status = 'draft' OR status = 'deleted'), -- enabled, disabled, draft or deleted (a tombstone) | 启用、停用、草稿或已删除（墓碑）
  config TEXT NOT NULL DEFAULT '{}', -- JSON: access and delivery settings, provider_config without secrets | JSON：访问与投递设置及不含机密的 provider_config
  secrets BLOB NOT NULL DEFAULT x'', -- sealed secrets, empty where there are none | 密封的机密，没有时为空
  rev INTEGER NOT NULL DEFAULT 1, -- grows with each change; compared by writers | 每次修改递增，供写入者比较
  secret_rev INTEGER NOT NULL DEFAULT 0, -- grows with each change of the secrets; bound to the ciphertext | 机密每次修改递增，并绑定到密文
  webhook_key TEXT NOT NULL, -- random part of the webhook URL | 回调地址中的随机部分
  external_id TEXT NOT NULL DEFAULT '', -- who the account is on the platform, once known | 平台侧身份，已知时填写
  created_at INTEGER NOT NULL, -- when it was created | 创建时间
  updated_at INTEGER NOT NULL, -- when it last changed | 最近修改时间
  deleted_at INTEGER -- when it became a tombstone | 成为墓碑的时间
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX channel_accounts_label ON channel_accounts (channel, account_id) WHERE status <> 'deleted';
CREATE UNIQUE INDEX channel_accounts_webhook_key ON channel_accounts (webhook_key);
CREATE UNIQUE INDEX channel_accounts_identity ON channel_accounts (channel, external_id) WHERE status = 'enabled' AND external_id <> '';

-- table channel_bindings: which conversations of an account go to which agent | 账号的哪些对话交给哪个智能体
CREATE TABLE channel_bindings (
  binding_id TEXT NOT NULL PRIMARY KEY, -- identity | 标识
  channel TEXT NOT NULL, -- provider id or * | 提供方标识或 *
  account_id TEXT NOT NULL, -- account label or * | 账号标签或 *
  peer_kind TEXT NOT NULL, -- user, group, channel or * | user、group、channel 或 *
  peer_id TEXT NOT NULL, -- platform id of the peer or * | 对端平台标识或 *
  agent_id TEXT NOT NULL, -- who answers | 由谁回答
  priority INTEGER NOT NULL DEFAULT 0, -- higher wins among equally specific rules | 同等具体时数值大者优先
  is_enabled INTEGER NOT NULL DEFAULT 1, -- 1: in force | 1 表示生效
  events INTEGER NOT NULL DEFAULT 0, -- 1: also answers messages of type event | 1 表示也回答 event 类消息
  owner_user_id TEXT NOT NULL DEFAULT '', -- user who owns the rule, '' for administrators | 规则所属用户，管理员为空
  created_at INTEGER NOT NULL, -- when it was made | 创建时间
  rev INTEGER NOT NULL DEFAULT 1 -- grows with each change | 每次修改递增
) STRICT, WITHOUT ROWID;
CREATE INDEX channel_bindings_agent ON channel_bindings (agent_id);
CREATE INDEX channel_bindings_account ON channel_bindings (channel, account_id);

-- table channel_user_bindings: which gateway user owns an account or is a chat peer | 网关用户与账号或聊天对端的对应
CREATE TABLE channel_user_bindings (
  user_id TEXT NOT NULL, -- gateway user | 网关用户
  account_uid TEXT NOT NULL, -- account | 账号
  peer_kind TEXT NOT NULL DEFAULT '', -- kind of peer, '' for the account itself | 对端类型，账号本身为空
  peer_id TEXT NOT NULL DEFAULT '', -- platform id of the peer | 对端平台标识
  role TEXT NOT NULL DEFAULT 'owner', -- owner or peer | owner 或 peer
  created_at INTEGER NOT NULL, -- when it was made | 创建时间
  PRIMARY KEY (user_id, account_uid, peer_kind, peer_id)
) STRICT, WITHOUT ROWID;

-- table channel_sessions: running conversations with an agent | 与智能体进行中的会话
CREATE TABLE channel_sessions (
  seq INTEGER PRIMARY KEY, -- order of opening, cursor of lists | 开启顺序，列表游标
  session_id TEXT NOT NULL UNIQUE, -- identity | 标识
  account_uid TEXT NOT NULL DEFAULT '', -- conversation: account | 对话：账号
  peer_kind TEXT NOT NULL DEFAULT '', -- conversation: kind of peer | 对话：对端类型
  peer_id TEXT NOT NULL DEFAULT '', -- conversation: peer | 对话：对端
  thread_id TEXT NOT NULL DEFAULT '', -- conversation: thread, '' for none | 对话：话题，没有则为空
  channel TEXT NOT NULL, -- provider id | 提供方标识
  account_id TEXT NOT NULL, -- account label when it was opened | 开启时的账号标签
  agent_id TEXT NOT NULL DEFAULT '', -- who answers | 由谁回答
  peer_name TEXT NOT NULL DEFAULT '', -- name of the peer as last seen | 最近所见的对端名称
  is_current INTEGER NOT NULL DEFAULT 1, -- 1: the conversation's current session | 1 表示该对话的当前会话
  message_count INTEGER NOT NULL DEFAULT 0, -- lines so far, also the next session_seq | 已有行数，也是下一个 session_seq
  created_at INTEGER NOT NULL, -- when it was opened | 开启时间
  last_message_at INTEGER NOT NULL -- when it last grew | 最近增长时间
) STRICT;
CREATE UNIQUE INDEX channel_sessions_current ON channel_sessions (account_uid, peer_kind, peer_id, thread_id) WHERE is_current = 1;

-- table channel_lanes: one row per order of turns or deliveries within a conversation | 每个对话内轮次或投递的有序队列，一行一个
CREATE TABLE channel_lanes (
  lane_id INTEGER PRIMARY KEY, -- identity | 标识
  kind TEXT NOT NULL CHECK (kind = 'turn' OR kind = 'delivery'), -- turn or delivery | turn 或 delivery
  account_uid TEXT NOT NULL DEFAULT '', -- conversation: account | 对话：账号
  peer_kind TEXT NOT NULL DEFAULT '', -- conversation: kind of peer | 对话：对端类型
  peer_id TEXT NOT NULL DEFAULT '', -- conversation: peer | 对话：对端
  thread_id TEXT NOT NULL DEFAULT '', -- conversation: thread | 对话：话题
  next_seq INTEGER NOT NULL DEFAULT 1, -- sequence number of the next row that enters | 下一个进入行的序号
  waiting INTEGER NOT NULL DEFAULT 0, -- rows in the lane that are not released | 队列中尚未释放的行数
  fence INTEGER NOT NULL DEFAULT 0, -- grows with each claim of a head | 每次领取队首时递增
  ready_at INTEGER, -- when the head may be claimed; NULL while empty, in flight or held | 队首可领取的时间；为空、处理中或扣留时为 NULL
  rests_until INTEGER, -- nothing is claimed before: a call without an answer may still be running | 此前不领取：无应答的调用可能仍在进行
  is_suspect INTEGER NOT NULL DEFAULT 0, -- 1: the head has 2 unfinished claims and runs alone | 1 表示队首有两次未完成的领取，须单独运行
  lease_until INTEGER, -- end of the claim's lease, many-node engine only | 领取租约的结束，仅多节点引擎
  lease_node TEXT NOT NULL DEFAULT '', -- node that holds the claim, many-node engine only | 持有领取的节点，仅多节点引擎
  UNIQUE (kind, account_uid, peer_kind, peer_id, thread_id)
) STRICT;
CREATE INDEX channel_lanes_ready ON channel_lanes (kind, is_suspect, ready_at) WHERE ready_at IS NOT NULL;
CREATE INDEX channel_lanes_ready_account ON channel_lanes (kind, account_uid, ready_at) WHERE ready_at IS NOT NULL;

-- table channel_messages: inbound and outbound messages, immutable but for their state | 入站与出站消息，除状态外不可变
CREATE TABLE channel_messages (
  seq INTEGER PRIMARY KEY, -- order of storing, cursor of lists | 存储顺序，列表游标
  message_id TEXT NOT NULL UNIQUE, -- our identity | 我们的标识
  direction TEXT NOT NULL CHECK (direction = 'in' OR direction = 'out'), -- in or out | in 或 out
  account_uid TEXT NOT NULL DEFAULT '', -- conversation: account | 对话：账号
  peer_kind TEXT NOT NULL DEFAULT '', -- conversation: kind of peer | 对话：对端类型
  peer_id TEXT NOT NULL DEFAULT '', -- conversation: peer | 对话：对端
  thread_id TEXT NOT NULL DEFAULT '', -- conversation: thread | 对话：话题
  channel TEXT NOT NULL, -- provider id | 提供方标识
  account_id TEXT NOT NULL, -- account label when stored | 存储时的账号标签
  peer_name TEXT NOT NULL DEFAULT '', -- name of the peer | 对端名称
  thread_topic TEXT NOT NULL DEFAULT '', -- topic of the thread | 话题标题
  sender_id TEXT NOT NULL DEFAULT '', -- inbound: who wrote it | 入站：作者标识
  sender_name TEXT NOT NULL DEFAULT '', -- inbound: their name | 入站：作者名称
  sender_is_bot INTEGER NOT NULL DEFAULT 0, -- 1: another bot wrote it | 1 表示由其他机器人发出
  type TEXT NOT NULL DEFAULT 'text', -- text, image, event and so on | text、image、event 等
  format TEXT NOT NULL DEFAULT 'plain', -- outbound: plain or markdown | 出站：plain 或 markdown
  text TEXT NOT NULL DEFAULT '', -- the words | 正文
  content TEXT NOT NULL DEFAULT '{}', -- JSON: attachments, location, mentions | JSON：附件、位置、提及
  meta TEXT NOT NULL DEFAULT '{}', -- JSON: the provider's own note, returned to it alone | JSON：提供方自己的备注，只返回给它
  platform_message_id TEXT NOT NULL DEFAULT '', -- inbound: the platform's stable id | 入站：平台的稳定标识
  reply_to TEXT, -- outbound: platform id of the message it answers | 出站：所回复消息的平台标识
  in_reply_to TEXT, -- outbound: our id of the inbound message it answers | 出站：所回复入站消息的我方标识
  state TEXT NOT NULL DEFAULT '' CHECK (state = '' OR state = 'received' OR state = 'answering' OR state = 'answered' OR state = 'no_answer' OR state = 'unrouted' OR state = 'refused' OR state = 'failed'), -- inbound: where it is in room 2; '' outbound | 入站：在房间二中的状态；出站为空
  reason TEXT NOT NULL DEFAULT '', -- why refused, unrouted, failed or not answered | 拒收、无路由、失败或未答的原因
  lane_id INTEGER, -- turn lane of the conversation | 该对话的轮次队列
  lane_seq INTEGER, -- place in that lane | 在队列中的位置
  fence INTEGER NOT NULL DEFAULT 0, -- the claim under which it is or was answered | 回答它的那次领取
  claims INTEGER NOT NULL DEFAULT 0, -- started turns that did not end | 已开始而未结束的轮次数
  is_alone INTEGER NOT NULL DEFAULT 0, -- 1: the running claim was made alone (a suspect) | 1 表示当前领取为单独运行（可疑消息）
  epoch INTEGER NOT NULL DEFAULT 0, -- start of the gateway that claimed it | 领取它的那次网关启动
  claimed_at INTEGER, -- when it was last claimed | 最近领取时间
  reroutes INTEGER NOT NULL DEFAULT 0, -- how often it was put back by hand | 被人工重新路由的次数
  turn_id TEXT, -- the turn it belongs to | 所属轮次
  session_id TEXT, -- session it became part of | 归入的会话
  session_seq INTEGER, -- place in that session | 在会话中的位置
  agent_id TEXT, -- who answered | 由谁回答
  binding_id TEXT, -- rule that routed it | 路由它的绑定
  reply_ordinals INTEGER NOT NULL DEFAULT 0, -- inbound: reply ordinals given so far | 入站：已分配的回复序号数
  inline_until INTEGER, -- until when a reply may travel in the webhook's response | 在此之前回复可随回调响应返回
  request_id TEXT NOT NULL DEFAULT '', -- webhook request that brought it | 带来它的回调请求
  plugin_id TEXT NOT NULL DEFAULT '', -- whose code parsed it | 由谁的代码解析
  version TEXT NOT NULL DEFAULT '', -- version of that code | 该代码的版本
  sent_at INTEGER, -- by the platform's clock | 平台时钟的发送时间
  received_at INTEGER, -- when the webhook request arrived | 回调请求到达时间
  created_at INTEGER NOT NULL, -- when it was stored | 存储时间
  finished_at INTEGER -- when its turn ended | 轮次结束时间
) STRICT;
CREATE INDEX channel_messages_lane ON channel_messages (lane_id, lane_seq, state) WHERE (state = 'received' OR state = 'answering');
CREATE INDEX channel_messages_trouble ON channel_messages (state) WHERE (state = 'unrouted' OR state = 'refused' OR state = 'failed');
CREATE INDEX channel_messages_session ON channel_messages (session_id, session_seq) WHERE session_id IS NOT NULL;

-- table channel_outbox: deliveries, the duty to get one outbound message to its platform | 投递：把一条出站消息送达平台的责任
CREATE TABLE channel_outbox (
  seq INTEGER PRIMARY KEY, -- order of queueing, cursor of lists | 入队顺序，列表游标
  delivery_id TEXT NOT NULL UNIQUE, -- identity and idempotency key for the platform | 标识，也是交给平台的幂等键
  message_id TEXT NOT NULL, -- the outbound message | 出站消息
  root_message_id TEXT, -- inbound message of the turn; NULL for a message sent first | 该轮次的入站消息；主动发送时为 NULL
  account_uid TEXT NOT NULL DEFAULT '', -- conversation: account | 对话：账号
  peer_kind TEXT NOT NULL DEFAULT '', -- conversation: kind of peer | 对话：对端类型
  peer_id TEXT NOT NULL DEFAULT '', -- conversation: peer | 对话：对端
  thread_id TEXT NOT NULL DEFAULT '', -- conversation: thread | 对话：话题
  channel TEXT NOT NULL, -- provider id | 提供方标识
  account_id TEXT NOT NULL, -- account label when queued | 入队时的账号标签
  state TEXT NOT NULL CHECK (state = 'pending' OR state = 'claimed' OR state = 'sending' OR state = 'sent' OR state = 'failed' OR state = 'unknown' OR state = 'expired' OR state = 'cancelled' OR state = 'held' OR state = 'streaming'), -- where it is in room 3 | 在房间三中的状态
  receipt TEXT NOT NULL DEFAULT 'none' CHECK (receipt = 'none' OR receipt = 'delivered' OR receipt = 'read' OR receipt = 'failed'), -- what the platform said later; only forward | 平台的后续回执，只前进
  lane_id INTEGER NOT NULL, -- delivery lane of the conversation | 该对话的投递队列
  lane_seq INTEGER NOT NULL, -- place in that lane | 在队列中的位置
  fence INTEGER NOT NULL DEFAULT 0, -- the claim under which it is or was sent | 发送它的那次领取
  epoch INTEGER NOT NULL DEFAULT 0, -- start of the gateway that claimed it | 领取它的那次网关启动
  attempts INTEGER NOT NULL DEFAULT 0, -- tries so far, also the number of the last one | 已尝试次数，也是最后一次的编号
  retries_used INTEGER NOT NULL DEFAULT 0, -- tries that counted against the retry policy | 计入重试策略的次数
  collisions INTEGER NOT NULL DEFAULT 0, -- how often the platform called a first try a duplicate | 平台把首次尝试判为重复的次数
  part INTEGER NOT NULL DEFAULT 0, -- the part of a long text that is next | 长文本的下一个分段
  part_state TEXT, -- JSON: what the provider needs for that part | JSON：提供方发送该分段所需的状态
  reply_ordinal INTEGER NOT NULL DEFAULT 0, -- n-th delivery to the inbound message, from 1; 0 when sent first | 对该入站消息的第几次投递，从 1 起；主动发送为 0
  had_unknown INTEGER NOT NULL DEFAULT 0, -- 1: an earlier try of this part may have arrived | 1 表示此分段较早的尝试可能已送达
  first_sending_at INTEGER, -- first try of this part; opens the idempotency window | 此分段首次发送，幂等窗口的起点
  idem_window_ms INTEGER NOT NULL DEFAULT 0, -- the platform recognises a repeated key for so long; 0: it does not | 平台识别重复键的时长；0 表示不识别
  idem_covers TEXT NOT NULL DEFAULT 'all', -- all or replies: what that holds for | all 或 replies：适用范围
  retry_at INTEGER, -- not before this time | 不早于此时间重试
  not_before INTEGER, -- held back for an inline reply until then | 为随响应返回的回复保留到此时
  expires_at INTEGER NOT NULL, -- not after this time | 不晚于此时间
  created_at INTEGER NOT NULL, -- when it was queued | 入队时间
  settled_at INTEGER, -- when it reached its present final state | 到达当前终态的时间
  replays INTEGER NOT NULL DEFAULT 0, -- how often it was replayed by hand | 被人工重放的次数
  streaming INTEGER NOT NULL DEFAULT 0, -- frames of a progressive reply sent so far | 渐进回复已发送的帧数
  idempotency_key TEXT NOT NULL DEFAULT '', -- given by who sent first; unique per account | 主动发送者给出的键，每账号唯一
  provider_message_id TEXT NOT NULL DEFAULT '', -- the platform's id of the last part that arrived | 最后送达分段的平台标识
  error_kind TEXT NOT NULL DEFAULT '', -- kind of the last fault | 最近故障的种类
  error TEXT NOT NULL DEFAULT '', -- its words | 故障说明
  plugin_id TEXT NOT NULL DEFAULT '', -- whose code made the last try | 最近一次尝试由谁的代码执行
  version TEXT NOT NULL DEFAULT '', -- version of that code | 该代码的版本
  begun_plugin_id TEXT, -- whose code sent part 0 of a message in parts | 分段消息的第 0 段由谁的代码发送
  begun_version TEXT, -- version of that code | 该代码的版本
  canary INTEGER NOT NULL DEFAULT 0 -- 1: the last try was made by a canary release | 1 表示最近一次尝试由灰度版本执行
) STRICT;
CREATE INDEX channel_outbox_lane ON channel_outbox (lane_id, lane_seq, state) WHERE (state = 'pending' OR state = 'claimed' OR state = 'sending' OR state = 'held' OR state = 'streaming');
CREATE INDEX channel_outbox_trouble ON channel_outbox (state) WHERE (state = 'failed' OR state = 'unknown' OR state = 'expired' OR state = 'cancelled' OR state = 'held');
CREATE INDEX channel_outbox_expiry ON channel_outbox (expires_at) WHERE state = 'pending';
CREATE UNIQUE INDEX channel_outbox_key ON channel_outbox (account_uid, idempotency_key) WHERE idempotency_key <> '';

-- table channel_attempts: each try of a delivery, with its outcome | 投递的每次尝试及其结果
CREATE TABLE channel_attempts (
  delivery_id TEXT NOT NULL, -- the delivery; attempt_id is delivery_id.attempt_no | 所属投递；attempt_id 为 delivery_id.attempt_no
  attempt_no INTEGER NOT NULL, -- from 1 | 从 1 起
  part INTEGER NOT NULL DEFAULT 0, -- part of a long text | 长文本的分段
  started_at INTEGER NOT NULL, -- when it was marked, before the frame was written | 标记时间，早于写出数据帧
  settled_at INTEGER, -- when its outcome was known; NULL while under way | 结果已知的时间；进行中为 NULL
  outcome TEXT NOT NULL DEFAULT '', -- '' while under way, then sent, not_sent or unknown | 进行中为空，之后为 sent、not_sent 或 unknown
  error_kind TEXT NOT NULL DEFAULT '', -- kind of fault | 故障种类
  error TEXT NOT NULL DEFAULT '', -- its words | 故障说明
  provider_code TEXT NOT NULL DEFAULT '', -- the platform's own code | 平台自身的错误码
  provider_message_id TEXT NOT NULL DEFAULT '', -- the platform's id of what arrived | 已送达内容的平台标识
  raw_result TEXT, -- JSON, redacted, at most 16 KiB | JSON，已脱敏，至多 16 KiB
  took_ms INTEGER NOT NULL DEFAULT 0, -- how long the call took | 调用耗时（毫秒）
  plugin_id TEXT NOT NULL DEFAULT '', -- whose code made it | 由谁的代码执行
  version TEXT NOT NULL DEFAULT '', -- version of that code | 该代码的版本
  account_uid TEXT NOT NULL, -- account | 账号
  account_id TEXT NOT NULL, -- its label then | 当时的账号标签
  fence INTEGER NOT NULL DEFAULT 0, -- claim it was made under | 所属的领取
  PRIMARY KEY (delivery_id, attempt_no)
) STRICT;
CREATE INDEX channel_attempts_platform_id ON channel_attempts (account_uid, provider_message_id) WHERE provider_message_id <> '';

-- table channel_dedupe: keys of platform events already taken in | 已接收平台事件的去重键
CREATE TABLE channel_dedupe (
  dedupe_key BLOB NOT NULL PRIMARY KEY, -- SHA-256 over conversation, event class and platform id | 对话、事件类别与平台标识的 SHA-256
  digest BLOB NOT NULL, -- SHA-256 of the content | 内容的 SHA-256
  message_id TEXT NOT NULL, -- the message it became | 对应的消息
  keep_until INTEGER NOT NULL -- forgotten after this time | 此时间之后可遗忘
) STRICT, WITHOUT ROWID;
CREATE INDEX channel_dedupe_keep ON channel_dedupe (keep_until);

-- table channel_spool: raw requests of platforms that do not wait, parsed later | 不等待的平台的原始请求，稍后解析
CREATE TABLE channel_spool (
  seq INTEGER PRIMARY KEY, -- order of arrival | 到达顺序
  spool_id TEXT NOT NULL UNIQUE, -- identity | 标识
  account_uid TEXT NOT NULL, -- account | 账号
  channel TEXT NOT NULL, -- provider id | 提供方标识
  account_id TEXT NOT NULL, -- account label | 账号标签
  sealed BLOB NOT NULL, -- encrypted request | 加密的请求
  size_bytes INTEGER NOT NULL, -- size of the ciphertext | 密文大小
  received_at INTEGER NOT NULL, -- when it arrived; freshness is judged by it | 到达时间，据此判断新鲜度
  tries INTEGER NOT NULL DEFAULT 0, -- how often parsing was tried | 已尝试解析的次数
  retry_at INTEGER NOT NULL DEFAULT 0 -- not before this time | 不早于此时间
) STRICT;
CREATE INDEX channel_spool_account ON channel_spool (account_uid, seq, retry_at, size_bytes);

-- table channel_quarantine: what arrived and could not be stored as a message | 到达但无法存为消息的内容
CREATE TABLE channel_quarantine (
  seq INTEGER PRIMARY KEY, -- order of arrival, cursor of lists | 到达顺序，列表游标
  quarantine_id TEXT NOT NULL UNIQUE, -- identity | 标识
  account_uid TEXT NOT NULL, -- account | 账号
  channel TEXT NOT NULL, -- provider id | 提供方标识
  account_id TEXT NOT NULL, -- account label | 账号标签
  reason TEXT NOT NULL, -- stable word for why | 稳定的原因词
  detail TEXT NOT NULL DEFAULT '', -- words for people | 供人阅读的说明
  body BLOB NOT NULL, -- at most 64 KiB of it | 至多 64 KiB 内容
  is_sealed INTEGER NOT NULL DEFAULT 0, -- 1: the body is encrypted | 1 表示内容已加密
  dedupe_key BLOB, -- key it collided with | 与之冲突的去重键
  message_id TEXT NOT NULL DEFAULT '', -- message concerned | 相关消息
  plugin_id TEXT NOT NULL DEFAULT '', -- whose code parsed it | 由谁的代码解析
  version TEXT NOT NULL DEFAULT '', -- version of that code | 该代码的版本
  received_at INTEGER NOT NULL, -- when it arrived | 到达时间
  created_at INTEGER NOT NULL -- when it was stored | 存储时间
) STRICT;
CREATE INDEX channel_quarantine_account ON channel_quarantine (account_uid);

-- table channel_receipts: receipts that match no attempt yet, kept 24 h | 尚未匹配到尝试的回执，保留 24 小时
CREATE TABLE channel_receipts (
  account_uid TEXT NOT NULL, -- account | 账号
  provider_message_id TEXT NOT NULL, -- the platform's id | 平台标识
  status TEXT NOT NULL CHECK (status = 'delivered' OR status = 'read' OR status = 'failed'), -- what it says | 回执内容
  at INTEGER NOT NULL, -- the platform's time | 平台时间
  detail TEXT NOT NULL DEFAULT '', -- its words | 说明
  keep_until INTEGER NOT NULL, -- forgotten after this time | 此时间之后可遗忘
  PRIMARY KEY (account_uid, provider_message_id, status)
) STRICT, WITHOUT ROWID;
CREATE INDEX channel_receipts_keep ON channel_receipts (keep_until);

-- table channel_trail: the steps of each message, from webhook to receipt | 每条消息从回调到回执的步骤
CREATE TABLE channel_trail (
  message_id TEXT NOT NULL, -- root of the turn, or the message sent first | 轮次的根消息，或主动发送的消息
  step_no INTEGER NOT NULL, -- order of writing: epoch and a counter | 写入顺序：纪元与计数
  step TEXT NOT NULL, -- what happened, past tense | 发生了什么
  at INTEGER NOT NULL, -- when | 何时
  plugin_id TEXT NOT NULL DEFAULT '', -- whose code did it | 由谁的代码执行
  version TEXT NOT NULL DEFAULT '', -- version of that code | 该代码的版本
  account_uid TEXT NOT NULL DEFAULT '', -- account | 账号
  account_id TEXT NOT NULL DEFAULT '', -- its label then | 当时的账号标签
  delivery_id TEXT NOT NULL DEFAULT '', -- delivery concerned | 相关投递
  attempt_no INTEGER NOT NULL DEFAULT 0, -- attempt concerned | 相关尝试
  detail TEXT NOT NULL DEFAULT '{}', -- JSON: never text or secrets | JSON：不含正文与机密
  PRIMARY KEY (message_id, step_no)
) STRICT, WITHOUT ROWID;

-- table channel_state: small durable values of plugins (host.state) | 插件的小型持久值（host.state）
CREATE TABLE channel_state (
  plugin_id TEXT NOT NULL, -- whose it is | 所属插件
  account_uid TEXT NOT NULL DEFAULT '', -- account, '' for the plugin itself | 账号，插件本身为空
  key TEXT NOT NULL, -- name of the value | 值的名称
  value TEXT NOT NULL, -- JSON, at most 64 KiB | JSON，至多 64 KiB
  size_bytes INTEGER NOT NULL, -- size of the value | 值的大小
  rev INTEGER NOT NULL, -- grows with each change | 每次修改递增
  updated_at INTEGER NOT NULL, -- when it last changed | 最近修改时间
  PRIMARY KEY (plugin_id, account_uid, key)
) STRICT, WITHOUT ROWID;

-- table channel_leases: who may work on something until when (long connections, single flight) | 谁可以处理某事直到何时（长连接、单航）
CREATE TABLE channel_leases (
  name TEXT NOT NULL, -- what is leased | 租约名称
  account_uid TEXT NOT NULL DEFAULT '', -- account, '' for none | 账号，没有则为空
  plugin_id TEXT NOT NULL DEFAULT '', -- plugin that holds it | 持有的插件
  node_id TEXT NOT NULL DEFAULT 'local', -- node that holds it | 持有的节点
  fence INTEGER NOT NULL DEFAULT 0, -- grows with each take-over | 每次接管递增
  epoch INTEGER NOT NULL DEFAULT 0, -- start of the gateway that took it | 取得它的那次网关启动
  lease_until INTEGER NOT NULL, -- end of the lease | 租约结束
  PRIMARY KEY (name, account_uid)
) STRICT, WITHOUT ROWID;

-- table attachments: media kept by the gateway | 网关保存的媒体
CREATE TABLE attachments (
  blob_id TEXT NOT NULL PRIMARY KEY, -- identity | 标识
  message_id TEXT NOT NULL DEFAULT '', -- message it belongs to | 所属消息
  account_uid TEXT NOT NULL DEFAULT '', -- account | 账号
  kind TEXT NOT NULL, -- image, audio, video or file | image、audio、video 或 file
  name TEXT NOT NULL DEFAULT '', -- file name as given | 给出的文件名
  mime TEXT NOT NULL DEFAULT '', -- media type as given | 给出的媒体类型
  size_bytes INTEGER NOT NULL DEFAULT 0, -- size | 大小
  sha256 TEXT NOT NULL DEFAULT '', -- of the bytes | 字节的 SHA-256
  path TEXT NOT NULL DEFAULT '', -- where, relative to the data dir | 相对数据目录的位置
  created_at INTEGER NOT NULL, -- when it was stored | 存储时间
  keep_until INTEGER -- removed after this time | 此时间之后删除
) STRICT, WITHOUT ROWID;
CREATE INDEX attachments_message ON attachments (message_id) WHERE message_id <> '';

-- table channel_events: what happened to the gateway's parts, bounded | 网关各部分发生的事件，有上限
CREATE TABLE channel_events (
  event_id INTEGER PRIMARY KEY, -- order of writing, cursor of lists | 写入顺序，列表游标
  name TEXT NOT NULL, -- fixed vocabulary, past tense | 固定词汇
  at INTEGER NOT NULL, -- when | 何时
  level TEXT NOT NULL, -- info, warning or error (a person must act) | info、warning 或 error（需要人处理）
  plugin_id TEXT NOT NULL DEFAULT '', -- plugin or built-in | 插件或内置渠道
  version TEXT NOT NULL DEFAULT '', -- its version | 其版本
  account_uid TEXT NOT NULL DEFAULT '', -- account | 账号
  account_id TEXT NOT NULL DEFAULT '', -- its label then | 当时的账号标签
  message_id TEXT NOT NULL DEFAULT '', -- message concerned | 相关消息
  delivery_id TEXT NOT NULL DEFAULT '', -- delivery concerned | 相关投递
  fields TEXT NOT NULL DEFAULT '{}' -- JSON: never secrets | JSON：不含机密
) STRICT;
CREATE INDEX channel_events_plugin ON channel_events (plugin_id) WHERE plugin_id <> '';
CREATE INDEX channel_events_account ON channel_events (account_uid) WHERE account_uid <> '';

-- table channel_plugins: installed plugins and who serves their id | 已安装的插件及其标识由谁服务
CREATE TABLE channel_plugins (
  plugin_id TEXT NOT NULL PRIMARY KEY, -- identity, also the provider id | 标识，也是提供方标识
  name TEXT NOT NULL, -- name shown to people | 展示名称
  current_version TEXT NOT NULL DEFAULT '', -- version that serves, '' while none was enabled | 正在服务的版本，尚未启用为空
  status TEXT NOT NULL CHECK (status = 'enabled' OR status = 'disabled' OR status = 'error'), -- enabled, disabled or error | enabled、disabled 或 error
  source TEXT NOT NULL DEFAULT 'plugin' CHECK (source = 'plugin' OR source = 'builtin'), -- who serves the id: plugin or builtin | 由插件还是内置渠道服务
  manifest TEXT NOT NULL DEFAULT '{}', -- JSON: manifest of the current version | JSON：当前版本的清单
  install_path TEXT NOT NULL DEFAULT '', -- of the current version, relative to the data dir | 当前版本的安装路径，相对数据目录
  last_error TEXT NOT NULL DEFAULT '', -- words for people | 供人阅读的错误
  last_error_code TEXT NOT NULL DEFAULT '', -- stable code | 稳定的错误码
  canary_version TEXT NOT NULL DEFAULT '', -- version on trial | 灰度中的版本
  canary_percent INTEGER NOT NULL DEFAULT 0, -- share of accounts on trial | 灰度账号比例
  epoch INTEGER NOT NULL DEFAULT 0, -- counts switches: enable, disable, version, source | 切换次数：启用、停用、版本、来源
  is_user_visible INTEGER NOT NULL DEFAULT 0, -- 1: shown in the user's panel | 1 表示在用户面板显示
  created_at INTEGER NOT NULL, -- when first installed | 首次安装时间
  updated_at INTEGER NOT NULL -- when it last changed | 最近修改时间
) STRICT, WITHOUT ROWID;

-- table channel_plugin_versions: releases, accepted, installed and immutable packages | 发布版本：已接受、已安装且不可变的插件包
CREATE TABLE channel_plugin_versions (
  plugin_id TEXT NOT NULL, -- plugin | 插件
  version TEXT NOT NULL, -- from its manifest | 清单中的版本
  package_sha256 TEXT NOT NULL, -- hash of the zip | 压缩包的哈希
  signature TEXT, -- detached signature, NULL where unsigned | 分离签名，未签名为 NULL
  signer TEXT NOT NULL DEFAULT '', -- publisher who signed it | 签名的发布者
  manifest TEXT NOT NULL, -- JSON: plugin.json as accepted | JSON：被接受的 plugin.json
  install_path TEXT NOT NULL, -- relative to the data dir | 相对数据目录
  files TEXT NOT NULL DEFAULT '{}', -- JSON: path to sha256, verified before each start | JSON：路径到 sha256，每次启动前校验
  files_digest TEXT NOT NULL DEFAULT '', -- SHA-256 over that list | 该列表的 SHA-256
  size_bytes INTEGER NOT NULL DEFAULT 0, -- unpacked size | 解包大小
  permission_digest TEXT NOT NULL, -- hash of what it may do | 其权限的哈希
  install_source TEXT NOT NULL DEFAULT 'api', -- api, cli, bundled and so on | api、cli、bundled 等
  installed_by TEXT NOT NULL DEFAULT '', -- who installed it | 安装者
  approved_by TEXT NOT NULL DEFAULT '', -- who approved it, '' for nobody | 审批者，尚无为空
  approved_at INTEGER, -- when | 审批时间
  approved_sha256 TEXT NOT NULL DEFAULT '', -- package that was approved | 被审批的包
  approved_permissions TEXT NOT NULL DEFAULT '', -- permission digest that was approved | 被审批的权限哈希
  created_at INTEGER NOT NULL, -- when it was installed | 安装时间
  PRIMARY KEY (plugin_id, version)
) STRICT, WITHOUT ROWID;

-- table channel_plugin_runtime: what of a plugin's process survives a restart of the gateway | 插件进程中在网关重启后仍保留的信息
CREATE TABLE channel_plugin_runtime (
  node_id TEXT NOT NULL DEFAULT 'local', -- node | 节点
  plugin_id TEXT NOT NULL, -- plugin | 插件
  version TEXT NOT NULL DEFAULT '', -- version that runs or ran last | 正在或最近运行的版本
  state TEXT NOT NULL DEFAULT '', -- state of its process | 进程状态
  health TEXT NOT NULL DEFAULT '', -- its last answer | 最近的健康状况
  restarts INTEGER NOT NULL DEFAULT 0, -- restarts so far | 重启次数
  crashes INTEGER NOT NULL DEFAULT 0, -- crashes so far | 崩溃次数
  last_exit TEXT NOT NULL DEFAULT '', -- exit code or signal | 退出码或信号
  last_crash_at INTEGER, -- when it last crashed | 最近崩溃时间
  PRIMARY KEY (node_id, plugin_id)
) STRICT, WITHOUT ROWID;

-- table agents: who answers | 智能体
CREATE TABLE agents (
  agent_id TEXT NOT NULL PRIMARY KEY, -- identity | 标识
  kind TEXT NOT NULL, -- echo, openai or http | echo、openai 或 http
  config TEXT NOT NULL DEFAULT '{}', -- JSON without secrets | 不含机密的 JSON
  secrets BLOB NOT NULL DEFAULT x'', -- sealed secrets | 密封的机密
  secret_rev INTEGER NOT NULL DEFAULT 0, -- grows with each change of the secrets | 机密每次修改递增
  is_default INTEGER NOT NULL DEFAULT 0, -- 1: answers where no binding names another | 1 表示没有绑定指定时由它回答
  is_visible_to_users INTEGER NOT NULL DEFAULT 0, -- 1: users may bind to it | 1 表示用户可绑定
  created_at INTEGER NOT NULL, -- when it was made | 创建时间
  updated_at INTEGER NOT NULL, -- when it last changed | 最近修改时间
  rev INTEGER NOT NULL DEFAULT 1 -- grows with each change | 每次修改递增
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX agents_default ON agents (is_default) WHERE is_default = 1;

-- table users: people who log in to the console | 登录控制台的人
CREATE TABLE users (
  user_id TEXT NOT NULL PRIMARY KEY, -- identity | 标识
  name TEXT NOT NULL UNIQUE, -- login name | 登录名
  display_name TEXT NOT NULL DEFAULT '', -- name shown to people | 展示名称
  role TEXT NOT NULL DEFAULT 'user' CHECK (role = 'admin' OR role = 'user'), -- admin or user | admin 或 user
  password_hash TEXT NOT NULL DEFAULT '', -- salted hash, '' where the login comes from elsewhere | 加盐哈希，外部登录为空
  session_epoch INTEGER NOT NULL DEFAULT 0, -- sessions of an older number are over | 旧编号的登录会话已失效
  created_at INTEGER NOT NULL, -- when it was made | 创建时间
  updated_at INTEGER NOT NULL, -- when it last changed | 最近修改时间
  disabled_at INTEGER -- when it was locked | 停用时间
) STRICT, WITHOUT ROWID;

-- table api_tokens: bearer credentials, stored as hashes | API 令牌，仅存哈希
CREATE TABLE api_tokens (
  token_id TEXT NOT NULL PRIMARY KEY, -- identity | 标识
  name TEXT NOT NULL, -- name shown to people | 展示名称
  token_hash BLOB NOT NULL UNIQUE, -- SHA-256 of a 256-bit random token | 256 位随机令牌的 SHA-256
  scopes TEXT NOT NULL, -- JSON list | JSON 列表
  created_at INTEGER NOT NULL, -- when it was made | 创建时间
  created_by TEXT NOT NULL DEFAULT '', -- who made it | 创建者
  expires_at INTEGER, -- end, NULL for none | 到期时间，没有则为 NULL
  revoked_at INTEGER -- when it was revoked | 吊销时间
) STRICT, WITHOUT ROWID;

-- table audit: who changed what | 谁修改了什么
CREATE TABLE audit (
  seq INTEGER PRIMARY KEY, -- order of writing, cursor of lists | 写入顺序，列表游标
  at INTEGER NOT NULL, -- when | 何时
  actor TEXT NOT NULL, -- who: user or token | 谁：用户或令牌
  action TEXT NOT NULL, -- what, past tense | 做了什么
  subject TEXT NOT NULL DEFAULT '', -- on what | 对象
  detail TEXT NOT NULL DEFAULT '{}' -- JSON: differences, secrets as set and hmac8 | JSON：差异，机密仅以 set 与 hmac8 表示
) STRICT;
