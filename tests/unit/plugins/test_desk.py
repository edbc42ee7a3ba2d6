import asyncio

import msgspec
import pytest

from tests.unit.plugins.raw_zip import Raw
from tests.unit.plugins.world import World, until
from wunder.errors import Conflict, Invalid, NotFound, StoreUnavailable
from wunder.model.plugin import PluginStatus
from wunder.model.runtime import RuntimeReport, RuntimeState
from wunder.plugins.release import HostPlatform

ID = "acme.echo"


async def enable(world: World, version: str | None = None, confirm: str | None = None) -> None:
    await world.desk.enable(ID, version=version, confirm=confirm, by="ann")


async def conflict(attempt: object) -> Conflict:
    with pytest.raises(Conflict) as caught:
        await attempt  # type: ignore[misc]
    return caught.value


async def test_an_approved_plugin_is_tried_out_then_started(world: World) -> None:
    release = await world.enabled()
    (spec,) = world.host.started
    assert world.host.preflighted == [spec]
    assert (spec.version, spec.package_sha256) == ("1.0.0", release.package_sha256)
    assert (spec.is_python, spec.entry, spec.data_dir) == (True, "app", "")
    assert spec.root_dir == str(world.data_dir / release.install_path)
    assert spec.work_dir == str(world.folders.root / ID / "work")
    view = await world.desk.view(ID)
    assert (view.status, view.serving, view.current_version) == ("enabled", "plugin", "1.0.0")
    assert world.events.names() == ["plugin_installed", "plugin_approved", "plugin_enabled"]
    assert world.refreshed >= 2


async def test_what_people_do_is_told_with_their_name_once(world: World) -> None:
    await world.enabled()
    done = [event.name for event in world.events.kept if event.fields.get("by") == "ann"]
    assert done == ["plugin_installed", "plugin_approved", "plugin_enabled"]


async def test_nothing_runs_without_approval(world: World) -> None:
    release = await world.installed(approve=False)
    error = await conflict(enable(world))
    assert error.reason == "not_approved"
    assert error.state["package_sha256"] == release.package_sha256
    assert world.host.preflighted == []


async def test_an_approval_names_the_exact_package(world: World) -> None:
    release = await world.installed(approve=False)
    error = await conflict(world.desk.approve(ID, "1.0.0", "0" * 64, "bob"))
    assert error.reason == "sha256_mismatch"
    with pytest.raises(NotFound):
        await world.desk.approve(ID, "9.0.0", release.package_sha256, "bob")
    approved = await world.desk.approve(ID, "1.0.0", release.package_sha256, "bob")
    assert approved.is_approved
    again = await world.desk.approve(ID, "1.0.0", release.package_sha256, "eve")
    assert again.approval is not None
    assert again.approval.by == "bob"


async def test_an_approval_of_other_permissions_is_none(world: World) -> None:
    release = await world.installed()
    forged = msgspec.structs.replace(release, permission_digest="f" * 64)
    world.table.stored[ID, "1.0.0"] = msgspec.structs.replace(
        forged, approval=world.table.stored[ID, "1.0.0"].approval
    )
    assert (await conflict(enable(world))).reason == "not_approved"


async def test_a_failed_preflight_leaves_the_old_version_running(world: World) -> None:
    await world.enabled()
    await world.installed(version="2.0.0")
    before = world.row()
    world.host.refuse_to_start = "it does not shake hands"
    with pytest.raises(Invalid, match="shake hands"):
        await enable(world, "2.0.0")
    assert world.row() == before
    assert [spec.version for spec in world.host.started] == ["1.0.0"]


async def test_enabling_again_changes_nothing(world: World) -> None:
    await world.enabled()
    epoch = world.row().epoch
    await enable(world)
    await enable(world, "1.0.0")
    assert len(world.host.started) == 1
    assert world.row().epoch == epoch


async def test_enabling_a_crashed_out_plugin_starts_it_again(world: World) -> None:
    await world.enabled()
    world.host._states[ID] = RuntimeState.BROKEN  # type: ignore[index]
    await enable(world)
    assert len(world.host.started) == 2


async def test_versions_are_switched_both_ways(world: World) -> None:
    await world.enabled()
    await world.enabled(version="1.10.0")
    assert (await world.desk.view(ID)).previous_version == "1.0.0"
    await enable(world, "1.0.0")
    assert [spec.version for spec in world.host.started] == ["1.0.0", "1.10.0", "1.0.0"]
    assert [one.version for one in (await world.desk.view(ID)).releases] == ["1.10.0", "1.0.0"]


