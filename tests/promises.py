"""What was promised and which tests prove it (house rule 40): rows, promises, acceptance, security rules.

`tests/architecture/test_promises.py` checks that each named test exists and that nothing in scope is
without one. Whoever changes what a test proves finds the promise here.
"""

from tests.promise import Promise
from tests.promise import proof_in as _in
from tests.security_promises import RULES

CORRIDOR = "journeys/test_corridor.py"
QQ = "journeys/test_qq_journey.py"
HTTP = "journeys/test_http_main_job.py"
DEMO = "journeys/test_demo.py"
FIRST = "journeys/test_acceptance_1.py"
SEEN = "journeys/test_observable.py"
BAD = "chaos/test_bad_plugins.py"
STORE = "chaos/test_bad_store.py"
CHAOS = "chaos/test_nothing_is_lost.py"
BY_HAND = "e2e/test_plugins.py"
PANEL = "e2e/test_user_panel.py"
PEOPLE = "journeys/test_http_console.py"
CALL = "vectors/test_qqbot_vectors_call.py"
VECTORS = "vectors/test_qqbot_vectors_http.py"
EVERY = "standins/test_all_channels.py"
BUNDLES = "vectors/test_bundles_call.py"
HOUSE = "architecture/test_house.py"
NODES = "unit/store/postgres/test_nodes.py"
WEBHOOK = "unit/api/test_webhooks.py"
ACCOUNT = "unit/inbound/test_account_choice.py"
DESK = "unit/plugins/test_desk.py"
PACKAGE = "unit/plugins/test_package.py"
INSTALL = "unit/plugins/test_installing.py"
TRANSLATION = "unit/providers/test_translation.py"
RETRY = "unit/outbound/test_retry.py"
SECRETS = "unit/accounts/test_secrets.py"
INTAKE, TURNS, OUTBOX = (f"contracts/test_{name}.py" for name in ("intake", "turns", "outbox"))

CHAIN = (
    Promise(
        "C1",
        "One entry for every platform: GET and POST /wunder/channel/{provider}/webhook.",
        _in(WEBHOOK, "a_get_without_account_reaches_the_room", "other_methods_are_405")
        + _in(WEBHOOK, "an_unknown_provider_is_404_before_its_body_is_read")
        + _in(ACCOUNT, "the_only_account_there_is_needs_no_name")
        + _in(VECTORS, "vector_through_http_into_the_database"),
    ),
    Promise(
        "C2",
        "The provider verifies and parses; the core gets standard messages; a challenge is answered at once.",
        _in(
            CALL,
            "the_plugin_answers_a_vector_as_expected",
            "the_built_in_answers_a_vector_as_expected",
        )
        + _in(QQ, "a_signed_private_message_and_a_group_mention_are_answered")
        + _in(CORRIDOR, "a_bad_signature_is_401_and_stores_nothing")
        + _in(BUNDLES, "the_bundle_says_what_the_built_in_says")
        + _in(
            "standins/test_mutated_webhooks.py",
            "any_change_of_a_genuine_request_is_refused_cleanly_or_changes_nothing",
        ),
    ),
    Promise(
        "C3",
        "Binding, session, agent, reply, outbox, provider; no branch on a channel's name.",
        _in(CORRIDOR, "a_message_is_answered_on_its_own_conversation")
        + _in(CORRIDOR, "a_message_without_binding_is_kept_and_can_be_rerouted")
        + _in("unit/conversation/test_routing.py", "star_matches_any")
        + _in(HOUSE, "no_channel_is_named_outside_its_folder"),
    ),
    Promise(
        "C4",
        "Retry with backoff (2 s, cap 60 s, 5 retries), final failure kept; the same whoever sends.",
        _in(RETRY, "retries_double_from_two_seconds", "backoff_is_capped_at_a_minute")
        + _in(RETRY, "the_sixth_failure_is_final_and_kept_for_replay", "outages_use_up_no_retry")
        + _in(CORRIDOR, "five_retries_then_failed_and_kept_for_replay")
        + _in(HTTP, "a_delivery_that_failed_is_replayed_after_a_preview"),
    ),
    Promise(
        "C5",
        "The tables of the design; channel_accounts.channel is the provider id.",
        _in("unit/store/sqlite/test_schema.py", "there_are_exactly_the_tables_of_the_design")
        + _in("contracts/test_account_table.py", "an_account_comes_back_as_it_was_stored"),
    ),
)

