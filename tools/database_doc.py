"""Write docs/database.md and docs/数据库设计.md from the migrations: every table, column and index.

    python tools/database_doc.py          write both pages
    python tools/database_doc.py --check  say whether they are fresh

A column is described by the comment on its line, `-- English | 中文`; a table by a line
`-- table <name>: English | 中文` above it.
"""

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MIGRATIONS = ROOT / "src/wunder/store/migrations"
PAGES = {"en": ROOT / "docs/database.md", "zh": ROOT / "docs/数据库设计.md"}

_TABLE = re.compile(r"-- table (\w+): (.+) \| (.+)")
_COLUMN = re.compile(r"  (\w+) (INTEGER|TEXT|BLOB)\b(.*?),? -- (.+) \| (.+)")
_INDEX = re.compile(r"CREATE (UNIQUE )?INDEX (\w+) ON (\w+) \((.+?)\)(?: WHERE (.+))?;")
_DROPPED = re.compile(r"DROP INDEX (\w+);")
_KEY = re.compile(r"  (PRIMARY KEY|UNIQUE) \((.+)\)")
_ADDED = re.compile(
    r"ALTER TABLE (\w+) ADD COLUMN (\w+) (INTEGER|TEXT|BLOB)\b(.*?); -- (.+) \| (.+)"
)

WORDS = {
    "en": {
        "title": "# Database",
        "intro": (
            "Every table, column and index, generated from `src/wunder/store/migrations` by"
            " `tools/database_doc.py`; 中文: [数据库设计.md](数据库设计.md).\n\n"
            "Times (`*_at`, `*_until`) are Unix milliseconds. A conversation is the four columns"
            " `account_uid, peer_kind, peer_id, thread_id`, never NULL, compared byte by byte."
            " States and their transitions are in `src/wunder/model`; what the store promises is in the"
            " decisions [0010](adr/0010-one-writer-thread-and-group-commit.md) to"
            " [0014](adr/0014-after-a-restore-nothing-leaves-by-itself.md). A new channel adds no"
            " table and no column: what is its own lives in JSON columns.\n\n"
            "On PostgreSQL the same steps are applied in its words: `INTEGER` is `BIGINT` (a first key is"
            ' an identity), `TEXT` is `TEXT COLLATE "C"`, `BLOB` is `BYTEA`; steps of its own are in'
            " `migrations/postgres`, and the version reached is `schema_version` in `meta`"
            " ([0015](adr/0015-postgresql-runs-units-side-by-side.md))."
        ),
        "contents": "## Tables",
        "head": "| column | type | default | meaning |\n| --- | --- | --- | --- |",
        "keys": "Keys and indexes:",
        "key": "primary key",
        "required": "required",
        "unique": "unique",
        "where": "where",
    },
    "zh": {
        "title": "# 数据库设计",
        "intro": (
            "全部的表、列与索引，由 `tools/database_doc.py` 从 `src/wunder/store/migrations` 生成；"
            "English: [database.md](database.md)。\n\n"
            "时间（`*_at`、`*_until`）为 Unix 毫秒。一个对话由四列确定："
            "`account_uid, peer_kind, peer_id, thread_id`，不为 NULL，按字节比较。"
            "状态及其迁移见 `src/wunder/model`；存储的承诺见决策记录"
            " [0010](adr/0010-one-writer-thread-and-group-commit.md) 至"
            " [0014](adr/0014-after-a-restore-nothing-leaves-by-itself.md)。"
            "新增渠道不增加任何表或列：渠道自身的内容保存在 JSON 列中。\n\n"
            "在 PostgreSQL 上执行同样的步骤，只是换成它的说法：`INTEGER` 为 `BIGINT`（自增主键为 identity），"
            '`TEXT` 为 `TEXT COLLATE "C"`，`BLOB` 为 `BYTEA`；它自有的步骤在 `migrations/postgres`，'
            "当前版本记在 `meta` 的 `schema_version` 中"
            "（[0015](adr/0015-postgresql-runs-units-side-by-side.md)）。"
        ),
        "contents": "## 表",
        "head": "| 列 | 类型 | 默认值 | 含义 |\n| --- | --- | --- | --- |",
        "keys": "键与索引：",
        "key": "主键",
        "required": "必填",
        "unique": "唯一",
        "where": "条件",
    },
}


@dataclass
class Column:
    """One column as its line says."""

    name: str
    kind: str
    rest: str
    said: dict[str, str]


@dataclass
class Table:
    """One table with what belongs to it."""

    name: str
    said: dict[str, str]
    columns: list[Column] = field(default_factory=list)
    keys: list[tuple[str, str]] = field(default_factory=list)
    indexes: dict[str, tuple[bool, str, str]] = field(default_factory=dict)


