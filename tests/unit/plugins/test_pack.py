import json
import os
import zipfile
from pathlib import Path

import pytest

from tests.unit.plugins.raw_zip import MANIFEST, PLUGIN
from wunder.errors import Invalid, NotFound, PackageRefused
from wunder.plugins.bundle import bundle_builtin
from wunder.plugins.pack import pack
from wunder.plugins.recipe import read_recipe
from wunder.plugins.vendoring import vendor

ROOT = Path(__file__).resolve().parents[3]
CHANNELS = ROOT / "src/wunder_channels"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A plugin's folder, with what does not belong into a package."""
    top = tmp_path / "mine"
    for name, content in {
        "plugin.json": json.dumps(MANIFEST).encode(),
        "README.md": b"# mine",
        "app/plugin.py": PLUGIN,
        "app/tests/test_mine.py": b"",
        "app/__pycache__/plugin.cpython-311.pyc": b"",
        "fixtures/recorded.json": b"{}",
        ".env": b"SECRET=1",
        "app/.git/config": b"",
    }.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(content)
    return top


def test_a_folder_without_recipe_is_packed_without_tests_caches_and_dotfiles(folder: Path) -> None:
    result = pack(folder)
    assert result.names == ("plugin.json", "README.md", "app/plugin.py")
    assert result.file_name == "acme.echo-1.0.0.zip"


def test_the_same_folder_gives_the_same_bytes(folder: Path) -> None:
    first = pack(folder)
    for path in folder.rglob("*"):
        os.utime(path, (1, 1))
    (folder / "README.md").chmod(0o755)
    assert pack(folder).content == first.content
    (folder / "README.md").write_bytes(b"# other")
    assert pack(folder).sha256 != first.sha256


def test_the_zip_is_written_whole_or_not_at_all(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.zip"
    result = pack(folder, out)
    assert out.read_bytes() == result.content
    (folder / "plugin.json").write_text("{}")
    with pytest.raises(PackageRefused):
        pack(folder, out)
    assert out.read_bytes() == result.content
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "out.zip"]


def test_what_a_host_would_refuse_is_refused_when_packing(folder: Path) -> None:
    (folder / "sitecustomize.py").write_text("")
    with pytest.raises(PackageRefused) as caught:
        pack(folder)
    assert caught.value.reason == "python_hook"


def test_links_are_not_followed_into_a_package(folder: Path) -> None:
    (folder / "app/passwd").symlink_to("/etc/passwd")
    with pytest.raises(Invalid, match="is a link"):
        pack(folder)


def test_large_files_that_compress_too_well_are_stored(folder: Path) -> None:
    (folder / "table.bin").write_bytes(bytes(3_000_000))
    result = pack(folder, folder.parent / "out.zip")
    with zipfile.ZipFile(folder.parent / "out.zip") as archive:
        assert archive.getinfo("table.bin").compress_type == zipfile.ZIP_STORED
    assert "table.bin" in result.names


def recipe(folder: Path, text: str) -> Path:
    (folder / "pack.toml").write_text(text)
    return folder


def test_a_recipe_says_what_lies_where(folder: Path) -> None:
    (folder.parent / "shared/tests").mkdir(parents=True)
    (folder.parent / "shared/code.py").write_text("")
    (folder.parent / "shared/draft.txt").write_text("")
    recipe(
        folder,
        'exclude = ["draft.txt"]\n[include]\n"plugin.json" = "plugin.json"\n'
        '"app/plugin.py" = "app/plugin.py"\n"app/shared" = "../shared"\n',
    )
    assert pack(folder).names == ("plugin.json", "app/plugin.py", "app/shared/code.py")


@pytest.mark.parametrize(
    ("text", "pointer"),
    [
        ("include = 3", "/include"),
        ("[include]\na = 1", "/include"),
        ('[include]\n"x" = "nowhere"', "/include/x"),
        ('vendor = "x"\n[include]', "/vendor"),
        ("exclude = [1]\n[include]", "/exclude"),
        ("surprise = 1\n[include]", "/surprise"),
    ],
)
def test_faults_of_a_recipe_are_named(folder: Path, text: str, pointer: str) -> None:
    with pytest.raises(Invalid) as caught:
        pack(recipe(folder, text))
    assert [fault.pointer for fault in caught.value.faults] == [pointer]


