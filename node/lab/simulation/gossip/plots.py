"""Pictures of the measurements against the number of members, beside the papers' curves; the data lies beside each."""

import csv
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from node.errors import NodeError
from node.lab.simulation.gossip import theory
from node.lab.simulation.gossip.measure import COMPARED, LOSSES, Measurements
from node.lab.simulation.gossip.pauses import MODES, STALLED_SHARE, STALLS_MS
from node.lab.simulation.gossip.summary import Summary
from node.lab.simulation.gossip.world import DELAY_MS
from node.membership.settings import MembershipSettings

WIDTH_IN, HEIGHT_IN, DPI = 8.0, 5.5, 130
COLOURS = ("#1f5fa8", "#c2571a", "#2e7d4f", "#7a4a9e")
TITLES = {"lifeguard": "our defaults", "settings": "Lifeguard's settings off", "swim": "plain SWIM"}


class PlotsMissing(NodeError):
    """matplotlib is not installed."""

    def __init__(self) -> None:
        super().__init__("pictures need matplotlib, which is not installed; install it with: pip install 'moot[plots]'")


def draw_all(found: Measurements, directory: Path) -> list[Path]:
    """Draw every picture for which there are figures.

    Returns:
        The files: each PNG, then the CSV with the figures in it.
    Raises:
        PlotsMissing: matplotlib is not installed.
    """
    files: list[Path] = []
    for name, draw in PICTURES.items():
        summaries = draw_one(found, draw, directory / f"{name}.png")
        data = directory / f"{name}.csv"
        _write_csv(summaries, data)
        files += [directory / f"{name}.png", data]
    return files


def draw_one(found: Measurements, draw: "Draw", file: Path) -> list[Summary]:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise PlotsMissing() from error
    figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_xlabel("members")
    axes.set_axisbelow(True)
    axes.grid(visible=True, which="major", color="#dddddd")
    axes.spines[["top", "right"]].set_visible(False)
    summaries = draw(found, axes)
    if axes.get_legend_handles_labels()[0]:
        figure.legend(frameon=False, fontsize=8, ncols=2, loc="outside lower center")
    figure.savefig(file)
    return summaries


def detection(found: Measurements, axes: Any) -> list[Summary]:
    settings = MembershipSettings()
    period_ms = settings.probe_interval_ms
    first, dead = found.curve("crashes", "first_ms"), found.curve("crashes", "all_ms")
    _by_size(axes, found.sizes, "seconds from the crash", "How long until a crash is noticed")
    _with_interval(axes, first, COLOURS[0], "first suspicion (mean, 95 % interval)", 1_000)
    _points(axes, first, "worst", COLOURS[0], "first suspicion, worst", 1_000)
    _with_interval(axes, dead, COLOURS[1], "dead to every live member (mean, 95 % interval)", 1_000)
    sizes = _between(found)
    first_s = [theory.walk_first_suspicion_ms(settings, n, DELAY_MS) / 1_000 for n in sizes]
    bounds_s = [[ms / 1_000 for ms in theory.suspicion_ms_bounds(settings, n)] for n in sizes]
    swim_s = [theory.swim_first_detection_periods(n) * period_ms / 1_000 for n in sizes]
    worst_s = [theory.swim_worst_periods(n) * period_ms / 1_000 for n in sizes]
    _line(axes, sizes, swim_s, COLOURS[2], "SWIM: first detection, 1.58 periods", "--")
    _line(axes, sizes, first_s, COLOURS[0], "first suspicion, phases of their own (derived)", ":")
    _line(axes, sizes, worst_s, COLOURS[2], "SWIM: worst, 2n - 1 periods", "-.")
    least_s = [one + bound[0] for one, bound in zip(first_s, bounds_s, strict=True)]
    most_s = [one + bound[1] for one, bound in zip(first_s, bounds_s, strict=True)]
    axes.fill_between(
        sizes, least_s, most_s, color=COLOURS[1], alpha=0.1, label="first + shortest to longest suspicion"
    )
    _logarithmic(axes, (1, 2, 5, 10, 20, 50, 100, 200, 500))
    axes.set_ylim(0.8, 500)
    return first + dead


def spread(found: Measurements, axes: Any) -> list[Summary]:
    settings = MembershipSettings()
    sizes = sorted({one.nodes for one in found.summaries if one.experiment == "spread"})
    _by_size(axes, sizes, "seconds from the change", "How long until a member's news has spread by gossip alone")
    drawn: list[Summary] = []
    for loss, colour in zip(LOSSES, COLOURS, strict=False):
        most, whole = found.curve("spread", "most_ms", loss=loss), found.curve("spread", "all_ms", loss=loss)
        _with_interval(axes, most, colour, f"to 99 %, {100 * loss:.0f} % loss (mean, 95 % interval)", 1_000)
        _points(axes, whole, "p95", colour, f"to all, {100 * loss:.0f} % loss, 95 % of cases", 1_000)
        drawn += most + whole
    sizes = _between(found)
    seconds = [
        (theory.infection_rounds(n, settings.gossip_fanout) * settings.gossip_interval_ms + DELAY_MS) / 1_000
        for n in sizes
    ]
    _line(axes, sizes, seconds, "#555555", "epidemic of synchronous rounds, to all but one", "--")
    axes.set_ylim(bottom=0)
    return drawn


