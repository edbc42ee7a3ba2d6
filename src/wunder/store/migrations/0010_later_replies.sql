-- An agent that answered 202 sends its replies to whichever node the load balancer picks; the one that waits reads them here.
-- table agent_replies: later answers of agents over HTTP, until the node whose turn waits has taken them | HTTP 智能体稍后送来的回复，直到等待该轮次的节点取走
CREATE TABLE agent_replies (
  turn_id TEXT NOT NULL, -- whose answer it is; the first one counts | 所属轮次；以第一次为准
  replies TEXT NOT NULL, -- JSON list of replies | 回复的 JSON 列表
  stored_at INTEGER NOT NULL, -- when it came; nobody's go after an hour | 到达时间；无人领取的一小时后删除
  PRIMARY KEY (turn_id)
) STRICT;
