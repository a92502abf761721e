"""A run that ended is found again by the same request, and by no other."""

from __future__ import annotations

from pathlib import Path

from deepresearch.sandbox import Reason, SandboxRequest, SandboxResult, Status
from deepresearch.sandbox.contract import Output
from deepresearch.session.run_journal import RunJournal


def _request(script: str = "print(1)", run_id: str = "s1-M-S1") -> SandboxRequest:
    return SandboxRequest(script=script, files={"data.csv": b"a,b\n"}, run_id=run_id)


def _result(reason: Reason = Reason.OK) -> SandboxResult:
    output = Output(path="figure.png", media_type="image/png", size=4, sha256="0" * 64, content=b"\x89PNG")
    status = Status.SUCCESS if reason is Reason.OK else Status.FAILURE
    return SandboxResult(
        run_id="s1-M-S1",
        backend="bubblewrap",
        status=status,
        reason=reason,
        stdout="1\n",
        outputs=(output,),
        message="m",
    )


async def test_a_run_is_made_once(tmp_path: Path) -> None:
    made: list[str] = []

    async def sandbox(request: SandboxRequest) -> SandboxResult:
        made.append(request.script)
        return _result()

    first = await RunJournal(tmp_path / "runs").through(sandbox)(_request())
    # Another process, after a kill.
    journal = RunJournal(tmp_path / "runs")
    again = await journal.through(sandbox)(_request())
    assert again == first
    assert again.outputs[0].content == b"\x89PNG"
    assert again.message == "m"
    await journal.through(sandbox)(_request(script="print(2)"))
    assert made == ["print(1)", "print(2)"], "another script under the same id is another run"
    journal.forget_session("s1")
    assert not list((tmp_path / "runs").iterdir())


async def test_what_is_broken_or_was_not_run_is_not_used(tmp_path: Path) -> None:
    journal = RunJournal(tmp_path)
    journal.put(_request(), _result(Reason.UNAVAILABLE))
    assert journal.get(_request()) is None
    journal.put(_request(), _result())
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes()[:40])
    assert journal.get(_request()) is None
    kept.write_text("[]")
    assert journal.get(_request()) is None
    strange = _request(run_id="s1")
    assert journal.get(strange) is None


def test_a_folder_that_refuses_costs_the_shortcut_only(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    journal = RunJournal(tmp_path / "file" / "runs")
    journal.put(_request(), _result())
    assert journal.get(_request()) is None
    journal.forget_session("s1")