PROVIDERS = (
    Promise(
        "N1a",
        "ChannelProvider: id, parse_inbound, send_outbound, health, validate_account_config.",
        _in("contracts/test_channel_provider.py", "a_good_request_becomes_messages_of_this_account")
        + _in("contracts/test_channel_provider.py", "a_good_configuration_is_called_good")
        + _in("contracts/test_channel_provider.py", "it_has_a_health"),
    ),
    Promise(
        "N1b",
        "Built-in and plugin adapters; the registry finds who serves; enabling over a live built-in asks.",
        _in(QQ, "enabling_over_a_live_built_in_says_whom_it_takes_over_and_asks")
        + _in(QQ, "a_signed_private_message_and_a_group_mention_are_answered")
        + _in(EVERY, "a_question_is_answered_once_however_often_it_is_delivered")
        + _in(EVERY, "each_class_of_the_platforms_errors_ends_as_it_should")
        + _in("contracts/test_providers.py", "who_serves_a_channel_speaks_for_that_channel")
        + _in(DESK, "taking_over_a_live_builtin_asks_first_and_names_the_accounts"),
    ),
    Promise(
        "N1c",
        "Account configuration is a generic container; no channel-specific type in the core.",
        _in(HOUSE, "no_channel_is_named_outside_its_folder")
        + _in(FIRST, "a_new_channel_is_written_uploaded_and_answers_without_a_change_to_the_core")
        + _in(SECRETS, "secrets_leave_the_rest_at_any_depth"),
    ),
)

INSTALLING = (
    Promise(
        "N2a",
        "Tables channel_plugins and channel_plugin_versions, on SQLite.",
        _in("contracts/test_plugin_table.py", "a_plugin_comes_back_as_it_was_stored")
        + _in("contracts/test_plugin_table.py", "a_release_comes_back_as_it_was_stored")
        + _in("unit/store/sqlite/test_schema.py", "there_are_exactly_the_tables_of_the_design"),
    ),
    Promise(
        "N2b",
        "Admin API of plugins behind admin authentication.",
        _in(HTTP, "a_plugin_is_reviewed_installed_approved_enabled_and_removed")
        + _in("unit/api/test_scopes.py", "every_guarded_route_is_401_without_a_token")
        + _in("unit/api/test_scopes.py", "every_guarded_route_is_403_without_its_scope"),
    ),
    Promise(
        "N2c",
        "Upload: zip only, traversal refused, sha256 recorded and checked, manifest validated.",
        _in(PACKAGE, "what_is_no_zip_is_refused", "bad_names_are_refused_and_never_repaired")
        + _in(INSTALL, "a_given_sha256_must_match", "faults_of_manifest_and_schema_come_together")
        + _in(INSTALL, "a_package_is_installed_read_only_under_its_hash")
        + _in(DESK, "a_release_that_was_touched_does_not_start_and_says_why"),
    ),
)