async def test_without_a_version_the_newest_approved_is_meant(world: World) -> None:
    await world.installed(version="1.9.0")
    await world.installed(version="1.10.0")
    await world.installed(version="2.0.0", approve=False)
    await enable(world)
    assert world.row().current_version == "1.10.0"


async def test_unknown_plugins_and_versions_are_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        await enable(world)
    await world.installed()
    with pytest.raises(NotFound):
        await enable(world, "9.9.9")
    for attempt in (world.desk.disable("no", "x"), world.desk.view("no")):
        with pytest.raises(NotFound):
            await attempt


# --- over a built-in --------------------------------------------------------------------------------


async def test_taking_over_a_live_builtin_asks_first_and_names_the_accounts(world: World) -> None:
    world.builtins[ID] = "fancybot"
    world.account(ID, "main")
    world.account(ID, "old", "deleted")
    world.account("other", "x")
    world.binding(ID, "main")
    world.binding("*", "*")
    world.binding(ID, "old")
    await world.installed()
    review = await world.desk.review(world.zip())
    assert (review.takes_over, len(review.impact.accounts)) == ("fancybot", 1)
    error = await conflict(enable(world))
    assert error.reason == "takes_over_builtin"
    assert [one["account_id"] for one in error.state["accounts"]] == ["main"]  # type: ignore[attr-defined]
    assert error.state["bindings"] == 2
    assert (await conflict(enable(world, confirm="yes"))).reason == "takes_over_builtin"
    assert world.host.preflighted == []
    await enable(world, confirm=ID)
    assert world.row().status is PluginStatus.ENABLED
    await world.enabled(version="1.1.0")


async def test_an_id_served_by_a_builtin_without_accounts_needs_no_question(world: World) -> None:
    world.builtins[ID] = "fancybot"
    await world.enabled()


async def test_the_id_of_a_builtin_is_always_confirmed(world: World) -> None:
    world.builtins[ID] = ID
    await world.installed()
    error = await conflict(enable(world))
    assert (error.reason, error.state["accounts"]) == ("takes_over_builtin", [])


async def test_back_to_the_builtin_and_to_the_plugin_again(world: World) -> None:
    world.builtins[ID] = "fancybot"
    world.account(ID)
    await world.installed()
    await enable(world, confirm=ID)
    view = await world.desk.set_source(ID, "builtin", "ann")
    assert (view.serving, view.source, view.status) == ("builtin", "builtin", "enabled")
    assert world.host.stopped == [ID]
    view = await world.desk.set_source(ID, "plugin", "ann")
    assert view.serving == "plugin"
    assert len(world.host.preflighted) == 2
    epoch = world.row().epoch
    await world.desk.set_source(ID, "plugin", "ann")
    assert world.row().epoch == epoch


async def test_a_plugin_that_gave_way_to_the_builtin_is_not_started_at_boot(world: World) -> None:
    world.builtins[ID] = "fancybot"
    await world.enabled()
    await world.desk.set_source(ID, "builtin", "ann")
    await world.restart().start_all()
    assert len(world.host.started) == 1


async def test_without_a_builtin_the_rollback_is_offered(world: World) -> None:
    await world.enabled()
    error = await conflict(world.desk.set_source(ID, "builtin", "ann"))
    assert (error.reason, error.state) == ("no_builtin", {"rollback_to": None})
    await world.enabled(version="1.1.0")
    error = await conflict(world.desk.set_source(ID, "builtin", "ann"))
    assert error.state == {"rollback_to": "1.0.0"}


async def test_a_disabled_plugin_only_notes_who_is_to_serve(world: World) -> None:
    world.builtins[ID] = "fancybot"
    await world.installed()
    await world.desk.set_source(ID, "builtin", "ann")
    await world.desk.set_source(ID, "plugin", "ann")
    assert world.row().status is PluginStatus.DISABLED
    assert world.host.started == []


# --- out of service ---------------------------------------------------------------------------------


async def test_disabling_stops_the_process_and_can_be_repeated(world: World) -> None:
    await world.enabled()
    view = await world.desk.disable(ID, "ann")
    assert (view.status, view.serving) == ("disabled", "nobody")
    epoch = world.row().epoch
    await world.desk.disable(ID, "ann")
    assert world.row().epoch == epoch
    assert world.events.names().count("plugin_disabled") == 1
    await world.restart().start_all()
    assert len(world.host.started) == 1