def read(folder: Path = MIGRATIONS) -> list[Table]:
    """Read all tables from all migrations, in order.

    Raises:
        ValueError: a line that looks like a column and has no description in both languages.
    """
    tables: dict[str, Table] = {}
    current: Table | None = None
    for path in sorted(folder.glob("*.sql")):
        for line in path.read_text("utf-8").splitlines():
            if match := _TABLE.match(line):
                current = Table(match[1], {"en": match[2], "zh": match[3]})
                tables[current.name] = current
            elif _is_of_index(line, tables):
                continue
            elif match := _ADDED.match(line):
                tables[match[1]].columns.append(_column(match, 2))
            elif match := _KEY.match(line):
                _current(current, line).keys.append((match[1], match[2]))
            elif match := _COLUMN.match(line):
                _current(current, line).columns.append(_column(match, 1))
            elif re.match(r"  \w", line):
                raise ValueError(
                    f"{path.name}: no `-- English | 中文` on this line: {line.strip()}"
                )
    return list(tables.values())


def _is_of_index(line: str, tables: dict[str, Table]) -> bool:
    """Take in a line that makes or drops an index; False for any other."""
    if made := _INDEX.match(line):
        tables[made[3]].indexes[made[2]] = (bool(made[1]), made[4], made[5] or "")
        return True
    if dropped := _DROPPED.match(line):
        for table in tables.values():
            table.indexes.pop(dropped[1], None)
        return True
    return False


def render(language: str, tables: list[Table]) -> str:
    """Write one page."""
    words = WORDS[language]
    lines = [words["title"], "", words["intro"], "", words["contents"], ""]
    lines += [f"- [{table.name}](#{table.name}): {table.said[language]}" for table in tables]
    for table in tables:
        lines += ["", f"## {table.name}", "", f"{_sentence(table.said[language], language)}", ""]
        lines += [words["head"], *(_row(column, language) for column in table.columns)]
        keys = [f"`{columns}` ({_kind(kind, words)})" for kind, columns in table.keys]
        keys += [_index(index, words) for index in table.indexes.values()]
        if keys:
            lines += ["", f"{words['keys']} {'; '.join(keys)}."]
    return "\n".join(lines) + "\n"


def stale() -> list[str]:
    """Name the pages that do not say what the migrations say."""
    tables = read()
    return [
        page.relative_to(ROOT).as_posix()
        for language, page in PAGES.items()
        if not page.exists() or page.read_text("utf-8") != render(language, tables)
    ]


def main() -> int:
    """Write the pages, or check them."""
    if "--check" in sys.argv:
        found = stale()
        if found:
            print(f"stale: {', '.join(found)}; run python tools/database_doc.py", file=sys.stderr)
        return bool(found)
    tables = read()
    for language, page in PAGES.items():
        page.write_text(render(language, tables), "utf-8")
    return 0


def _current(table: Table | None, line: str) -> Table:
    if table is None:
        raise ValueError(f"no `-- table name: English | 中文` above: {line.strip()}")
    return table


def _column(match: re.Match[str], first: int) -> Column:
    name, kind, rest, english, chinese = (match[first + n] for n in range(5))
    return Column(name, kind, rest, {"en": english, "zh": chinese})


def _row(column: Column, language: str) -> str:
    words = WORDS[language]
    kind = f"{column.kind}, {words['key']}" if "PRIMARY KEY" in column.rest else column.kind
    if re.search(r"\bUNIQUE\b", column.rest):
        kind += f", {words['unique']}"
    default = re.search(r"DEFAULT (x?'[^']*'|-?\d+)", column.rest)
    is_required = "NOT NULL" in column.rest and "PRIMARY KEY" not in column.rest
    shown = f"`{default[1]}`" if default else words["required"] if is_required else ""
    said = column.said[language].replace("|", "\\|")
    return f"| `{column.name}` | {kind} | {shown} | {said} |"


def _kind(kind: str, words: dict[str, str]) -> str:
    return words["key"] if kind == "PRIMARY KEY" else words["unique"]


def _index(index: tuple[bool, str, str], words: dict[str, str]) -> str:
    is_unique, columns, where = index
    notes = [words["unique"]] if is_unique else []
    if where:
        notes.append(f"{words['where']} `{where.strip('()')}`")
    return f"`{columns}`" + (f" ({', '.join(notes)})" if notes else "")


def _sentence(text: str, language: str) -> str:
    return text[0].upper() + text[1:] + ("." if language == "en" else "。")


if __name__ == "__main__":
    raise SystemExit(main())
