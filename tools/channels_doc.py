"""Write docs/channels.md and its twin from the manifests of the built-in channels; `--check` fails when stale."""

import sys
from collections.abc import Callable
from pathlib import Path

from wunder.providers.builtin import bundled_channels
from wunder_wire.manifest import Manifest

ROOT = Path(__file__).resolve().parents[1]
CHANNELS = "src/wunder_channels"
ENGLISH, CHINESE = ROOT / "docs/channels.md", ROOT / "docs/channels.zh-CN.md"
HEADS = {
    ENGLISH: """# What each channel can do

[中文](channels.zh-CN.md)

Every channel below comes with the gateway and runs inside it. Each one runs as a plugin in a process of its own
just as well, with the same accounts and bindings: `wunder plugin install builtin:<id>`, for instance
`wunder plugin install builtin:feishu`. How to set one up on its platform's console, what it reads and writes, and
what it does not do, is on its own page.

Written from the channels' manifests by `tools/channels_doc.py`; a test keeps it fresh.
""",
    CHINESE: """# 各渠道的能力

[English](channels.md)

下列渠道随网关一起提供，在网关进程内运行；也可以作为插件在独立进程中运行，账号和绑定保持不变：
`wunder plugin install builtin:<id>`，例如 `wunder plugin install builtin:feishu`。平台侧的接入步骤、
支持的消息类型，以及不支持的部分，见各渠道自己的页面。

由 `tools/channels_doc.py` 根据渠道清单（manifest）生成，有测试保证不过期。
""",
}
TITLES = {
    ENGLISH: ("## What people see", "## What operators should know"),
    CHINESE: ("## 用户看到的", "## 运维须知"),
}
YES, NO = "✓", "–"

Cell = Callable[[Manifest], str]


def _can(name: str) -> Cell:
    return lambda manifest: YES if manifest.capabilities.get(name) else NO


def _seconds(seconds: int | None) -> str:
    if not seconds:
        return NO
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _figure(value: float | None) -> str:
    return f"{value:g}" if value else NO


def _folds(manifest: Manifest) -> str:
    rule = manifest.idempotency
    return NO if rule is None else f"{_seconds(rule.window_s)}, {rule.applies_to}"


def _redelivery(manifest: Manifest) -> str:
    days = manifest.webhook.redelivery_days
    return manifest.webhook.redelivery + (f", {days} d" if days > 1 else "")


#: Column: (English, Chinese, cell). What people see, then what operators should know.
COLUMNS: tuple[tuple[tuple[str, str, Cell], ...], ...] = (
    (
        ("reads", "接收", _can("webhook")),
        ("writes", "发送", _can("outbound")),
        ("files in", "接收文件", _can("fetch_attachment")),
        ("answer grows", "逐步显示回答", _can("edit")),
        ("typing, read marks", "正在输入、已读", _can("activity")),
        ("reply inside the webhook", "在回调中直接回复", _can("inline_reply")),
    ),
    (
        ("ids it serves", "服务的渠道 ID", lambda m: ", ".join(f"`{one}`" for one in _ids(m))),
        ("characters a message", "每条字符数", lambda m: str(m.limits.text_max or NO)),
        ("messages a second", "每秒消息数", lambda m: _figure(m.limits.per_account_qps)),
        ("reply window", "回复时限", lambda m: _seconds(m.limits.reply_window_s)),
        ("repeats folded", "平台去重", _folds),
        ("platform repeats", "平台重推", _redelivery),
        ("one URL for all accounts", "多账号共用地址", _can("identify_account")),
    ),
)


def _ids(manifest: Manifest) -> tuple[str, ...]:
    return manifest.serves or (manifest.plugin_id,)


def page(path: Path) -> str:
    """Return the whole page in one of the two languages."""
    is_english = path == ENGLISH
    channels = sorted(bundled_channels(), key=lambda one: one.manifest.plugin_id)
    lines = [HEADS[path]]
    for title, columns in zip(TITLES[path], COLUMNS, strict=True):
        names = [english if is_english else chinese for english, chinese, _ in columns]
        lines += [title, "", f"| | {' | '.join(names)} |", "| --- " * (len(names) + 1) + "|"]
        for one in channels:
            manifest = one.manifest
            name = manifest.name
            if not is_english:
                name = manifest.i18n.get("zh-CN", {}).get("name", name)
            readme = f"{CHANNELS}/{one.folder}/README.md"
            linked = f"[{name}](../{readme})" if (ROOT / readme).is_file() else name
            cells = " | ".join(cell(manifest) for _, _, cell in columns)
            lines.append(f"| {linked} | {cells} |")
        lines.append("")
    return "\n".join(lines)


def main() -> int:
    """Write the pages, or check them."""
    stale = [path for path in HEADS if not path.is_file() or path.read_text("utf-8") != page(path)]
    if "--check" not in sys.argv[1:]:
        for path in stale:
            path.write_text(page(path), "utf-8")
        return 0
    for path in stale:
        sys.stderr.write(f"{path.relative_to(ROOT)} is stale: run .venv/bin/python {sys.argv[0]}\n")
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main())
