"""What each kind of agent is configured with, as the same kind of schema that channels have."""

from typing import Any

from wunder.model.binding import AgentKind

_HISTORY: dict[str, Any] = {
    "history_messages": {
        "type": "integer",
        "minimum": 0,
        "maximum": 200,
        "default": 20,
        "title": "Earlier messages",
        "description": "At most so many earlier messages of the session are sent along.",
        "x-advanced": True,
        "x-i18n": {
            "zh-CN": {"title": "历史消息数", "description": "最多附带多少条本会话的历史消息。"}
        },
    },
    "history_chars": {
        "type": "integer",
        "minimum": 0,
        "maximum": 200_000,
        "default": 16_000,
        "title": "Characters of history",
        "description": "Oldest messages are left out beyond this.",
        "x-advanced": True,
        "x-i18n": {"zh-CN": {"title": "历史字符数", "description": "超出时先省略最早的消息。"}},
    },
    "timeout_s": {
        "type": "number",
        "exclusiveMinimum": 0,
        "maximum": 600,
        "default": 60,
        "title": "Time limit in seconds",
        "x-advanced": True,
        "x-i18n": {"zh-CN": {"title": "超时（秒）"}},
    },
}

AGENT_SCHEMAS: dict[AgentKind, dict[str, Any]] = {
    "echo": {
        "type": "object",
        "properties": {
            "prefix": {
                "type": "string",
                "maxLength": 100,
                "default": "",
                "title": "Prefix",
                "description": "Stands before every repeated text.",
                "x-i18n": {"zh-CN": {"title": "前缀", "description": "加在每条复述文本之前。"}},
            }
        },
        "additionalProperties": False,
    },
    "openai": {
        "type": "object",
        "required": ["base_url", "model"],
        "properties": {
            "base_url": {
                "type": "string",
                "format": "uri",
                "pattern": "^https?://",
                "maxLength": 2_000,
                "x-wunder-destination": True,
                "title": "Address",
                "description": "Of any endpoint that speaks OpenAI's chat completions.",
                "examples": ["https://api.openai.com/v1"],
                "x-order": 1,
                "x-i18n": {
                    "zh-CN": {
                        "title": "接口地址",
                        "description": "任何兼容 OpenAI 对话补全的服务。",
                    }
                },
            },
            "model": {
                "type": "string",
                "minLength": 1,
                "maxLength": 200,
                "title": "Model",
                "x-order": 2,
                "x-i18n": {"zh-CN": {"title": "模型"}},
            },
            "api_key": {
                "type": "string",
                "writeOnly": True,
                "maxLength": 4_000,
                "title": "API key",
                "x-order": 3,
                "x-i18n": {"zh-CN": {"title": "API 密钥"}},
            },
            "system_prompt": {
                "type": "string",
                "maxLength": 20_000,
                "default": "",
                "title": "System prompt",
                "x-order": 4,
                "x-i18n": {"zh-CN": {"title": "系统提示词"}},
            },
            "temperature": {
                "type": "number",
                "minimum": 0,
                "maximum": 2,
                "title": "Temperature",
                "x-advanced": True,
                "x-i18n": {"zh-CN": {"title": "温度"}},
            },
            "max_tokens": {
                "type": "integer",
                "minimum": 1,
                "maximum": 1_000_000,
                "title": "Longest answer in tokens",
                "x-advanced": True,
                "x-i18n": {"zh-CN": {"title": "回答最大 token 数"}},
            },
            "vision": {
                "type": "boolean",
                "default": False,
                "title": "The model sees images",
                "description": "Pictures that people send go along with their message.",
                "x-order": 5,
                "x-i18n": {
                    "zh-CN": {
                        "title": "模型能看图片",
                        "description": "用户发来的图片随消息一起发送。",
                    }
                },
            },
            **_HISTORY,
        },
        "additionalProperties": False,
    },
    "http": {
        "type": "object",
        "required": ["url", "signing_secret"],
        "properties": {
            "url": {
                "type": "string",
                "format": "uri",
                "pattern": "^https?://",
                "maxLength": 2_000,
                "x-wunder-destination": True,
                "title": "Address",
                "description": "Every turn is sent there by POST.",
                "x-order": 1,
                "x-i18n": {"zh-CN": {"title": "地址", "description": "每个轮次以 POST 发送到此。"}},
            },
            "signing_secret": {
                "type": "string",
                "writeOnly": True,
                "minLength": 16,
                "maxLength": 1_000,
                "title": "Signing secret",
                "description": "Signs every request; the agent checks it.",
                "x-order": 2,
                "x-i18n": {
                    "zh-CN": {"title": "签名密钥", "description": "为每个请求签名，由智能体验证。"}
                },
            },
            "later_s": {
                "type": "number",
                "exclusiveMinimum": 0,
                "maximum": 3_600,
                "default": 300,
                "title": "Wait for a later answer, in seconds",
                "description": "How long a turn waits after the agent answered 202.",
                "x-advanced": True,
                "x-i18n": {
                    "zh-CN": {
                        "title": "等待延后回答（秒）",
                        "description": "智能体返回 202 之后，轮次最多等待的时间。",
                    }
                },
            },
            **_HISTORY,
        },
        "additionalProperties": False,
    },
}