RUNTIME = (
    Promise(
        "N3a",
        "Process manager: start, health check, restart, stop; JSON-RPC over stdio with time limits.",
        _in(BAD, "a_good_plugin_leaves_with_zero_when_asked")
        + _in(BAD, "a_hung_plugin_is_restarted_after_three_missed_probes")
        + _in(BAD, "a_crash_in_a_send_leaves_its_outcome_unknown_and_the_plugin_comes_back")
        + _in(BAD, "a_plugin_that_ignores_everything_is_killed_in_the_end")
        + _in(
            "unit/runtime/test_peer.py",
            "a_deadline_after_the_frame_was_written_leaves_a_send_unknown",
        ),
    ),
    Promise(
        "N3b",
        "Handshake, health, validate, parse, send, shutdown, as the schemas of protocol 1 have them.",
        _in("contracts/test_plugin_host.py", "a_started_plugin_answers_with_typed_results")
        + _in("sdk/test_handshake.py", "handshake_returns_cookie_protocol_and_capabilities")
        + _in("sdk/test_examples.py", "the_protocol_page_names_every_method_and_every_error")
        + _in("sdk/test_examples.py", "examples_answer_a_client_of_the_standard_library"),
    ),
    Promise(
        "N4",
        "Webhook in runs through plugins: a new webhook channel needs no change to the core.",
        _in(FIRST, "a_new_channel_is_written_uploaded_and_answers_without_a_change_to_the_core")
        + _in(QQ, "a_signed_private_message_and_a_group_mention_are_answered"),
    ),
    Promise(
        "N5",
        "Outbox out runs through plugins: full loop in, model, out.",
        _in(FIRST, "a_restart_finds_the_plugin_the_account_and_the_binding_again")
        + _in(DEMO, "the_demo_sees_all_that_is_promised_and_leaves_nothing_behind"),
    ),
    Promise(
        "N7",
        "QQ sample: install the plugin, create an account, send and receive.",
        _in(DEMO, "the_demo_sees_all_that_is_promised_and_leaves_nothing_behind")
        + _in(CALL, "the_plugin_answers_a_vector_as_expected")
        + _in(
            VECTORS,
            "vector_through_http_into_the_database",
            "a_repeat_gets_the_same_answer_and_is_stored_once",
        )
        + _in("docs/test_readme.py", "the_tour_of_the_readme_works_word_by_word"),
    ),
)

SAFETY = (
    Promise(
        "S1",
        "Only zip; traversal checks; sha256.",
        _in(
            PACKAGE,
            "every_truncation_is_refused",
            "names_that_meet_on_some_file_system_are_refused",
        )
        + _in("unit/plugins/test_package_properties.py", "no_entry_gets_out_of_its_folder")
        + _in("plugins/test_killed_installs.py", "a_killed_install_leaves_the_old_version_working")
        + _in(
            "plugins/test_disk_and_lock.py",
            "a_full_disk_refuses_the_install_and_keeps_the_old_version",
        ),
    ),
    Promise(
        "S2",
        "Own process, fixed working directory, environment by whitelist, nothing sensitive inherited.",
        _in(BAD, "a_plugin_sees_only_what_is_on_the_whitelist")
        + _in("unit/runtime/test_host.py", "the_environment_is_made_from_a_whitelist")
        + _in(BAD, "nothing_is_left_ten_seconds_after_the_gateway_was_killed")
        + _in("sdk/test_boot.py", "the_rest_of_the_gateways_environment_is_out_of_reach"),
    ),
    Promise(
        "S3",
        "Concurrency limit, time limits, restart backoff with breaker, message size limit.",
        _in("unit/runtime/test_limits.py", "one_account_never_has_more_than_half_a_pool")
        + _in(
            "unit/runtime/test_backoff.py",
            "the_sixth_crash_in_ten_minutes_breaks_it_with_one_late_start",
        )
        + _in(BAD, "five_failures_in_a_row_open_the_breaker_of_that_account_only")
        + _in(TRANSLATION, "a_message_above_the_size_limit_is_refused_with_a_bounded_excerpt"),
    ),
    Promise(
        "S4",
        "Call time, error code, restart count recorded; plugin_id, version, account on events and outcomes.",
        _in(SEEN, "calls_errors_and_restarts_of_a_plugin_are_on_record")
        + _in(SEEN, "every_step_attempt_and_event_names_plugin_version_and_account")
        + _in("contracts/test_plugin_history.py", "counts_survive_a_restart_of_the_gateway"),
    ),
)