async def test_a_switch_that_was_overtaken_changes_nothing(world: World) -> None:
    await world.enabled()
    await world.installed(version="2.0.0")
    real = world.host.preflight

    async def slow(spec: object) -> None:
        await real(spec)  # type: ignore[arg-type]
        await world.desk.disable(ID, "bob")

    world.host.preflight = slow  # type: ignore[method-assign]
    error = await conflict(enable(world, "2.0.0"))
    assert error.reason == "changed_meanwhile"
    assert world.row().status is PluginStatus.DISABLED
    assert len(world.host.started) == 1


async def test_two_enables_at_once_start_one(world: World) -> None:
    await world.installed()
    results = await asyncio.gather(enable(world), enable(world), return_exceptions=True)
    assert sum(isinstance(one, Conflict) for one in results) <= 1
    assert len(world.host.started) == 1
    assert world.row().epoch == 1


# --- start of the gateway ---------------------------------------------------------------------------


async def test_enabled_plugins_start_with_the_gateway(world: World) -> None:
    await world.enabled()
    await world.enabled(plugin_id="other.one")
    await world.installed(plugin_id="third.one")
    world.host.started.clear()
    await world.restart().start_all()
    assert {spec.plugin_id for spec in world.host.started} == {ID, "other.one"}


@pytest.mark.parametrize("harm", ["changed", "extra", "missing", "link", "folder"])
async def test_a_release_that_was_touched_does_not_start_and_says_why(
    world: World, harm: str
) -> None:
    release = await world.enabled()
    await world.enabled(plugin_id="other.one")
    root = world.data_dir / release.install_path
    victim = root / "app/plugin.py"
    for path in (root, root / "app", victim):
        path.chmod(0o755)
    match harm:
        case "changed":
            victim.write_bytes(victim.read_bytes() + b"#")
        case "extra":
            (root / "app/os.py").write_text("evil")
        case "missing":
            victim.unlink()
        case "link":
            copy = world.top / "same.py"
            copy.write_bytes(victim.read_bytes())
            victim.unlink()
            victim.symlink_to(copy)
        case _:
            (root / "app/empty").mkdir()
    world.host.started.clear()
    await world.restart().start_all()
    assert {spec.plugin_id for spec in world.host.started} == {"other.one"}
    view = await world.desk.view(ID)
    assert (view.status, view.last_error_code) == ("error", "files_changed")
    assert "install the package again" in view.last_error
    assert world.events.names()[-1] == "plugin_start_failed"
    error = await conflict(enable(world))
    assert error.reason == "files_changed"


async def test_a_repaired_release_starts_without_help(world: World) -> None:
    release = await world.enabled()
    victim = world.data_dir / release.install_path / "app/plugin.py"
    content = victim.read_bytes()
    victim.chmod(0o644)
    victim.write_bytes(b"evil")
    desk = world.restart()
    await desk.start_all()
    await desk.retry_errors()
    assert world.events.names().count("plugin_start_failed") == 1
    await desk.install(world.zip(), sha256=None, by="ann", source="api")
    assert victim.read_bytes() == content
    world.host.started.clear()
    looking = asyncio.create_task(desk.run())
    await asyncio.sleep(0)
    world.clock.advance(301)
    await until(lambda: world.host.started)
    await until(lambda: world.row().status is PluginStatus.ENABLED)
    looking.cancel()
    assert (world.row().status, world.row().last_error) == (PluginStatus.ENABLED, "")
    assert world.events.names()[-1] == "plugin_recovered"


async def test_a_host_that_fails_on_one_plugin_does_not_stop_the_others(world: World) -> None:
    await world.enabled()
    await world.enabled(plugin_id="other.one")
    real = world.host.start

    async def start(spec: object) -> None:
        if spec.plugin_id == ID:  # type: ignore[attr-defined]
            raise RuntimeError("bug with a secret in it")
        await real(spec)  # type: ignore[arg-type]

    world.host.start = start  # type: ignore[method-assign]
    world.host.started.clear()
    await world.restart().start_all()
    assert [spec.plugin_id for spec in world.host.started] == ["other.one"]
    assert world.row().last_error_code == "internal"
    assert "secret" not in world.row().last_error


