"""How reports read: spreads of samples, costs, times and decisions in the same words everywhere."""

from collections.abc import Sequence

from rich.text import Text

from node.api import AskEvent, CostReport, DecisionReport, StatusReport
from node.cli.terminal import print_table

ID_LENGTH = 12
"""Characters of a question's id that are shown: short enough to type, long enough to stay unique."""

CLIP_LENGTH = 24
FOLLOWS = "not in it: follows, and neither asks nor votes; see moot roster"
"""Of a node that sits in no seat of the roster."""
SHOWN_MAX = 5
"""Of candidates in a line; the rest is counted. JSON holds them all."""

STATUS_STYLES = {
    "alive": "green",
    "suspect": "yellow",
    "dead": "red",
    "left": "dim",
    "unknown": "dim",
    "revoked": "red",
    "decided": "green",
    "open": "yellow",
    "no_quorum": "red",
}


def short_id(question: str) -> str:
    return question[:ID_LENGTH]


def plural(number: int, noun: str, nouns: str | None = None) -> str:
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"


def clip(answer: str) -> str:
    """An answer that stands beside others, cut to what a line can hold."""
    return answer if len(answer) <= CLIP_LENGTH else f"{answer[: CLIP_LENGTH - 1]}…"


def spread(counts: Sequence[tuple[str, int]]) -> str:
    """Points or samples by answer: `42 ×4  41 ×1`."""
    shown = [f"{clip(answer)} ×{count}" for answer, count in counts[:SHOWN_MAX]]
    return "  ".join([*shown, f"and {len(counts) - SHOWN_MAX} more"] if len(counts) > SHOWN_MAX else shown)


def milliseconds(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value / 1000:.1f} s" if value >= 10_000 else f"{value:.0f} ms"


def duration(ms: int) -> str:
    """For people, in the two largest units."""
    seconds = ms // 1000
    days, hours, minutes = seconds // 86_400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds % 60} s" if minutes else f"{seconds} s"


def cost_line(cost: CostReport) -> str:
    return (
        f"{plural(cost['forward_passes'], 'forward pass', 'forward passes')}, "
        f"{cost['prompt_tokens']:,} tokens in, {cost['generated_tokens']:,} out, "
        f"{milliseconds(cost['model_ms'])} of model time"
    )


def time_line(decision: DecisionReport) -> str:
    """Empty where this node did not see the question happen."""
    if decision["model_ms"] is None or decision["protocol_ms"] is None:
        return ""
    return f"{milliseconds(decision['model_ms'])} to answer, {milliseconds(decision['protocol_ms'])} to vote and prove"


def scores_line(decision: DecisionReport) -> str:
    """Points of the leading candidates, the winner first; a tie is said in words."""
    return tally_line(decision["scores"], decision["tied"])


def tally_line(scores: Sequence[tuple[str, int]], tied: Sequence[str]) -> str:
    """As `scores_line`, for whoever holds no report."""
    if len(tied) < 2:
        return spread(scores)
    among = " and ".join(map(clip, tied)) if len(tied) <= 3 else plural(len(tied), "candidate")
    return f"{spread(scores)}; tie of {among} broken by digest"


def event_line(event: AskEvent, name_width: int) -> Text | None:
    """One line on what just happened to a question, or None when its end says it better."""
    name = event.get("member", "").ljust(name_width)
    counts = event.get("counts", [])
    match event["event"]:
        case "asked":
            note = event.get("note", "")
            return Text.assemble(("question ", "dim"), short_id(event["id"]), (f"\n{note}" if note else "", "yellow"))
        case "alone":
            return Text(f"{event.get('note', '')}. --together asks all.", style="yellow")
        case "together":
            return Text(event.get("note", ""), style="yellow")
        case "proposed" if (answer := event.get("answer")) is not None:
            support = f"{counts[0][1] if counts else 0} of {event.get('samples', 0)}"
            return Text.assemble("  ", (name, "cyan"), ("  proposes  ", "dim"), answer, (f"  {support}", "dim"))
        case "proposed":
            return Text.assemble("  ", (name, "cyan"), ("  abstains", "dim"))
        case "preferred":
            return Text.assemble("  ", (name, "cyan"), ("  prefers   ", "dim"), spread(counts) or "nothing")
        case "ready":
            return Text("  the members vote", style="dim")
        case _:
            return None


