"""One forward pass as the batcher planned it: evaluated by llama.cpp, and its outputs shown to whom they concern."""

from collections.abc import Mapping

from node.model.batch.jobs import Drawn
from node.model.batch.plan import Copy, Cut, Forget, Plan, Purpose
from node.model.errors import ModelError, ModelFailed
from node.model.llamacpp.context import Context, NoRoom
from node.model.serving.task import Part, Task


def evaluate(plan: Plan, context: Context) -> None:
    """Raises ModelFailed; what the sequences of the plan hold is then unknown."""
    for operation in plan.operations:
        match operation:
            case Copy(source, target, until):
                context.copy(source, target, until)
            case Cut(sequence, start):
                if not context.cut(sequence, start):
                    raise ModelFailed("llama.cpp cannot forget the end of a sequence")
            case Forget(sequence):
                context.forget(sequence)
    assert isinstance(plan.adapters, tuple), "as they were submitted"
    context.apply(plan.adapters)
    try:
        context.decode(plan.tokens, plan.positions, plan.sequences, plan.outputs)
    except NoRoom:
        raise ModelFailed("llama.cpp finds no room for what was promised to fit") from None


def look_at(plan: Plan, jobs: Mapping[int, tuple[Task, Part]]) -> tuple[list[Drawn], list[Task]]:
    """Draw and read what is wanted. Returns what was drawn, and the tasks in which that failed."""
    drawn: list[Drawn] = []
    broken: dict[int, Task] = {}
    for wanted in plan.wanted:
        task, part = jobs[wanted.job_id]
        watcher = part.watchers[wanted.branch]
        purpose = wanted.purpose
        if purpose is Purpose.DRAW:
            try:
                drawn.append(watcher.draw(wanted.index))
            except ModelError as error:
                drawn.append(Drawn(0, True))
                task.error = error
                broken[task.number] = task
        elif purpose is Purpose.READ:
            watcher.read(wanted.index, wanted.token)
        elif purpose is Purpose.END:
            watcher.end(wanted.index)
        else:
            watcher.look(wanted.index)
    return drawn, list(broken.values())
