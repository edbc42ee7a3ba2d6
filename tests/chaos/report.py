"""The chaos table: as lines of text while it plays, and as the table of docs/reliability.md."""

from collections.abc import Sequence
from pathlib import Path

from tests.chaos.play import Played

BEGIN, END = "<!-- chaos table: written by `make chaos` -->", "<!-- end of the chaos table -->"
#: English page -> its twin, with the words of each.
PAGES = {"docs/reliability.md": "en", "docs/reliability.zh-CN.md": "zh"}
HEADS = {
    "en": (
        "what is done",
        "on",
        "times",
        "accepted",
        "delivered",
        "parked",
        "held, failed",
        "lost",
        "doubled",
        "out of order",
        "answers again after (median, worst)",
        "longest answer",
    ),
    "zh": (
        "做了什么",
        "运行在",
        "次数",
        "已接受",
        "已送达",
        "停放",
        "挂起、失败",
        "丢失",
        "重复",
        "乱序",
        "多久后又有回复（中位、最差）",
        "最慢的回复",
    ),
}
SETUPS = {
    "sqlite": ("SQLite", "SQLite"),
    "postgres": ("PostgreSQL, 1 node", "PostgreSQL，1 个节点"),
    "postgres-3-nodes": ("PostgreSQL, 3 nodes", "PostgreSQL，3 个节点"),
}
NAMES_ZH = {
    "kill -9 of a gateway": "对网关 kill -9",
    "kill -9 of a plugin": "对插件 kill -9",
    "rolling restart": "滚动重启",
    "gateway paused past its lease": "网关暂停超过租约",
    "paused between mark and frame": "在标记与发出之间暂停",
    "paused between frame and answer": "在发出与应答之间暂停",
    "connection cut around COMMIT": "在 COMMIT 前后切断连接",
    "kill -9 of PostgreSQL": "对 PostgreSQL kill -9",
    "gateway cut off from PostgreSQL": "网关与 PostgreSQL 断开",
    "clock set by an hour": "时钟拨动一小时",
    "burst": "十倍突发",
    "one hung account": "一个账号卡住",
    "one hung plugin": "一个插件卡住",
    "platform away": "平台不可用",
    "hostile strings": "恶意字符串",
    "shuffled batches": "乱序且重复的批次",
    "1,008 conversations at once": "1,008 个会话同时进行",
    "disk full": "磁盘写满",
    "restore of a backup": "恢复备份",
}


def line(played: Played) -> str:
    """One row for the terminal."""
    f = played.figures
    words = f"accepted {f['accepted']}, delivered {f['delivered']}, parked {f['parked']}"
    bad = f"lost {f['lost']}, doubled {sum(f['doubled'].values())}, reordered {f['out_of_order']}"
    verdict = "ok" if not played.faults else "BROKEN"
    name = f"{played.scenario} on {played.setup}"
    return f"{verdict:<6} {name:<52} x{played.times:<4} {words}; {bad}; {played.took_s} s {played.note}"


def table(rows: Sequence[Played], language: str) -> str:
    """The rows as a table of Markdown."""
    heads = HEADS[language]
    lines = ["| " + " | ".join(heads) + " |", "| " + " | ".join(["---"] * len(heads)) + " |"]
    lines += ["| " + " | ".join(_cells(row, language)) + " |" for row in rows]
    return "\n".join(lines)


def write_into(page: Path, rows: Sequence[Played], language: str, machine: str) -> None:
    """Put the table between its marks."""
    text = page.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    assert before and after, f"{page} has no place for the table"
    middle = f"{BEGIN}\n{machine}\n\n{table(rows, language)}\n{END}"
    page.write_text(before + middle + after, "utf-8")


def _cells(played: Played, language: str) -> tuple[str, ...]:
    f = played.figures
    name = NAMES_ZH[played.scenario] if language == "zh" else played.scenario
    kept = sum(f["ended"].values())
    recovery = (
        f"{f['recovery_median_s']:.1f} s, {f['recovery_worst_s']:.1f} s" if f["breaks"] else "-"
    )
    return (
        name,
        SETUPS[played.setup][language == "zh"],
        str(played.times),
        f"{f['accepted']:,}",
        f"{f['delivered']:,}",
        f"{f['parked']:,}",
        f"{kept:,}",
        str(f["lost"]),
        str(sum(f["doubled"].values())),
        str(f["out_of_order"]),
        recovery,
        f"{f['longest_s']:.1f} s",
    )
