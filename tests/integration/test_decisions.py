"""Five separate nodes find each other, decide, and prove it to a process that knows none of them."""

import json
from pathlib import Path

import pytest

from node.errors import Exit
from tests.integration.moots import LocalMoot, Ran, common, model_pid, resident_kib, run_moot


def verify(five: LocalMoot, certificate: bytes, file: Path) -> Ran:
    file.write_bytes(certificate)
    return run_moot("verify", str(file), "--genesis", str(five.genesis_file))


def test_every_member_takes_part_and_every_node_reports_the_same(five: LocalMoot) -> None:
    ran = run_moot("ask", "What is 17 plus 25?", "--kind", "number", "--json", "--home", str(five.home("sage")))
    assert ran.returncode == Exit.OK, ran.stderr
    said = json.loads(ran.stdout)
    five.decided(said["id"])
    reports = [common(five.client(name).decision(said["id"])) for name in five.names]
    assert reports == [common(said)] * 5
    assert [member["state"] for member in said["members"]] == ["answered"] * 5
    passes = [member["cost"]["forward_passes"] for member in said["members"]]
    assert min(passes) > 0
    assert said["cost"]["forward_passes"] == sum(passes)
    assert len(said["signers"]) >= 4


@pytest.mark.parametrize(
    ("arguments", "answers"),
    [
        pytest.param(["Which is larger, 3 or 8?", "-o", "3", "-o", "8"], {"3", "8"}, id="choice"),
        pytest.param(["Reverse the word stone.", "--kind", "short"], None, id="short"),
        pytest.param(["What is 2 plus 2?", "--kind", "number", "--tally", "plurality"], None, id="number, plurality"),
    ],
)
def test_each_kind_is_answered(five: LocalMoot, arguments: list[str], answers: set[str] | None) -> None:
    ran = run_moot("ask", *arguments, "--home", str(five.home("abacus")))
    assert ran.returncode == Exit.OK, ran.stderr
    answer = ran.stdout.removesuffix("\n")
    assert answer
    assert "\n" not in answer
    assert answers is None or answer in answers


def test_questions_put_to_all_nodes_at_once_are_all_decided(five: LocalMoot) -> None:
    asked = [five.ask(name, f"What is {n} plus {n}?") for n in range(1, 7) for name in five.names]
    assert len(set(asked)) == 30
    slots = {five.decided(question)["slot"] for question in asked}
    assert len(slots) < 30, "a slot decides whatever is ready"


def test_the_certificate_of_any_node_stands_alone(five: LocalMoot, tmp_path: Path) -> None:
    question = five.ask("sorter", "What day follows Monday?")
    decision = five.decided(question)
    for name in five.names:
        ran = verify(five, five.client(name).certificate(question), tmp_path / f"{name}.json")
        assert (ran.returncode, ran.stdout) == (Exit.OK, f"{decision['answer']}\n"), ran.stderr


def test_a_flipped_byte_is_refused(five: LocalMoot, tmp_path: Path) -> None:
    """Every part of a certificate has its own code; where in a part does not matter."""
    question = five.ask("scribe", "What is the opposite of cold?")
    five.decided(question)
    certificate = five.client("scribe").certificate(question)
    document = json.loads(certificate)
    signature = document["statements"][0]["signature"].encode()
    at = certificate.index(signature)
    flipped = bytearray(certificate)
    flipped[at] = ord("0") if flipped[at] != ord("0") else ord("1")
    ran = verify(five, bytes(flipped), tmp_path / "signature.json")
    assert (ran.returncode, ran.stdout) == (Exit.BAD_SIGNATURE, "")
    torn = verify(five, certificate[: len(certificate) // 2], tmp_path / "torn.json")
    assert torn.returncode == Exit.NOT_A_CERTIFICATE


def test_a_node_is_small(five: LocalMoot) -> None:
    """Both processes of it; most is the interpreter and the libraries, not what a moot needs."""
    for name in five.names:
        assert resident_kib(five.pids[name]) < 120 * 1024
        assert resident_kib(model_pid(five.home(name))) < 110 * 1024
