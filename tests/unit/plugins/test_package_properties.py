import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.plugins.raw_zip import Archive, Raw, good_zip
from wunder.errors import PackageRefused
from wunder.plugins.folders import PluginFolders
from wunder.plugins.package import open_package
from wunder.plugins.verify import differences

SHA = "0" * 64
odd_text = st.one_of(
    st.text(st.sampled_from("./\\:~ ab\0\n\u202e\u00e9e\u0301"), max_size=12),
    st.text(max_size=20),
    st.sampled_from(["../x", "/x", "..", "a/../b", "app/plugin.py", "plugin.json", "CON", "a "]),
)
entries = st.builds(
    Raw,
    name=st.one_of(odd_text, st.binary(max_size=12)),
    content=st.binary(max_size=64),
    method=st.sampled_from([0, 8, 8, 8, 12]),
    flags=st.sampled_from([None, None, None, 0, 1, 8, 0x800]),
    attributes=st.sampled_from([0o100644 << 16, 0, 0o120777 << 16, 0o40755 << 16, 0x10]),
    extra=st.binary(max_size=8),
    descriptor=st.one_of(st.none(), st.binary(max_size=16)),
)


def place_or_refuse(content: bytes) -> None:
    """Whatever comes: nothing outside the target, and no error but a refusal."""
    with tempfile.TemporaryDirectory() as top:
        root = Path(top) / "data"
        root.mkdir()
        folders = PluginFolders(root)
        folders.prepare()
        zip_path = Path(top) / "p.zip"
        zip_path.write_bytes(content)
        where = folders.install_path("acme.echo", "1.0.0", SHA)
        target = folders.release_dir(where)
        try:
            with open_package(zip_path) as package:
                files = folders.place(package, where, ())
        except PackageRefused:
            assert not target.exists()
        else:
            assert differences(target, files) == []
        strays = [
            path
            for path in Path(top).rglob("*")
            if path.is_file() and path != zip_path and not path.is_relative_to(target)
        ]
        assert strays == []


@settings(max_examples=150, deadline=None)
@given(st.lists(entries, max_size=4))
def test_no_entry_gets_out_of_its_folder(raws: list[Raw]) -> None:
    place_or_refuse(Archive(raws).build())


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
def test_noise_is_refused(noise: bytes) -> None:
    place_or_refuse(noise)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_package_is_refused_or_whole(data: st.DataObject) -> None:
    whole = bytearray(good_zip())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    place_or_refuse(bytes(whole))