@pytest.mark.parametrize(
    ("here", "code", "words"),
    [
        (HostPlatform("linux-amd64", (3, 10, 2)), "runtime_mismatch", "python>=3.11.*3.10.2"),
        (HostPlatform("linux-riscv64", (3, 11, 7)), "", ""),
    ],
)
async def test_a_runtime_that_does_not_fit_installs_and_does_not_start(
    world: World, here: HostPlatform, code: str, words: str
) -> None:
    world.here = here
    world.restart()
    await world.installed()
    fit = (await world.desk.view(ID)).releases[0].fit
    assert (fit.can_start, fit.code) == (not code, code)
    if code:
        with pytest.raises(Conflict, match=words):
            await enable(world)


def of_a_newer_gateway(world: World) -> None:
    """Let the stored manifest say what this gateway does not know."""
    release = world.table.stored[ID, "1.0.0"]
    manifest = {**release.manifest, "webhook": {"redelivery": "eternal"}}
    newer = msgspec.structs.replace(release, manifest=manifest)
    world.table.stored[ID, "1.0.0"] = newer


async def test_a_manifest_that_only_a_newer_gateway_reads_is_shown_and_does_not_start(
    world: World,
) -> None:
    await world.installed()
    of_a_newer_gateway(world)
    (shown,) = await world.desk.views()
    fit = shown.releases[0].fit
    assert (fit.can_start, fit.code) == (False, "manifest_unreadable")
    assert "/webhook/redelivery" in fit.detail
    assert "update this gateway" in fit.detail
    assert (await conflict(enable(world))).reason == "manifest_unreadable"
    assert world.host.started == []


async def test_what_cannot_be_read_cannot_be_agreed_to(world: World) -> None:
    release = await world.installed(approve=False)
    of_a_newer_gateway(world)
    error = await conflict(world.desk.approve(ID, "1.0.0", release.package_sha256, "bob"))
    assert error.reason == "manifest_unreadable"
    assert not (await world.desk.view(ID)).releases[0].is_approved


async def test_a_package_for_other_platforms_installs_and_does_not_start(world: World) -> None:
    await world.installed(
        Raw("bin/p.exe", b"MZ"), entry={"windows-amd64": "bin/p.exe"}, runtime=...
    )
    error = await conflict(enable(world))
    assert error.reason == "no_entry_for_platform"
    assert "windows-amd64" in error.detail
    assert "linux-amd64" in error.detail


async def test_signature_policy_holds_at_start_too(world: World) -> None:
    await world.enabled()
    world.signature = "enforce"
    world.host.started.clear()
    await world.restart().start_all()
    assert world.host.started == []
    assert world.row().last_error_code == "signature_required"


# --- the running process ----------------------------------------------------------------------------


def broken(world: World, state: RuntimeState, error: str = "") -> None:
    real = world.host.report

    def report(plugin_id: str) -> RuntimeReport | None:
        found = real(plugin_id)  # type: ignore[arg-type]
        return found and msgspec.structs.replace(found, state=state, last_error=error)

    world.host.report = report  # type: ignore[method-assign]


async def test_a_broken_process_is_noted_and_its_recovery_too(world: World) -> None:
    await world.enabled()
    real = world.host.report
    broken(world, RuntimeState.BROKEN, "crashed 6 times in 10 minutes")
    assert (await world.desk.view(ID)).status == "error"
    await world.desk.note_runtime(ID)
    await world.desk.note_runtime(ID)
    row = world.row()
    assert (row.status, row.last_error_code) == (PluginStatus.ERROR, "broken")
    world.builtins[ID] = "fancybot"
    view = await world.desk.view(ID)
    assert (view.serving, view.builtin_id) == ("plugin", "fancybot")  # offered, not taken
    assert row.last_error == "crashed 6 times in 10 minutes"
    started = len(world.host.started)
    await world.desk.retry_errors()
    assert len(world.host.started) == started
    world.host.report = real  # type: ignore[method-assign]
    await world.desk.note_runtime(ID)
    assert world.row().status is PluginStatus.ENABLED


# --- what people see --------------------------------------------------------------------------------