BEYOND = (
    Promise(
        "P1",
        "Nothing accepted is lost: a 2xx after the commit, kill -9 at any instant, 429 or 503 when full.",
        _in(CHAOS, "whatever_was_accepted_arrives_once_and_in_order_through")
        + _in(
            "unit/store/sqlite/test_sudden_death.py",
            "kill_nine_loses_nothing_that_was_acknowledged",
        )
        + _in(STORE, "a_full_disk_refuses_intake_keeps_outcomes_and_recovers_by_itself")
        + _in(CORRIDOR, "a_platform_that_does_not_wait_is_acknowledged_and_parsed_later"),
    ),
    Promise(
        "P2",
        "Nothing is doubled that can be avoided; what may have been sent is unknown, never blindly repeated.",
        _in(
            INTAKE,
            "the_same_event_again_is_a_duplicate",
            "the_same_key_with_other_content_is_kept_and_alerted",
        )
        + _in(OUTBOX, "a_retry_keeps_the_key_and_counts_only_when_told")
        + _in(OUTBOX, "a_parked_unknown_is_not_sent_again_by_itself")
        + _in(RETRY, "what_may_have_arrived_is_never_blindly_repeated")
        + _in(CHAOS, "whatever_was_accepted_arrives_once_and_in_order_through")
        + _in(
            "unit/outbound/test_attempt.py",
            "what_a_life_before_marked_is_not_sent_and_uses_up_no_retry",
        )
        + _in(QQ, "a_message_accepted_before_sigkill_is_answered_once_after_the_restart")
        + _in(QQ, "switching_between_built_in_and_plugin_in_mid_traffic_loses_and_doubles_nothing"),
    ),
    Promise(
        "P3",
        "Order per conversation, no head-of-line blocking, no reply in another conversation.",
        _in(CORRIDOR, "order_holds_within_a_conversation_and_none_waits_for_another")
        + _in(CORRIDOR, "a_throttled_head_holds_its_lane_and_waits_as_long_as_asked")
        + _in(CORRIDOR, "a_slow_agent_does_not_hold_other_conversations")
        + _in(
            "properties/test_isolation.py",
            "a_thousand_conversations_at_once_never_hear_each_other",
        )
        + _in(TURNS, "turns_of_a_conversation_run_in_order_of_arrival")
        + _in(OUTBOX, "deliveries_of_a_conversation_go_out_in_order")
        + _in(CHAOS, "whatever_was_accepted_arrives_once_and_in_order_through")
        + _in(TRANSLATION, "a_message_for_another_account_is_noticed"),
    ),
    Promise(
        "P7",
        "Where is my message: one id from webhook to platform, found by name or text, in API and command line.",
        _in(
            "journeys/test_cli_online.py",
            "row_p7_one_id_follows_a_message_from_webhook_to_platform",
        )
        + _in(HTTP, "a_message_goes_in_and_its_reply_comes_out_and_every_step_is_shown")
        + _in("contracts/test_ledger.py", "the_trail_is_the_same_for_either_direction"),
    ),
    Promise(
        "P8",
        "Any language: a plugin is a program that reads and writes lines of JSON.",
        _in(FIRST, "a_new_channel_is_written_uploaded_and_answers_without_a_change_to_the_core")
        + _in("sdk/test_examples.py", "examples_answer_a_client_of_the_standard_library")
        + _in("journeys/test_plugin_call.py", "each_line_gets_its_answer_in_order_whatever_it_is"),
    ),
    Promise(
        "P9",
        "SQLite on a laptop; PostgreSQL and many nodes with the same behaviour, proved by the same tests.",
        _in(CHAOS, "whatever_was_accepted_arrives_once_and_in_order_through")
        + _in(NODES, "a_conversation_stays_in_order_over_nodes")
        + _in(NODES, "a_dead_nodes_claims_pass_on_when_its_lease_has_run_out")
        + _in(NODES, "a_paused_node_that_was_replaced_has_lost_its_fences")
        + _in(
            "journeys/test_many_nodes.py",
            "a_plugin_enabled_on_one_node_runs_on_all_and_any_takes_its_webhooks",
        )
        + _in(
            "journeys/test_moving.py",
            "a_gateway_moves_from_sqlite_to_postgresql_with_plugin_account_and_messages",
        )
        + _in(INTAKE, "the_same_event_again_is_a_duplicate"),
    ),
    Promise(
        "A1",
        "Acceptance 1: a new channel needs no change in the core.",
        _in(FIRST, "a_new_channel_is_written_uploaded_and_answers_without_a_change_to_the_core")
        + _in("contracts/test_delivery_rules.py", "a_new_channel_adds_no_table_and_no_column")
        + _in(HOUSE, "no_channel_is_named_outside_its_folder"),
    ),
    Promise(
        "R",
        "Any plugin goes back to the built-in or to its previous version in one call; accounts stay.",
        _in(QQ, "switching_between_built_in_and_plugin_in_mid_traffic_loses_and_doubles_nothing")
        + _in(EVERY, "the_switch_between_built_in_and_plugin_loses_and_doubles_nothing")
        + _in(
            DESK, "back_to_the_builtin_and_to_the_plugin_again", "versions_are_switched_both_ways"
        )
        + _in("journeys/test_cli_online.py", "a_built_in_is_installed_as_a_plugin"),
    ),
    Promise(
        "D",
        "Documents with twins, and commands in them that work.",
        _in("docs/test_twins.py", "every_page_that_the_design_asks_for_is_there_with_its_twin")
        + _in(
            "docs/test_commands.py", "every_wunder_command_of_every_page_is_one_that_wunder_takes"
        )
        + _in("docs/test_readme.py", "the_tour_of_the_readme_works_word_by_word"),
    ),
)

