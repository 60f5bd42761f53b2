import stat
import time
from pathlib import Path

import pytest
from salon_client.run.apps import DEMO_APP, ensure_keys
from salon_client.run.lock import lock_directory
from salon_common.errors import SalonError
from salon_common.tokens import AppRegistry, SessionTokens, verify_app_token


def test_keys_are_made_once_and_fit_together(tmp_path: Path) -> None:
    keys = ensure_keys(tmp_path / "keys")
    made = keys.app_key.read_text(), keys.apps.read_text(), keys.session_key.read_text()
    assert ensure_keys(tmp_path / "keys") == keys
    assert (keys.app_key.read_text(), keys.apps.read_text(), keys.session_key.read_text()) == made
    user = verify_app_token(AppRegistry.load(keys.apps), keys.app_token("Ada"), time.time())
    assert (user.app.id, user.name) == (DEMO_APP, "Ada")
    SessionTokens.load(keys.session_key)


def test_private_keys_are_for_their_owner_alone(tmp_path: Path) -> None:
    keys = ensure_keys(tmp_path)
    for path in (keys.app_key, keys.session_key, keys.link_key, *keys.nats.values()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_every_token_is_of_a_new_user(tmp_path: Path) -> None:
    keys = ensure_keys(tmp_path)
    registry = AppRegistry.load(keys.apps)
    users = {verify_app_token(registry, keys.app_token("Ada"), time.time()).subject for _ in range(3)}
    assert len(users) == 3


def test_one_run_a_directory(tmp_path: Path) -> None:
    held = lock_directory(tmp_path)
    with pytest.raises(SalonError, match="another run uses"):
        lock_directory(tmp_path)
    held.close()
    lock_directory(tmp_path).close()
