-- People: who may sign in to the console, who is signed in, what they changed, and what users are shown.
-- Nothing ever wrote `users` before this step: it is made anew with all four roles.

DROP TABLE users;
-- table users: people who sign in to the console | 登录控制台的人
CREATE TABLE users (
  user_id TEXT NOT NULL PRIMARY KEY, -- identity | 标识
  name TEXT NOT NULL UNIQUE, -- sign-in name, lower case | 登录名，小写
  display_name TEXT NOT NULL DEFAULT '', -- name shown to people | 展示名称
  role TEXT NOT NULL CHECK (role = 'viewer' OR role = 'operator' OR role = 'admin' OR role = 'user'), -- viewer, operator, admin or user | viewer、operator、admin 或 user
  password_hash TEXT NOT NULL DEFAULT '', -- argon2id, '' where the sign-in is somebody else's (OIDC) | argon2id，由外部（OIDC）登录时为空
  oidc_subject TEXT NOT NULL DEFAULT '', -- issuer and subject of an outside sign-in, '' for none | 外部登录的签发方与主体，没有则为空
  created_at INTEGER NOT NULL, -- when it was made | 创建时间
  created_by TEXT NOT NULL DEFAULT '', -- who made it | 创建者
  updated_at INTEGER NOT NULL, -- when it last changed | 最近修改时间
  disabled_at INTEGER, -- when it was locked, NULL while it may sign in | 停用时间，可登录时为 NULL
  rev INTEGER NOT NULL DEFAULT 1 -- grows with each change | 每次修改递增
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX users_oidc_subject ON users (oidc_subject) WHERE oidc_subject <> '';

-- table user_sessions: people who are signed in now; a row that is gone has ended | 当前已登录的人；行被删除即会话结束
CREATE TABLE user_sessions (
  session_hash BLOB NOT NULL PRIMARY KEY, -- SHA-256 of the cookie, which is 256 random bits | Cookie（256 位随机数）的 SHA-256
  session_id TEXT NOT NULL UNIQUE, -- name of the session in lists and in the audit | 列表与审计中的会话名称
  user_id TEXT NOT NULL, -- who | 谁
  created_at INTEGER NOT NULL, -- when they signed in | 登录时间
  seen_at INTEGER NOT NULL, -- when they last asked for something, to the minute | 最近活动时间，精确到分钟
  expires_at INTEGER NOT NULL, -- ends then whatever happens | 绝对到期时间
  confirmed_at INTEGER NOT NULL, -- when the password was last given | 最近一次输入密码的时间
  remote_addr TEXT NOT NULL DEFAULT '', -- from where | 来源地址
  user_agent TEXT NOT NULL DEFAULT '' -- with which browser, at most 200 characters | 浏览器，至多 200 个字符
) STRICT, WITHOUT ROWID;
CREATE INDEX user_sessions_user ON user_sessions (user_id);
CREATE INDEX user_sessions_expires ON user_sessions (expires_at);

ALTER TABLE audit ADD COLUMN result TEXT NOT NULL DEFAULT 'ok'; -- ok, or the code of the refusal | ok 或拒绝代码
ALTER TABLE audit ADD COLUMN remote_addr TEXT NOT NULL DEFAULT ''; -- from where | 来源地址
ALTER TABLE audit ADD COLUMN request_id TEXT NOT NULL DEFAULT ''; -- request that did it, as in the answer and the log | 对应的请求，与响应和日志一致
CREATE INDEX audit_actor ON audit (actor, seq);
CREATE INDEX audit_action ON audit (action, seq);
CREATE INDEX audit_subject ON audit (subject, seq);

-- table channel_visibility: channels whose visibility to users somebody chose; without a row: hidden | 对用户可见性作过选择的渠道；无行则隐藏
CREATE TABLE channel_visibility (
  channel TEXT NOT NULL PRIMARY KEY, -- provider id | 提供方标识
  is_user_visible INTEGER NOT NULL, -- 1: users may connect accounts of it | 1 表示用户可接入此渠道的账号
  updated_at INTEGER NOT NULL, -- when it was chosen | 选择时间
  updated_by TEXT NOT NULL DEFAULT '' -- who chose | 选择者
) STRICT, WITHOUT ROWID;
