"""Every number of the runtime, with the defaults of plugin protocol 1; names carry units."""

import msgspec

KIB = 1024
MIB = 1024 * 1024


class CallLimits(msgspec.Struct, frozen=True):
    """How long a call may take, waiting for a slot included. Seconds."""

    parse_s: float = 2.0
    render_s: float = 2.0
    identify_s: float = 0.2  # asked before anything is authenticated (security rule 4)
    send_s: float = 10.0
    activity_s: float = 5.0
    validate_s: float = 15.0  # `live` asks the platform
    fetch_s: float = 60.0  # a file of the largest size over a slow line
    health_s: float = 3.0


class PoolSizes(msgspec.Struct, frozen=True):
    """Calls in flight per plugin; manifest and handshake may lower intake and sends."""

    intake: int = 16  # parse and render
    identify: int = 2
    sends: int = 64
    sends_per_account: int = 16
    desk: int = 4  # what operators ask: validate
    fetch: int = 4  # attachments: long calls that must not stand in the way of others
    control: int = 2  # health and shutdown: a full queue never looks like death
    waiting: int = 256  # waiting room of each pool; a full one answers busy


class WirePolicy(msgspec.Struct, frozen=True):
    """The pipes of one process. Sources: research on pipes and read sizes (ADR 0021)."""

    read_bytes: int = 64 * KIB  # larger reads map and unmap memory at each call: 1.8x slower
    pipe_bytes: int = MIB  # best effort
    write_buffer_bytes: int = 8 * MIB
    write_stall_s: float = 5.0
    tombstone_s: float = 60.0
    tombstones: int = 1_000
    noise_lines_per_read: int = 256  # answering no call; beyond: reading pauses, the flooder waits
    noise_pause_s: float = 0.1
    stderr_bytes_per_turn: int = 256 * KIB  # per stderr_turn_s: a flood slows its author
    stderr_turn_s: float = 0.1
    stderr_kept_bytes: int = 256 * KIB
    stderr_line_bytes: int = 16 * KIB
    stderr_lines_per_s: int = 200
    host_requests: int = 64  # requests of the plugin being answered; beyond: busy
    host_writes_per_s: float = 50.0
    host_writes_burst: int = 200


class LifePolicy(msgspec.Struct, frozen=True):
    """Start, health, restart and stop of a process. Seconds unless named otherwise."""

    handshake_s: float = 10.0
    preflight_s: float = 30.0
    drain_s: float = 30.0
    shutdown_s: float = 5.0
    stdin_closed_s: float = 2.0
    terminate_s: float = 5.0
    reap_s: float = 2.0
    probe_every_s: float = 15.0
    probe_jitter: float = 0.2
    probe_not_needed_s: float = 10.0
    probe_misses: int = 3
    backoff_first_s: float = 0.5
    backoff_cap_s: float = 60.0
    settled_after_s: float = 600.0  # so long ready: earlier crashes are forgotten
    crash_window_s: float = 600.0
    crashes_allowed: int = 5
    failed_starts_allowed: int = 3
    half_open_after_s: float = 900.0
    memory_every_s: float = 5.0
    memory_soft_bytes: int = 256 * MIB
    memory_hard_bytes: int = 512 * MIB


class BreakerPolicy(msgspec.Struct, frozen=True):
    """When calls for one account of a plugin stop for a while."""

    failures_in_row: int = 5
    window_s: float = 30.0
    window_calls: int = 20
    window_failed_share: float = 0.5
    open_s: float = 10.0
    open_cap_s: float = 300.0


class ProcessLimits(msgspec.Struct, frozen=True):
    """What the kernel holds a plugin's process to (level L1)."""

    open_files: int = 256
    file_bytes: int = 64 * MIB
    python_address_space_bytes: int = 2_048 * MIB  # other runtimes reserve more than they use
    oom_score_adj: int = 500
    umask: int = 0o077


class RuntimePolicy(msgspec.Struct, frozen=True):
    """All of the above."""

    calls: CallLimits = CallLimits()
    pools: PoolSizes = PoolSizes()
    wire: WirePolicy = WirePolicy()
    life: LifePolicy = LifePolicy()
    breaker: BreakerPolicy = BreakerPolicy()
    limits: ProcessLimits = ProcessLimits()
    locale: str = "zh-CN"
