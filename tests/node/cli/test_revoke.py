"""`moot revoke`: one's own key only after a yes, others' with a word on who heeds it; and how members then look."""

import json
import sys
from typing import Any

import pytest
import typer

from node.errors import Exit
from node.revoke_desk import NotRevocable
from tests.node.cli.conftest import made_revocation, member


def test_others_are_named_and_who_heeds_it_is_said(moot: Any, running: Any) -> None:
    ran = moot("revoke", "bea", "--reason", "stolen")
    assert ran.code == Exit.OK
    assert [line.split() for line in ran.out.splitlines()] == [["revoked", "reason", "id"], ["bea", "stolen", "626561"]]
    assert "only nodes whose settings name this node under [membership] revokers" in ran.err
    assert running.api.asked == [(["bea"], "stolen")]


def test_the_own_key_needs_a_yes(moot: Any, running: Any) -> None:
    """Without a terminal nobody can be asked, and nothing is sent."""
    assert moot("revoke", "--reason", "stolen").code == Exit.USAGE
    assert running.api.asked == []
    ran = moot("revoke", "--reason", "stolen", "--yes")
    assert ran.code == Exit.OK
    assert "ada's key is revoked: whoever hears of it listens to this node no more" in ran.err
    assert "takes part in nothing" in ran.err
    assert running.api.asked == [([], "stolen")]


@pytest.mark.parametrize("agreed", [True, False])
def test_a_person_is_asked(moot: Any, running: Any, monkeypatch: pytest.MonkeyPatch, agreed: bool) -> None:
    def confirm(text: str, *, abort: bool, err: bool) -> None:
        if not agreed:
            raise typer.Abort

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(typer, "confirm", confirm)
    ran = moot("revoke", "--reason", "stolen")
    assert (ran.code == Exit.OK) is agreed
    assert "this revokes ada's own key: from then on nobody listens to this node" in ran.err
    assert running.api.asked == ([([], "stolen")] if agreed else [])


def test_whom_the_list_no_longer_names_is_said(moot: Any, running: Any) -> None:
    running.api.revocation = made_revocation("ada", dropped=made_revocation("bea")["revoked"])
    assert "let another revoker revoke again: bea" in moot("revoke", "--reason", "stolen", "--yes").err


def test_json_is_the_report(moot: Any, running: Any) -> None:
    ran = moot("revoke", "bea", "--reason", "stolen", "--json")
    assert json.loads(ran.out) == made_revocation("bea")
    assert ran.err == ""


def test_refusals(moot: Any, running: Any) -> None:
    assert moot("revoke", "bea").code == Exit.USAGE, "a reason is asked for"
    running.api.refusal = NotRevocable("'zoe' is no member's name")
    ran = moot("revoke", "zoe", "--reason", "stolen")
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    assert "'zoe' is no member's name" in ran.err
    running.stop_server()
    assert moot("revoke", "bea", "--reason", "stolen").code == Exit.NODE_DOWN


def test_members_that_are_revoked_or_speak_another_protocol(moot: Any, running: Any) -> None:
    table = [member("bea", "revoked", compatible=None), member("cleo", compatible=False)]
    running.api.members = lambda: table
    lines = moot("members").out.splitlines()
    assert "revoked" in lines[1]
    assert "alive, other protocol" in lines[2]
    reports = [json.loads(line) for line in moot("members", "--json").out.splitlines()]
    assert [(one["status"], one["compatible"]) for one in reports] == [("revoked", None), ("alive", False)]
