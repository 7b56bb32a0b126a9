"""What was promised, beside what was measured."""

from dataclasses import dataclass

from node.lab.simulation.gossip.measure import COMPARED, COVERED, SPREAD, Measurements
from node.lab.simulation.gossip.summary import Summary
from node.lab.simulation.gossip.theory import swim_worst_periods, sync_interval_ms, walk_first_suspicion_ms
from node.lab.simulation.gossip.world import DELAY_MS
from node.membership.settings import MembershipSettings


@dataclass(frozen=True, slots=True)
class Target:
    """One promise. `met` is None where the sizes that it is about were not measured."""

    what: str
    wanted: str
    measured: str
    met: bool | None


def targets(found: Measurements) -> list[Target]:
    settings = MembershipSettings()
    return [
        *(_first_suspicion(one, settings) for one in found.curve("crashes", "first_ms")),
        _at_most(
            f"news to 99 % of {SPREAD} at 10 % loss, 95 % of cases, ms",
            found.find("spread", "most_ms", SPREAD, loss=0.1),
            "p95",
            1_100,
        ),
        _coverage(found.find("spread", "complete", COVERED, loss=0.3)),
        *(_false_deaths(found, loss) for loss in (0.0, 0.1, 0.3)),
        *(
            _at_most(f"deaths that one accuser of everybody among {one.nodes} causes", one, "worst", 0)
            for one in found.curve("accuser", "deaths", loss=0.1)
        ),
        *(
            _at_most(
                f"partition of {one.nodes} healed, worst, ms",
                one,
                "worst",
                60_000 + sync_interval_ms(settings, one.nodes),
            )
            for one in found.curve("heal", "healed_ms")
        ),
        *(
            _at_most(f"all of {one.nodes} restarted at once and alive, worst, ms", one, "worst", 30_000)
            for one in found.curve("restart", "alive_ms")
            if one.nodes <= COMPARED
        ),
        _at_most(
            f"bytes a node sends in a second, {COMPARED} members, idle",
            found.find("crashes", "idle_bytes", COMPARED),
            "mean",
            4_096,
        ),
    ]


def _first_suspicion(one: Summary, settings: MembershipSettings) -> Target:
    """SWIM counts from the start of a period that all share; from the crash itself its own expectation is higher."""
    period_ms, bound = settings.probe_interval_ms, swim_worst_periods(one.nodes)
    mean, worst = one.mean / period_ms, one.worst / period_ms
    expected = walk_first_suspicion_ms(settings, one.nodes, DELAY_MS) / period_ms
    interval = f"{one.low / period_ms:.2f} to {one.high / period_ms:.2f}" if one.count > 1 else "one crash"
    return Target(
        f"first suspicion of a crashed one of {one.nodes}, periods",
        f"mean <= 1.6, worst <= {bound}",
        f"mean {mean:.2f} ({interval}; expected {expected:.2f}), worst {worst:.2f}",
        mean <= 1.6 and worst <= bound,
    )


def _coverage(one: Summary | None) -> Target:
    what = f"updates that reach all {COVERED} at 30 % loss by gossip alone"
    if one is None:
        return Target(what, ">= 99 %", "not measured", None)
    measured = f"{one.mean:.1%} of {one.count} ({one.low:.1%} to {one.high:.1%})"
    return Target(what, ">= 99 %", measured, one.mean >= 0.99)


def _false_deaths(found: Measurements, loss: float) -> Target:
    what = f"well members declared dead, 4 % of {COMPARED} stall, {100 * loss:.0f} % loss"
    ours = found.find("stalls", "deaths", COMPARED, "lifeguard", loss)
    swim = found.find("stalls", "deaths", COMPARED, "swim", loss)
    if ours is None or swim is None:
        return Target(what, "<= 2 % of plain SWIM", "not measured", None)
    ratio = f" ({ours.mean / swim.mean:.1%})" if swim.mean else ""
    measured = f"{ours.mean * ours.count:.0f} to {swim.mean * swim.count:.0f}{ratio} in {ours.count} runs each"
    return Target(what, "<= 2 % of plain SWIM", measured, ours.mean <= 0.02 * swim.mean)


def _at_most(what: str, one: Summary | None, field: str, most: float) -> Target:
    if one is None:
        return Target(what, f"<= {most:g}", "not measured", None)
    value: float = getattr(one, field)
    return Target(what, f"<= {most:g}", f"{value:g}" if value < 10 else f"{value:.0f}", value <= most)