def decision_lines(decision: DecisionReport) -> list[Text]:
    """What stands behind an answer, in a few lines of talk."""
    question = short_id(decision["id"])
    if decision["state"] == "open":
        return [Text.assemble(("still open", "yellow"), f"; follow it: moot follow {question}")]
    if decision["state"] == "no_quorum":
        return [Text.assemble((decision["reason"] or "no quorum", "red"))]
    lines = [Text.assemble(("decided ", "green"), scores_line(decision))]
    members = f"{decision['answered']} of {len(decision['members'])} members answered"
    if decision["slot"] is not None:
        members += f"; slot {decision['slot']}"
    if decision["signers"]:
        members += f", signed by {', '.join(decision['signers'])}"
    lines.append(Text(members, style="dim"))
    lines += [Text(part, style="dim") for part in (time_line(decision), cost_line(decision["cost"])) if part]
    return lines


def question_lines(decision: DecisionReport) -> list[Text]:
    kind = f"{decision['kind']} of {', '.join(decision['options'])}" if decision["options"] else decision["kind"]
    about = f"{decision['id']}  {kind}; asked by {decision['asked_by']}; tally {decision['tally']}"
    lines = [Text(decision["text"], style="bold"), Text(about, style="dim")]
    if decision["answer"] is not None:
        lines.append(Text.assemble("answer ", (decision["answer"], "bold green")))
    return lines


def print_members(decision: DecisionReport) -> None:
    """Each member's part, as the certificate proves it."""
    rows: list[list[str | Text]] = []
    for part in decision["members"]:
        proposed = part["answer"] if part["state"] == "answered" and part["answer"] is not None else part["state"]
        support = f"{part['counts'][0][1]} of {part['samples']}" if part["counts"] else "-"
        rows.append(
            [part["name"], proposed, support, spread(part["points"]) or "-", str(part["cost"]["forward_passes"])]
        )
    print_table(["member", "proposed", "samples", "preferred", "passes"], rows, right=["samples", "passes"])


def status_lines(status: StatusReport) -> list[Text]:
    """One `key  value` line per fact that holds from the start on."""
    model = status["model"]
    described = [str(model.get("name", "none")), str(model.get("state", "unknown"))]
    if parameters := model.get("parameters"):
        described.append(f"{parameters / 1e6:.1f} million parameters")
    if digest := model.get("digest"):
        described.append(str(digest)[:ID_LENGTH])
    if restarts := model.get("restarts"):
        described.append(plural(restarts, "restart"))
    facts = [
        ("node", f"{status['name']}  {status['node'][:ID_LENGTH]}"),
        ("address", f"{status['address']}  (loopback only: mutual TLS comes later)"),
        ("moot", f"{status['moot_name']}  {status['moot'][:ID_LENGTH]}"),
        ("quorum", f"{status['threshold']} of {plural(status['members'], 'member')} must vote"),
        ("model", ", ".join(described)),
        ("ledger", f"{plural(status['height'], 'slot')}, {plural(status['open_questions'], 'open question')}"),
    ]
    return [fact(name, value) for name, value in facts]


def contradicted_line(name: str, slots: Sequence[int]) -> Text:
    """Of a member of which two statements that contradict each other are known."""
    return Text(f"{name} contradicted itself in slot {', '.join(map(str, slots))}", style="red")


def fact(name: str, value: str) -> Text:
    """One aligned `key  value` line."""
    return Text.assemble((f"{name:<10}", "dim"), value)