def test_two_sources_for_one_path_are_refused(folder: Path) -> None:
    recipe(folder, '[include]\n"app" = "app"\n"app/plugin.py" = "README.md"\n')
    with pytest.raises(Invalid, match="two sources"):
        pack(folder)


@pytest.mark.parametrize("text", ["not = [toml", None])
def test_what_is_no_plugin_folder_is_refused(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        recipe(tmp_path, text)
    with pytest.raises(Invalid):
        pack(tmp_path)


# --- vendoring --------------------------------------------------------------------------------------


def wheel(where: Path, name: str, code: str) -> None:
    where.mkdir(exist_ok=True)
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(where / f"{name}-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}/__init__.py", code)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")


@pytest.mark.process
def test_vendored_requirements_are_taken_by_recorded_hash_only(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pip")
    wheels = tmp_path / "wheels"
    wheel(wheels, "tinylib", "x = 1\n")
    for name, value in (
        ("PIP_NO_INDEX", "1"),
        ("PIP_FIND_LINKS", str(wheels)),
        ("PIP_CONFIG_FILE", os.devnull),
    ):
        monkeypatch.setenv(name, value)
    recipe(
        folder,
        'vendor = ["tinylib==1.0"]\n[include]\n"plugin.json" = "plugin.json"\n"app" = "app"\n',
    )
    first = pack(folder)
    assert "app/vendor/tinylib/__init__.py" in first.names
    assert "tinylib==1.0 --hash=sha256:" in (folder / "vendor.lock").read_text()
    assert pack(folder).content == first.content
    wheel(wheels, "tinylib", "x = 'evil'\n")
    with pytest.raises(Invalid, match=r"(?i)hash"):
        pack(folder)


@pytest.mark.parametrize(
    "wanted", ["tinylib", "tinylib>=1", "--index-url=http://x", "a==1 ; b", "-r x"]
)
def test_requirements_are_exact(folder: Path, wanted: str) -> None:
    recipe(folder, f'vendor = ["{wanted}"]\n[include]\n"plugin.json" = "plugin.json"\n')
    with pytest.raises(Invalid, match="exact"):
        vendor(read_recipe(folder))


# --- built-ins --------------------------------------------------------------------------------------


def builtin_ids() -> list[str]:
    return sorted(
        json.loads(path.read_text())["plugin_id"] for path in CHANNELS.glob("*/plugin.json")
    )


@pytest.mark.parametrize("builtin_id", builtin_ids())
def test_every_builtin_can_be_packed_as_a_plugin(builtin_id: str, tmp_path: Path) -> None:
    out = tmp_path / "b.zip"
    result = bundle_builtin(builtin_id, CHANNELS, out)
    assert result.plugin_id == builtin_id
    assert "+builtin." in result.version
    assert not any("tests" in name.split("/") for name in result.names)
    assert bundle_builtin(builtin_id, CHANNELS).content == result.content
    with zipfile.ZipFile(out) as archive:
        manifest = json.loads(archive.read("plugin.json"))
    assert manifest["entry"] == {"any": "app"}
    assert "serves" not in manifest


def test_other_code_under_the_same_number_is_another_version(tmp_path: Path) -> None:
    channel = tmp_path / "fancy"
    channel.mkdir()
    (channel / "plugin.json").write_text(json.dumps({**MANIFEST, "serves": ["acme.echo"]}))
    (channel / "channel.py").write_text("from wunder_channels.shared.words import A\n")
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/words.py").write_text("A = 1\n")
    first = bundle_builtin("acme.echo", tmp_path)
    assert "app/wunder_channels/shared/words.py" in first.names
    (tmp_path / "shared/words.py").write_text("A = 2\n")
    assert bundle_builtin("acme.echo", tmp_path).version != first.version
    with pytest.raises(NotFound):
        bundle_builtin("nobody", tmp_path)
    (channel / "channel.py").write_text("import wunder_channels.gone\n")
    with pytest.raises(Invalid, match="gone"):
        bundle_builtin("acme.echo", tmp_path)


def test_every_project_in_plugins_can_be_packed() -> None:
    projects = sorted(path.parent for path in (ROOT / "plugins").glob("*/plugin.json"))
    assert projects
    for project in projects:
        assert pack(project).content == pack(project).content