CONSOLE = (
    Promise(
        "N6",
        "渠道监控 in the console: plugins, accounts with their forms, deliveries; no config file.",
        _in(BY_HAND, "qq_is_connected_from_the_console_alone", "a_version_is_switched_and_back")
        + _in("e2e/test_outbox.py", "a_dead_letter_is_replayed_and_arrives")
        + _in("e2e/test_looks.py", "no_screen_has_a_fault_that_axe_finds")
        + _in("e2e/test_first_minute.py", "from_one_link_to_a_conversation_with_the_agent"),
    ),
    Promise(
        "U",
        "Users see the providers that were opened to them and connect accounts of their own.",
        _in(PANEL, "an_account_of_somebody_else_is_not_there")
        + _in(PEOPLE, "a_user_connects_a_channel_and_reaches_nobody_elses"),
    ),
    Promise(
        "A2",
        "Acceptance 2: plugins are installed, enabled, disabled and switched in 渠道监控.",
        _in(BY_HAND, "qq_is_connected_from_the_console_alone", "a_version_is_switched_and_back"),
    ),
    Promise(
        "A3",
        "Acceptance 3: a misbehaving plugin does not affect the service nor the rules of retrying.",
        _in(CHAOS, "whatever_was_accepted_arrives_once_and_in_order_through")
        + _in(BY_HAND, "a_crash_is_shown_live_and_so_is_the_recovery"),
    ),
    Promise(
        "A4",
        "Acceptance 4: the whole way is seen, down to plugin_id, version and account_id.",
        _in(BY_HAND, "qq_is_connected_from_the_console_alone")
        + _in(SEEN, "every_step_attempt_and_event_names_plugin_version_and_account"),
    ),
    Promise(
        "A5",
        "Acceptance 5: the user's panel recognises a new provider by itself.",
        _in(PANEL, "a_channel_that_is_opened_appears_without_a_reload")
        + _in(PEOPLE, "a_user_is_told_of_their_own_accounts_and_that_channels_opened"),
    ),
)

#: Everything that the first release answers for.
PROMISES = (*CHAIN, *PROVIDERS, *INSTALLING, *RUNTIME, *SAFETY, *BEYOND, *CONSOLE, *RULES)

#: What the mission has and the first release does not: id -> what is missing.
LATER = {
    "N8": "signatures, canary, alerts",
    "S5": "permissions are shown and approved, not enforced",
    "P4": "kernel-enforced permissions",
    "P5": "signed packages",
    "P6": "canary by account and automatic rollback",
    "X11": "grants, with the sandbox",
    "X20": "alerts through our own channels",
}