def false_deaths(found: Measurements, axes: Any) -> list[Summary]:
    drawn: list[Summary] = []
    width = 0.8 / len(MODES)
    for number, (mode, colour) in enumerate(zip(MODES, COLOURS, strict=False)):
        bars = [found.find("stalls", "deaths", COMPARED, mode, loss) for loss in LOSSES]
        for place, one in enumerate(bars):
            if one is None:
                continue
            at = place + (number - 1) * width
            label = f"{TITLES[mode]}" if place == 0 else None
            errors = [[min(one.mean, one.mean - one.low)], [one.high - one.mean]]  # no fewer than none
            axes.bar(at, one.mean, width * 0.9, color=colour, label=label, yerr=errors, capsize=3)
            axes.annotate(f"{one.mean:.3g}", (at, one.high), ha="center", va="bottom", fontsize=8)
            drawn.append(one)
    axes.set_xticks(range(len(LOSSES)), [f"{100 * loss:.0f} %" for loss in LOSSES])
    axes.set_xlabel("messages lost")
    axes.set_ylabel(f"deaths declared of well members in {STALLS_MS // 1_000} s")
    axes.set_title(f"False deaths among {COMPARED} members of which 4 % stall (mean, 95 % interval)")
    return drawn


def false_deaths_by_size(found: Measurements, axes: Any) -> list[Summary]:
    _by_size(
        axes,
        [one.nodes for one in found.curve("stalls", "deaths", "swim")],
        "per well member and hour",
        "False deaths while 4 % stall, by size",
    )
    drawn: list[Summary] = []
    for mode, colour in zip(("lifeguard", "swim"), COLOURS, strict=False):
        curve = found.curve("stalls", "deaths", mode)
        hourly = [one.mean / ((1 - STALLED_SHARE) * one.nodes) * 3_600_000 / STALLS_MS for one in curve]
        axes.plot([one.nodes for one in curve], hourly, "o-", color=colour, label=TITLES[mode])
        drawn += curve
    axes.set_ylim(bottom=0)
    return drawn


def traffic(found: Measurements, axes: Any) -> list[Summary]:
    settings = MembershipSettings()
    _by_size(axes, found.sizes, "bytes sent by a node in a second", "What membership costs")
    idle, failing = found.curve("crashes", "idle_bytes"), found.curve("crashes", "failing_bytes")
    _with_interval(axes, idle, COLOURS[0], "while nothing happens (mean, 95 % interval)", 1)
    _with_interval(axes, failing, COLOURS[1], "from a crash until it is noticed (mean, 95 % interval)", 1)
    sizes = _between(found)
    _line(axes, sizes, [theory.idle_bytes_per_second(settings, n) for n in sizes], COLOURS[0], "idle, expected", ":")
    axes.axhline(4_096, color="#999999", linestyle="--", linewidth=1, label="bound for 100 idle members")
    _logarithmic(axes, (500, 1_000, 2_000, 5_000, 10_000))
    return idle + failing


Draw = Callable[[Measurements, Any], list[Summary]]
PICTURES: dict[str, Draw] = {
    "detection": detection,
    "spread": spread,
    "false_deaths": false_deaths,
    "false_deaths_by_size": false_deaths_by_size,
    "traffic": traffic,
}


def _by_size(axes: Any, sizes: Sequence[int], unit: str, title: str) -> None:
    axes.set_xscale("log")
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.minorticks_off()
    axes.set_ylabel(unit)
    axes.set_title(title)


def _logarithmic(axes: Any, ticks: Sequence[int]) -> None:
    axes.set_yscale("log")
    axes.set_yticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.minorticks_off()


def _between(found: Measurements) -> list[int]:
    """Sizes for a smooth curve over those measured."""
    least, most = min(found.sizes), max(max(found.sizes), min(found.sizes) + 1)
    steps = 60
    return sorted({round(least * (most / least) ** (step / steps)) for step in range(steps + 1)})


def _with_interval(axes: Any, curve: Sequence[Summary], colour: str, label: str, unit: float) -> None:
    drawn = [one for one in curve if math.isfinite(one.mean)]
    means = [one.mean / unit for one in drawn]
    errors = [[(one.mean - one.low) / unit for one in drawn], [(one.high - one.mean) / unit for one in drawn]]
    axes.errorbar([one.nodes for one in drawn], means, errors, fmt="o-", color=colour, capsize=3, label=label)


def _points(axes: Any, curve: Sequence[Summary], field: str, colour: str, label: str, unit: float) -> None:
    drawn = [(one.nodes, getattr(one, field) / unit) for one in curve if math.isfinite(getattr(one, field))]
    axes.plot([x for x, _ in drawn], [y for _, y in drawn], "^", color=colour, markersize=5, label=label)


def _line(axes: Any, sizes: Sequence[int], values: Sequence[float], colour: str, label: str, style: str) -> None:
    axes.plot(sizes, values, style, color=colour, linewidth=1, label=label)


def _write_csv(summaries: Sequence[Summary], file: Path) -> None:
    names = Summary.__slots__
    with file.open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out)
        rows.writerow(names)
        rows.writerows([getattr(one, name) for name in names] for one in summaries)
