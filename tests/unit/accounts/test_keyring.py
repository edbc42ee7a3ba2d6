"""The key of a data directory: made once, kept private, never replaced."""

import stat

import pytest

from tests.fakes.key_check import FakeKeyCheck
from wunder.accounts.keyring import CREDENTIAL, KEY_FILE, Keyring, open_keyring
from wunder.errors import ConfigInvalid, StoreBroken


async def open_at(data_dir, check, *, holds_ciphertext=False, credentials_dir=None):
    return await open_keyring(
        data_dir, check, holds_ciphertext=holds_ciphertext, credentials_dir=credentials_dir
    )


async def test_a_new_data_dir_gets_a_key_that_opens_again(tmp_path):
    check = FakeKeyCheck()
    sealed = (await open_at(tmp_path, check)).seal(b"secret", "a")
    again = await open_at(tmp_path, check, holds_ciphertext=True)
    assert again.open(sealed, "a") == b"secret"


async def test_rule_8_the_key_file_is_private_and_nothing_else_is_left(tmp_path):
    await open_at(tmp_path, FakeKeyCheck())
    place = tmp_path / KEY_FILE
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    assert list(place.parent.iterdir()) == [place]


@pytest.mark.parametrize(("value", "holds"), [(b"x" * 32, False), (None, True)])
async def test_rule_8_no_key_is_made_where_ciphertext_exists(tmp_path, value, holds):
    with pytest.raises(ConfigInvalid, match="put the key back"):
        await open_at(tmp_path, FakeKeyCheck(value), holds_ciphertext=holds)
    assert not (tmp_path / KEY_FILE).exists()


async def test_rule_8_a_key_that_does_not_match_refuses_to_start(tmp_path):
    check = FakeKeyCheck()
    await open_at(tmp_path / "one", check)
    await open_at(tmp_path / "two", FakeKeyCheck())
    with pytest.raises(ConfigInvalid, match="is not the one that sealed"):
        await open_at(tmp_path / "two", check)


async def test_rule_8_a_key_that_others_may_read_refuses_to_start(tmp_path):
    check = FakeKeyCheck()
    await open_at(tmp_path, check)
    (tmp_path / KEY_FILE).chmod(0o640)
    with pytest.raises(ConfigInvalid, match="chmod 600"):
        await open_at(tmp_path, check)


async def test_a_damaged_key_is_named_and_left_alone(tmp_path):
    check = FakeKeyCheck()
    await open_at(tmp_path, check)
    (tmp_path / KEY_FILE).write_text("short")
    with pytest.raises(ConfigInvalid, match="damaged"):
        await open_at(tmp_path, check)
    assert (tmp_path / KEY_FILE).read_text() == "short"


async def test_a_systemd_credential_goes_first(tmp_path):
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / CREDENTIAL).write_text("ab" * 32 + "\n")
    keyring = await open_at(tmp_path, FakeKeyCheck(), credentials_dir=credentials)
    assert keyring.check_value() == Keyring(b"\xab" * 32).check_value()
    assert not (tmp_path / KEY_FILE).exists()


async def test_a_credentials_dir_without_our_key_changes_nothing(tmp_path):
    await open_at(tmp_path, FakeKeyCheck(), credentials_dir=tmp_path)
    assert (tmp_path / KEY_FILE).exists()


def test_the_check_value_tells_nothing_about_the_key():
    key = bytes(range(32))
    assert key not in Keyring(key).check_value()
    assert repr(Keyring(key)) == "Keyring(***)"


def test_another_key_opens_nothing():
    sealed = Keyring(b"a" * 32).seal(b"secret", "a")
    with pytest.raises(StoreBroken):
        Keyring(b"b" * 32).open(sealed, "a")


def test_rule_18_audit_shows_that_a_secret_changed_and_not_what_it_is():
    keyring = Keyring(b"a" * 32)
    assert keyring.hmac8("s") == keyring.hmac8("s") != keyring.hmac8("t")
    assert keyring.hmac8("s") != Keyring(b"b" * 32).hmac8("s")
    assert len(keyring.hmac8("s")) == 8


async def test_a_key_that_cannot_be_read_is_named(tmp_path):
    # A directory stands for a file of another user: root, who may run this, reads every file.
    (tmp_path / "credentials" / CREDENTIAL).mkdir(parents=True)
    with pytest.raises(ConfigInvalid, match=r"wunder-master-key cannot be read: Is a directory"):
        await open_at(tmp_path, FakeKeyCheck(), credentials_dir=tmp_path / "credentials")
