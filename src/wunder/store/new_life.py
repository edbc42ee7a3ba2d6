"""What a restored store is told before it may serve: nothing leaves by itself (ADR 0014)."""

from wunder.model.ids import At, new_id

#: Why a message that was not answered stands still, and a request that was not parsed is set aside.
RESTORED = "restored"
#: Whose rows are counted anew after a restore, by state: nobody waits for it.
BY_STATE = (
    ("channel_outbox", "1 = 1"),
    ("channel_messages", "direction = 'in'"),
    ("jobs", "1 = 1"),
)
#: And those that have none.
WHOLE = ("channel_spool", "channel_quarantine")
#: Begins as a figure by state does, and is none.
NO_STATE = "channel_messages_out"


def statements(now: At) -> list[tuple[str, tuple[object, ...]]]:
    """What to run on a restored store of the newest schema, in order; for both engines.

    Deliveries that waited or were under way are held, messages that were not answered stand still as
    failed, requests that were not parsed are set aside, until a person lets them go: what happened
    between backup and loss is not known. API tokens and sessions of people end.
    """
    return [
        # A reply that was being shown has no text of its own, and its turn stands still.
        (
            "UPDATE channel_lanes SET waiting = waiting - 1 WHERE lane_id IN"
            " (SELECT lane_id FROM channel_outbox WHERE state = 'streaming')",
            (),
        ),
        (
            "UPDATE channel_outbox SET state = 'failed', settled_at = ?, error_kind = 'internal',"
            " error = ? WHERE state = 'streaming'",
            (now, RESTORED),
        ),
        (
            "UPDATE channel_outbox SET had_unknown = CASE WHEN state = 'pending' THEN had_unknown"
            " ELSE 1 END, state = 'held', retry_at = NULL"
            " WHERE state = 'pending' OR state = 'claimed' OR state = 'sending'",
            (),
        ),
        (
            "UPDATE channel_messages SET state = 'failed', reason = ?, finished_at = ?"
            " WHERE state = 'received' OR state = 'answering'",
            (RESTORED, now),
        ),
        *_set_aside(now),
        # Turn lanes are empty then; delivery lanes are held by their heads.
        (
            "UPDATE channel_lanes SET ready_at = NULL, is_suspect = 0, rests_until = NULL,"
            " fence = fence + 1, waiting = CASE WHEN kind = 'turn' THEN 0 ELSE waiting END",
            (),
        ),
        ("UPDATE api_tokens SET revoked_at = coalesce(revoked_at, ?)", (now,)),
        ("DELETE FROM user_sessions", ()),
        (
            "UPDATE jobs SET state = 'cancelled', finished_at = ?, updated_at = ?"
            " WHERE state = 'waiting' OR state = 'running'",
            (now, now),
        ),
        ("DELETE FROM channel_leases", ()),
        *(
            (
                "INSERT INTO meta (key, value) VALUES (?, ?)"
                " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                pair,
            )
            for pair in (("incarnation", new_id()), ("restored_at", str(now)))
        ),
    ]


def _set_aside(now: At) -> list[tuple[str, tuple[object, ...]]]:
    """Keep spooled requests from being parsed: each would be answered once more."""
    return [
        (
            "INSERT INTO channel_quarantine (quarantine_id, account_uid, channel, account_id, reason,"
            " detail, body, is_sealed, received_at, created_at)"
            " SELECT spool_id, account_uid, channel, account_id, ?, tries || ' tries', sealed, 1,"
            " received_at, ? FROM channel_spool WHERE 1 = 1 ORDER BY seq"
            " ON CONFLICT (quarantine_id) DO NOTHING",
            (RESTORED, now),
        ),
        ("DELETE FROM channel_spool", ()),
    ]