async def test_more_permissions_show_as_a_difference_and_need_a_new_approval(world: World) -> None:
    await world.enabled()
    wide = {"network": ["api.example.com", "*.example.org"], "filesystem": "data"}
    await world.installed(approve=False, version="2.0.0", permissions=wide)
    newest = (await world.desk.view(ID)).releases[0]
    assert [(one.name, one.added, one.removed) for one in newest.changes] == [
        ("network", ("*.example.org",), ()),
        ("filesystem", ("data",), ()),
    ]
    assert not newest.is_approved
    assert (await conflict(enable(world, "2.0.0"))).reason == "not_approved"
    review = await world.desk.review(world.zip(version="3.0.0", permissions=wide))
    assert review.changes == newest.changes
    assert [finding.code for finding in review.findings] == ["network_wildcard"]


async def test_permissions_are_shown_as_not_enforced(world: World) -> None:
    await world.installed()
    view = await world.desk.view(ID)
    assert (view.sandbox_level, view.is_sandbox_enforced) == ("L1", False)
    by_name = {one.name: one for one in view.releases[0].permissions}
    assert not by_name["network"].is_enforced
    assert "not enforced" in by_name["command"].note


async def test_views_encode_as_json(world: World) -> None:
    await world.enabled()
    assert b'"plugin_id":"acme.echo"' in msgspec.json.encode(await world.desk.views())
    assert msgspec.json.encode(await world.desk.review(world.zip()))


async def test_a_plugins_own_frame_size_can_only_raise_the_limit(world: World) -> None:
    await world.enabled(limits={"frame_bytes": 4_325_376, "send_inflight": 8})
    (spec,) = world.host.started
    assert (spec.frame_bytes, spec.send_inflight, spec.parse_inflight) == (4_325_376, 8, 16)
    await world.enabled(version="1.0.1", limits={"frame_bytes": 900_000})
    assert world.host.started[-1].frame_bytes == 1_048_576


async def test_leftovers_that_cannot_be_swept_stop_no_plugin(world: World) -> None:
    await world.enabled()
    world.host.started.clear()
    desk = world.restart()

    async def busy() -> None:
        raise Conflict(reason="install_busy")

    desk._installer.sweep = busy  # type: ignore[method-assign]
    await desk.start_all()
    assert len(world.host.started) == 1


async def test_a_store_that_is_away_ends_neither_start_nor_retry(world: World) -> None:
    await world.enabled()
    world.table.rows[ID] = msgspec.structs.replace(world.row(), status=PluginStatus.ERROR)

    async def away(*_: object) -> None:
        raise StoreUnavailable

    world.table.put_plugin = away  # type: ignore[method-assign, assignment]
    desk = world.restart()
    await desk.start_all()
    looking = asyncio.create_task(desk.run())
    await asyncio.sleep(0)
    world.clock.advance(301)
    await until(lambda: world.clock.sleepers)
    assert not looking.done()
    looking.cancel()


async def test_the_name_of_a_plugin_is_that_of_its_current_version(world: World) -> None:
    await world.enabled()
    await world.enabled(version="1.1.0", name="Louder Echo")
    assert (await world.desk.view(ID)).name == "Louder Echo"
    await world.desk.note_runtime("nobody")


async def test_rollback_goes_to_the_approved_version_before(world: World) -> None:
    await world.enabled()
    await world.installed(approve=False, version="1.1.0")
    await world.enabled(version="1.2.0")
    view = await world.desk.rollback(ID, "ann")
    assert (view.current_version, view.status) == ("1.0.0", "enabled")
    assert world.host.started[-1].version == "1.0.0"
    assert world.events.names()[-1] == "plugin_rolled_back"
    assert {one.version for one in view.releases} == {"1.0.0", "1.1.0", "1.2.0"}


async def test_there_is_no_way_back_from_the_first_version_or_while_nothing_serves(
    world: World,
) -> None:
    await world.enabled()
    assert (await conflict(world.desk.rollback(ID, "ann"))).reason == "nothing_before"
    await world.enabled(version="1.1.0")
    await world.desk.disable(ID, "ann")
    assert (await conflict(world.desk.rollback(ID, "ann"))).reason == "not_serving"


async def test_a_review_says_how_a_package_differs_from_what_serves(world: World) -> None:
    await world.enabled()
    review = await world.desk.review(world.zip(version="0.9.0"))
    assert (review.compared_with, review.step) == ("1.0.0", "downgrade")
    review = await world.desk.review(world.zip(version="1.1.0"))
    assert (review.compared_with, review.step, review.form_changes) == ("1.0.0", "upgrade", ())
