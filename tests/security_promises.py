"""The security rules that hold from the first release, and the tests that prove them (house rule 40)."""

from tests.promise import Promise
from tests.promise import proof_in as _in

HTTP = "journeys/test_http_main_job.py"
BAD = "chaos/test_bad_plugins.py"
WEBHOOK = "unit/api/test_webhooks.py"
DESK = "unit/plugins/test_desk.py"
INSTALL = "unit/plugins/test_installing.py"
TRANSLATION = "unit/providers/test_translation.py"
SECRETS = "unit/accounts/test_secrets.py"
SCHEMAS = "unit/accounts/test_schema_check.py"
KEYRING = "unit/accounts/test_keyring.py"
TOKENS = "unit/accounts/test_tokens.py"
ACCOUNTS = "unit/accounts/test_desk.py"
EGRESS = "unit/egress/test_client.py"
MEDIA = "journeys/test_attachments.py"
BLOBS = "contracts/test_plugin_blobs.py"
CONSOLE = "journeys/test_http_console.py"
SIGN_IN = "unit/people/test_sign_in.py"

RULES = (
    Promise(
        "X1",
        "A channel's immediate response passes few statuses, one header, and cannot run in a browser.",
        _in(TRANSLATION, "rule_1_refuses_other_statuses", "rule_1_lets_only_the_content_type_pass")
        + _in(WEBHOOK, "rule_1_answers_cannot_run_in_a_browser"),
    ),
    Promise(
        "X2",
        "A plugin never sees our credentials; other Authorization only where its manifest declares it.",
        _in(WEBHOOK, "rule_2_a_plugin_never_sees_our_credentials")
        + _in(WEBHOOK, "rule_2_authorization_passes_where_the_manifest_declares_it"),
    ),
    Promise(
        "X4",
        "Strangers are cheap to refuse: budgets, time limits, no encodings, named proxies, silent logs.",
        _in(
            WEBHOOK,
            "rule_4_bad_signatures_use_up_a_sources_budget",
            "rule_4_encoded_bodies_are_415",
        )
        + _in(WEBHOOK, "rule_4_webhook_queries_and_keys_are_never_logged")
        + _in(
            "unit/api/test_sources.py",
            "a_proven_source_passes_when_strangers_have_used_everything_up",
        ),
    ),
    Promise(
        "X3",
        "Strangers' bytes come sandboxed and unsniffed, as a download unless they are an image.",
        _in("unit/api/test_untrusted.py", "rule_3_an_image_is_shown_in_a_sandbox")
        + _in("unit/api/test_untrusted.py", "rule_3_everything_else_is_a_download")
        + _in("unit/api/test_untrusted.py", "rule_3_whatever_is_wrong_with_a_link_is_not_found")
        + _in(MEDIA, "rule_3_a_lie_about_the_type_shows_nothing"),
    ),
    Promise(
        "X5",
        "JSON from outside is bounded in size and depth and has no duplicate keys.",
        _in(
            "unit/api/test_json_body.py",
            "rule_5_a_too_deep_document_is_400_never_a_recursion_error",
        )
        + _in("unit/api/test_json_body.py", "rule_5_duplicate_keys_are_refused_at_any_depth")
        + _in("unit/plugins/test_manifest.py", "documents_that_are_not_strict_json_are_refused"),
    ),
    Promise(
        "X6",
        "Secrets: absent keeps, null clears; a changed destination needs them all again.",
        _in(SECRETS, "rule_6_absent_keeps_and_null_clears_and_set_keeps")
        + _in(SECRETS, "rule_6_a_changed_destination_needs_every_secret_again")
        + _in(HTTP, "rule_6_secrets_go_in_and_never_come_out"),
    ),
    Promise(
        "X7",
        "Webhook keys have 128 random bits; one login is enabled once.",
        _in(ACCOUNTS, "rule_7_a_webhook_key_is_random_and_has_128_bits")
        + _in(ACCOUNTS, "rule_7_two_at_once_with_the_same_login_leave_one"),
    ),
    Promise(
        "X8",
        "A private key file that fits the store, or no start; seals are bound to their place.",
        _in(KEYRING, "rule_8_a_key_that_does_not_match_refuses_to_start")
        + _in(KEYRING, "rule_8_no_key_is_made_where_ciphertext_exists")
        + _in("contracts/test_sealer.py", "rule_8_another_context_opens_nothing"),
    ),
    Promise(
        "X9",
        "host.state is bound to plugin and account, compared and set, and bounded.",
        _in(BAD, "a_plugin_keeps_state_for_its_own_accounts_only")
        + _in("contracts/test_plugin_history.py", "of_two_writers_with_the_same_revision_one_wins")
        + _in("contracts/test_plugin_history.py", "an_account_has_at_most_one_mib"),
    ),
    Promise(
        "X10",
        "One guarded client, each address checked and pinned; media moves through the channel only.",
        _in(EGRESS, "rule_10_a_name_is_resolved_once_and_the_checked_address_is_used")
        + _in(EGRESS, "rule_10_what_is_not_global_is_refused")
        + _in(EGRESS, "rule_10_a_redirect_is_checked_like_the_first_address")
        + _in(MEDIA, "rule_10_a_channel_cannot_name_stored_bytes_of_its_own_accord")
        + _in(BLOBS, "rule_10_only_a_transfer_that_was_begun_takes_bytes")
        + _in(BLOBS, "rule_10_what_is_not_lent_or_not_any_more_is_not_read")
        + _in(BLOBS, "rule_10_an_accounts_attachment_is_not_read_for_another"),
    ),
    Promise(
        "X12",
        "Account schemas: closed references, bounded, linear patterns, messages without values.",
        _in(SCHEMAS, "rule_12_a_schema_that_points_out_or_is_costly_is_refused")
        + _in(SCHEMAS, "rule_12_a_check_that_does_not_end_is_given_up")
        + _in(SCHEMAS, "rule_12_messages_never_hold_the_value"),
    ),
    Promise(
        "X13",
        "Full hash in the path, every file verified before each start, no Python hooks, one lock.",
        _in(INSTALL, "a_package_is_installed_read_only_under_its_hash")
        + _in(DESK, "a_release_that_was_touched_does_not_start_and_says_why")
        + _in("plugins/test_disk_and_lock.py", "another_process_that_installs_is_waited_for"),
    ),
    Promise(
        "X14",
        "Approval names hash and permissions; nothing starts without it.",
        _in(DESK, "nothing_runs_without_approval", "an_approval_names_the_exact_package")
        + _in(DESK, "more_permissions_show_as_a_difference_and_need_a_new_approval"),
    ),
    Promise(
        "X15",
        "One id pattern; ids that look like another's are refused.",
        _in("unit/plugins/test_manifest.py", "ids_have_one_pattern")
        + _in(INSTALL, "an_id_that_looks_like_another_is_refused"),
    ),
    Promise(
        "X16",
        "First-run token, listed hosts, scopes; one refusal, lock-out, two hashes, passwords again.",
        _in(
            TOKENS,
            "rule_16_the_setup_token_is_a_private_file",
            "rule_16_of_two_at_once_one_is_let_in",
        )
        + _in("journeys/test_cli_online.py", "rule_16_the_first_run_token_is_traded_once")
        + _in("unit/api/test_admin.py", "rule_16_only_listed_hosts_are_served")
        + _in(
            "unit/api/test_scopes.py",
            "every_role_reaches_what_the_table_gives_it_and_nothing_else",
            "every_unsafe_route_needs_the_csrf_header_of_the_session",
        )
        + _in(
            SIGN_IN,
            "rule_16_every_failure_says_the_same",
            "rule_16_a_source_is_locked_out_and_names_that_do_not_exist_are_too",
            "rule_16_only_the_hash_of_a_cookie_is_stored",
        )
        + _in(
            "unit/people/test_passwords.py",
            "rule_16_two_hashes_run_at_once_and_many_more_are_sent_away",
            "rule_16_a_hash_is_verified_where_there_is_none",
        )
        + _in(
            CONSOLE,
            "rule_16_what_matters_asks_for_the_password_again",
            "rule_16_the_first_run_token_makes_an_administrator_and_signs_them_in_once",
        )
        + _in(
            "journeys/test_http_oidc.py",
            "rule_16_only_a_password_given_there_just_now_counts",
            "a_token_that_proves_nothing_signs_nobody_in",
        ),
    ),
    Promise(
        "X17",
        "Live events are authorised, replayed ones too; streams close within 5 s; chat tokens are bound.",
        _in(
            CONSOLE,
            "rule_17_a_stream_tells_resumes_and_closes_with_its_session",
            "rule_17_replayed_events_are_authorised_like_live_ones",
            "a_user_is_told_of_their_own_accounts_and_that_channels_opened",
        )
        + _in(
            "unit/feed/test_hub.py",
            "rule_17_pages_of_ended_sessions_close_with_one_question",
            "rule_17_a_closed_session_is_noticed_within_five_seconds",
        )
        + _in("unit/people/test_users.py", "rule_17_a_lock_or_another_role_ends_every_session")
        + _in(
            "journeys/test_chat_page.py",
            "rule_17_a_token_fixes_account_visitor_and_site",
            "rule_17_a_claimed_identity_needs_the_signature_of_the_site",
        ),
    ),
    Promise(
        "X18",
        "Logs, terminals, labels and problem details show text as text and secrets not at all.",
        _in("unit/observe/test_logs.py", "rule_18_secret_fields_are_masked_at_any_depth")
        + _in(
            "unit/cli/test_plain_text.py",
            "rule_18_every_control_and_direction_character_is_escaped",
        )
        + _in("unit/observe/test_metrics.py", "rule_18_every_label_has_a_closed_list_of_values")
        + _in("unit/api/test_json_body.py", "rule_18_values_are_never_echoed")
        + _in(CONSOLE, "rule_18_the_audit_tells_who_changed_what_and_no_secret"),
    ),
    Promise(
        "X19",
        "Ready means: store writes, key open, not draining; a bad plugin drains nobody.",
        _in("unit/api/test_probes.py", "rule_19_not_ready_when_the_store_cannot_write")
        + _in("unit/api/test_probes.py", "rule_19_a_broken_plugin_does_not_drain_the_node"),
    ),
)
