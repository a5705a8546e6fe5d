"""The home: one system at a time, secrets made once, and found again by the other commands."""

import base64
import socket
import stat
from pathlib import Path

import pytest

from services.operator.home import Home, RunningSystem
from services.operator.machine import Machine
from services.operator.settings import operator_settings
from shared.clock import Clock
from shared.refusals import Conflict, Refusal


def test_secrets_are_made_once_and_for_the_owner_alone(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    made = home.secrets()
    assert home.secrets() == made
    assert stat.S_IMODE((home.root / "secrets.json").stat().st_mode) == 0o600
    assert len(base64.b64decode(made.master_key)) == 32


def test_two_homes_share_no_secret(tmp_path: Path) -> None:
    one, other = Home(tmp_path / "one").secrets(), Home(tmp_path / "other").secrets()
    assert one.master_key != other.master_key
    assert not {*one.nats_passwords.values()} & {*other.nats_passwords.values()}


def test_a_damaged_secrets_file_is_refused_by_name_and_kept(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text("{")
    with pytest.raises(Refusal, match=r"secrets\.json cannot be read"):
        Home(tmp_path).secrets()
    assert (tmp_path / "secrets.json").read_text() == "{"


def test_a_second_system_in_the_same_home_is_refused(tmp_path: Path) -> None:
    with Home(tmp_path).locked(), pytest.raises(Conflict, match="already running in"), Home(tmp_path).locked():
        pass
    with Home(tmp_path).locked():
        pass


def test_a_system_is_found_only_while_it_listens(tmp_path: Path) -> None:
    home, path = Home(tmp_path), f"{tmp_path}/control"
    assert home.running() is None
    system = RunningSystem(port_base=9000, control=path, addresses={})
    home.announce(system)
    assert home.running() is None, "left behind by a system that was killed"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        assert home.running() == system
        assert operator_settings({"DAYBOOK_HOME": str(tmp_path)}).urls["booking"] == "http://127.0.0.1:9001"
    home.withdraw()
    assert home.running() is None


def test_a_port_in_use_is_refused_by_number_with_the_way_out(tmp_path: Path) -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        port = squatter.getsockname()[1]
        settings = operator_settings({"DAYBOOK_HOME": str(tmp_path), "DAYBOOK_PORT_BASE": str(port - 1)})
        with pytest.raises(Conflict, match=rf"port {port}, meant for booking, is in use.*DAYBOOK_PORT_BASE"):
            Machine(settings, Clock()).refuse_ports_in_use()
