"""What each figure must reach, and what it should: the targets of the architecture, in one table."""

from dataclasses import dataclass
from typing import Any, Literal

Sense = Literal["at most", "at least"]


@dataclass(frozen=True)
class Goal:
    """One target. `path` leads to the figure in the benchmark's report."""

    benchmark: str
    path: str
    what: str
    sense: Sense | None = None
    must: float = 0.0
    aim: float = 0.0
    unit: str = ""

    def verdict(self, value: float) -> str:
        """`aim`, `ok`, `MISSED`, or "" where nothing was promised."""
        if self.sense is None:
            return ""
        if self.sense == "at most":
            return "aim" if value <= self.aim else "ok" if value <= self.must else "MISSED"
        return "aim" if value >= self.aim else "ok" if value >= self.must else "MISSED"

    @property
    def asked(self) -> str:
        """The target as text."""
        if self.sense is None:
            return ""
        sign = "<=" if self.sense == "at most" else ">="
        return f"{sign} {self.must:g} (aim {self.aim:g})"


_AT_64 = "figures.closed.gateway.64"
GOALS = (
    Goal("rpc_roundtrip", "ratios.sdk_p50_x_floor", "RPC p50 over a raw pipe, one core",
         "at most", 4, 3, "x"),
    Goal("rpc_roundtrip", "ratios.sdk_calls_x_naive", "RPC calls/s at 64 over streams + json",
         "at least", 3, 4, "x"),
    Goal("rpc_roundtrip", "ratios.sdk_cpu_x_naive", "the same in CPU a call", unit="x"),
    Goal("rpc_roundtrip", "ratios.line_p50_x_floor", "RPC p50, child of 15 lines", unit="x"),
    Goal("rpc_roundtrip", "ratios.line_calls_x_naive", "RPC calls/s at 64, child of 15 lines",
         unit="x"),
    Goal("cold_start", "figures.first_200_ms_p50", "serve to first durable 200 through a plugin",
         "at most", 500, 250, "ms"),
    Goal("cold_start", "figures.listening_ms_p50", "serve to the first answer of any kind",
         unit="ms"),
    Goal("cold_start", "figures.first_200_x_bare_python", "the same over a bare interpreter's start",
         unit="x"),
    Goal("memory", "figures.gateway_idle_mb", "USS gateway, idle", "at most", 60, 40, "MB"),
    Goal("memory", "figures.gateway_worked_mb", "USS gateway, after traffic and admin API",
         unit="MB"),
    Goal("memory", "figures.qq_worked_mb", "USS QQ plugin, HTTP and crypto in use",
         "at most", 30, 20, "MB"),
    Goal("memory", "figures.plugin_without_http_mb", "USS plugin without HTTP",
         "at most", 12, 8, "MB"),
    Goal("journey", f"{_AT_64}.gateway_cpu_us", "gateway CPU a message, 64 in flight",
         "at most", 300, 150, "us"),
    Goal("journey", f"{_AT_64}.plugin_cpu_us", "plugin CPU a message, 64 in flight", unit="us"),
    Goal("journey", f"{_AT_64}.rows_per_commit", "rows an fsync, 64 in flight",
         "at least", 30, 60),
    Goal("journey", f"{_AT_64}.units_per_commit", "units of work an fsync, 64 in flight"),
    Goal("journey", f"{_AT_64}.written_kib_per_message", "written to disk a message", unit="KiB"),
    Goal("journey", f"{_AT_64}.per_s", "messages a second, 64 in flight"),
    Goal("journey", "figures.ratios.per_s_x_rows_64", "msg/s over one commit a row, 64",
         unit="x"),
    Goal("journey", "figures.ratios.per_s_x_undurable_64", "msg/s over no database at all, 64",
         unit="x"),
    Goal("journey", "figures.ratios.gateway_cpu_x_undurable_64", "gateway CPU over that bot's, 64",
         unit="x"),
    Goal("journey", "figures.ratios.per_s_x_skeleton_64", "msg/s over the bare wires and commits, 64",
         unit="x"),
    Goal("journey", "figures.ratios.gateway_cpu_x_skeleton_64", "gateway CPU over those, 64",
         unit="x"),
    Goal("journey", "figures.ratios.p99_x_rows_64", "p99 over one commit a row, 64", unit="x"),
    Goal("journey", "figures.ratios.per_s_x_nonebot_64", "msg/s over NoneBot2's echo, 64",
         "at least", 1.5, 4, "x"),
    Goal("journey", "figures.ratios.p99_x_nonebot_64", "p99 over NoneBot2's echo, 64",
         "at most", 0.5, 0.25, "x"),
    Goal("journey", "figures.ratios.gateway_cpu_x_nonebot_64", "gateway CPU over NoneBot2's, 64",
         unit="x"),
    Goal("journey", "figures.ratios.per_s_x_postgres_64", "PostgreSQL over SQLite: msg/s, 64",
         "at least", 0.5, 0.9, "x"),
    Goal("journey", "figures.ratios.per_s_x_postgres_1", "PostgreSQL over SQLite: msg/s, 1",
         unit="x"),
    Goal("journey", "figures.closed.postgres.64.gateway_cpu_us", "gateway CPU on PostgreSQL, 64",
         unit="us"),
    Goal("journey", "figures.closed.gateway.1.p50_ms", "webhook to platform p50, 1 in flight",
         unit="ms"),
    Goal("journey", "figures.alone.p50_over_4_fsync_and_2_ms", "the same over 4 fsync + 2 ms",
         "at most", 1, 0.6, "x"),
    Goal("journey", "figures.open.50%.p99_ms", "p99 at half of capacity, open loop", unit="ms"),
    Goal("journey", "figures.open.80%.p99_ms", "p99 at four fifths, open loop", unit="ms"),
    Goal("neighbours", "figures.hung_plugin_p99_x", "p99 beside a hung plugin",
         "at most", 1.1, 1.0, "x"),
    Goal("neighbours", "figures.hung_account_p99_x", "p99 beside a hung account",
         "at most", 1.1, 1.0, "x"),
    Goal("neighbours", "figures.healthy_p99_x", "p99 beside one more healthy account", unit="x"),
    Goal("neighbours", "figures.again_p99_x", "the same gateway alone, once more", unit="x"),
    Goal("idle", "figures.fresh.gateway_cpu_percent", "idle CPU, 64 plugins, 1,000 accounts",
         "at most", 1, 0.2, "%"),
    Goal("idle", "figures.used.gateway_cpu_percent", "the same after a message to each",
         "at most", 1, 0.2, "%"),
    *(
        Goal("store_growth", f"ratios.{engine}.{name}", f"{what}, most rows over fewest, {engine}",
             "at most", 2, 1.1, "x")
        for engine in ("sqlite", "postgres")
        for name, what in (
            ("claim_turn", "claim of a turn"),
            ("claim_delivery", "claim of a delivery"),
            ("take_in", "take-in"),
            ("duplicate", "duplicate"),
        )
    ),
    Goal("webhook_parse", "figures.feishu.cpu_us", "verify + parse 1 KB, Feishu (AES)",
         "at most", 150, 100, "us"),
    Goal("webhook_parse", "figures.wechat.cpu_us", "verify + parse 1 KB, WeCom (AES)",
         "at most", 150, 100, "us"),
    Goal("webhook_parse", "figures.wechat_mp.cpu_us", "verify + parse 1 KB, official account (AES)",
         "at most", 150, 100, "us"),
    Goal("webhook_parse", "figures.whatsapp.cpu_us", "verify + parse 1 KB, WhatsApp",
         "at most", 80, 60, "us"),
    Goal("webhook_parse", "figures.qqbot.cpu_us", "verify + parse 1 KB, QQ (Ed25519)",
         "at most", 80, 70, "us"),
    Goal("webhook_parse", "figures.qqbot.over_signature_us", "QQ without its one signature",
         unit="us"),
    Goal("console_api", "worst_p95_ms", "slowest list at a million messages, p95",
         "at most", 50, 40, "ms"),
    Goal("console_api", "pages.with_percent", "CPU while 50 consoles are open, nothing happens",
         "at most", 2, 0.5, "%"),
    Goal("console_first", "figures.now.first_figure_ms", "first figure of the overview, cold browser",
         "at most", 1000, 700, "ms"),
    Goal("store_group_commit", "results.-1.rows_per_fsync", "store alone: rows an fsync, most in flight",
         "at least", 30, 60),
    Goal("store_group_commit", "results.-1.writer_us", "store alone: writer CPU a message",
         unit="us"),
)  # fmt: skip


def figure(report: Any, path: str) -> float | None:
    """Follow a dotted path through mappings and lists; None where it leads nowhere."""
    for step in path.split("."):
        if isinstance(report, list) and step.lstrip("-").isdigit():
            report = report[int(step)] if report else None
        elif isinstance(report, dict):
            report = report.get(step)
        else:
            return None
    return float(report) if isinstance(report, int | float) else None
