"""Plugins: installed, reviewed, approved, enabled, removed (row N2b)."""

from collections.abc import Collection
from typing import Literal

import msgspec
from litestar import Response, delete, get, post
from litestar.params import FromPath, JSONBody

from wunder.api.admin_request import AdminRequest
from wunder.api.upload import OVERHEAD_BYTES, received
from wunder.model.ids import PluginId
from wunder.model.runtime import RuntimeReport
from wunder.plugins.views import PluginView, Review
from wunder.ports import Page

PATH = "/wunder/admin/channel_plugins"
TAGS = ["Plugins"]
#: What ApiPolicy.package_bytes may be raised to; the policy's own limit is kept while streaming.
MAX_UPLOAD_BYTES = 256 * 1_048_576 + OVERHEAD_BYTES


class UploadQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`dry_run`: review only."""

    dry_run: bool = False


class Approve(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which package is approved: version and hash, as the review showed them."""

    version: str
    sha256: str


class Enable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`version` absent: the current one, else the newest approved.

    `confirm` is the plugin id, typed, to take over from a live built-in.
    """

    version: str | None = None
    confirm: str | None = None


class ChooseSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who serves this provider id: the plugin, or the built-in that can stand in for it."""

    source: Literal["builtin", "plugin"]


class Uploaded(msgspec.Struct, frozen=True):
    """A package is installed; it runs once it is approved and enabled."""

    plugin_id: str
    version: str
    package_sha256: str
    plugin: PluginView


class RemovedVersion(msgspec.Struct, frozen=True):
    """`is_uninstalled`: it was the last version; accounts, bindings and messages stay."""

    is_uninstalled: bool


class Runtime(msgspec.Struct, frozen=True):
    """The plugin's process on each node; empty where it does not run."""

    nodes: tuple[RuntimeReport, ...]


class Logs(msgspec.Struct, frozen=True):
    """The last lines that the plugin wrote to stderr, oldest first. Plain text: never render it."""

    lines: tuple[str, ...]


@get(PATH, operation_id="list_plugins", tags=TAGS, summary="List the plugins")
async def list_plugins(request: AdminRequest) -> Page[PluginView]:
    """Every plugin with its versions, status, health, sandbox level and last error."""
    shown = await request.parts.visibility.visible()
    return Page(tuple(_seen(view, shown) for view in await request.parts.plugins.views()))


@get(f"{PATH}/{{plugin_id:str}}", operation_id="get_plugin", tags=TAGS, summary="Show a plugin")
async def get_plugin(plugin_id: FromPath[str], request: AdminRequest) -> PluginView:
    """One plugin."""
    return await _shown(await request.parts.plugins.view(plugin_id), request)


@post(
    f"{PATH}/upload",
    operation_id="upload_plugin",
    tags=TAGS,
    summary="Install or review a package",
    request_max_body_size=MAX_UPLOAD_BYTES,
    opt={
        "query": UploadQuery,
        "form": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {
                    "file": {"type": "string", "contentMediaType": "application/zip"},
                    "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                },
            }
        },
    },
)
async def upload_plugin(request: AdminRequest) -> Response[Uploaded | Review]:
    """Install a plugin package (multipart `file`, optional `sha256`).

    `dry_run` returns the review (manifest, checks, permission differences, signature) and installs
    nothing.
    """
    is_review = request.read_query(UploadQuery).dry_run
    async with received(request) as upload:
        if is_review:
            review = await request.parts.plugins.review(
                upload.path, upload.fields.get("sha256") or None
            )
            return Response(review, status_code=200)
        release = await request.parts.plugins.install(
            upload.path,
            sha256=upload.fields.get("sha256") or None,
            by=request.by,
            source="api",
        )
    view = await _shown(await request.parts.plugins.view(release.plugin_id), request)
    installed = Uploaded(release.plugin_id, release.version, release.package_sha256, view)
    return Response(installed, status_code=201)


@post(
    f"{PATH}/{{plugin_id:str}}/approve",
    operation_id="approve_plugin",
    tags=TAGS,
    summary="Approve a package and its permissions",
    status_code=200,
)
async def approve_plugin(
    plugin_id: FromPath[str], data: JSONBody[Approve], request: AdminRequest
) -> PluginView:
    """Record that somebody agrees to exactly this package (rule 14)."""
    await request.parts.plugins.approve(plugin_id, data.version, data.sha256, request.by)
    return await _shown(await request.parts.plugins.view(plugin_id), request)


@post(
    f"{PATH}/{{plugin_id:str}}/enable",
    operation_id="enable_plugin",
    tags=TAGS,
    summary="Enable a plugin, or switch its version",
    status_code=200,
)
async def enable_plugin(
    plugin_id: FromPath[str], request: AdminRequest, data: JSONBody[Enable | None] = None
) -> PluginView:
    """Make a release the running one, after a preflight start.

    Over a live built-in: 409 with the impact until `confirm` is the plugin id.
    """
    wanted = data or Enable()
    view = await request.parts.plugins.enable(
        plugin_id, version=wanted.version, confirm=wanted.confirm, by=request.by
    )
    return await _shown(view, request)


@post(
    f"{PATH}/{{plugin_id:str}}/disable",
    operation_id="disable_plugin",
    tags=TAGS,
    summary="Disable a plugin",
    status_code=200,
)
async def disable_plugin(plugin_id: FromPath[str], request: AdminRequest) -> PluginView:
    """Drain and stop it; webhooks get 503 or the built-in that serves its id, deliveries wait."""
    view = await request.parts.plugins.disable(plugin_id, request.by)
    return await _shown(view, request)


@post(
    f"{PATH}/{{plugin_id:str}}/rollback",
    operation_id="roll_back_plugin",
    tags=TAGS,
    summary="Go back to the version before",
    status_code=200,
)
async def roll_back(plugin_id: FromPath[str], request: AdminRequest) -> PluginView:
    """Switch to the newest approved version older than the current one; 409 where there is none."""
    view = await request.parts.plugins.rollback(plugin_id, request.by)
    return await _shown(view, request)


@post(
    f"{PATH}/{{plugin_id:str}}/source",
    operation_id="choose_source",
    tags=TAGS,
    summary="Switch between plugin and built-in",
    status_code=200,
)
async def choose_source(
    plugin_id: FromPath[str], data: JSONBody[ChooseSource], request: AdminRequest
) -> PluginView:
    """One click back to the built-in, or to the plugin again; accounts and bindings stay."""
    view = await request.parts.plugins.set_source(plugin_id, data.source, request.by)
    return await _shown(view, request)


@delete(
    f"{PATH}/{{plugin_id:str}}/{{version:str}}",
    operation_id="remove_plugin_version",
    tags=TAGS,
    summary="Delete an installed version",
    status_code=200,
)
async def remove_version(
    plugin_id: FromPath[str], version: FromPath[str], request: AdminRequest
) -> RemovedVersion:
    """Delete one version; the last one uninstalls the plugin. The one that serves: 409."""
    return RemovedVersion(await request.parts.plugins.remove(plugin_id, version, request.by))


@get(
    f"{PATH}/{{plugin_id:str}}/runtime",
    operation_id="get_plugin_runtime",
    tags=TAGS,
    summary="Show a plugin's process",
)
async def get_runtime(plugin_id: FromPath[str], request: AdminRequest) -> Runtime:
    """State, restarts, latencies by method, error codes, memory, breakers, last exit."""
    view = await request.parts.plugins.view(plugin_id)
    report = request.parts.plugin_host.report(PluginId(view.plugin_id))
    return Runtime((report,) if report else ())


@get(
    f"{PATH}/{{plugin_id:str}}/logs",
    operation_id="get_plugin_logs",
    tags=TAGS,
    summary="Show what a plugin wrote to stderr",
)
async def get_logs(plugin_id: FromPath[str], request: AdminRequest) -> Logs:
    """The last lines, kept in memory since the gateway started."""
    view = await request.parts.plugins.view(plugin_id)
    return Logs(tuple(request.parts.plugin_host.stderr(PluginId(view.plugin_id))))


async def _shown(view: PluginView, request: AdminRequest) -> PluginView:
    return _seen(view, await request.parts.visibility.visible())


def _seen(view: PluginView, shown: Collection[str]) -> PluginView:
    """Say whether users see the plugin's channel, which its row does not know."""
    return msgspec.structs.replace(view, is_user_visible=view.plugin_id in shown)


HANDLERS = (
    list_plugins,
    get_plugin,
    upload_plugin,
    approve_plugin,
    enable_plugin,
    disable_plugin,
    roll_back,
    choose_source,
    remove_version,
    get_runtime,
    get_logs,
)
