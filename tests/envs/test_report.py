"""The report and the charts: one page, complete in itself, and safe to open."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from reverie.envs import charts
from reverie.envs.report import render, write_curve
from reverie.envs.runner import run
from reverie.envs.runs import Arm, Budget, Drawn, EpisodeLine, read_header, read_lines
from reverie.envs.statistics import Point, Summary
from reverie.errors import SettingsError
from reverie.tests.envs.world import spec_for, stage


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with an error in it and tasks met again."""
    out = tmp_path_factory.mktemp("report") / "run"
    run(spec_for(out, episodes=15, faulty="valid/4"), stage=stage)
    return out


@pytest.fixture(scope="module")
def page(out: Path) -> str:
    return (out / "report.html").read_text()


class Balance(HTMLParser):
    """Checks that every tag that is opened is closed."""

    VOID = frozenset({"meta", "br", "link", "img", "line", "rect", "circle"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_the_page_needs_nothing_beside_itself(page: str) -> None:
    assert not re.search(r"<(script|link|img|iframe)\b", page)
    assert not re.search(r"url\(|@import", page)
    outside = set(re.findall(r"https?://[^'\" <]+", page))
    assert outside <= {"http://www.w3.org/2000/svg"}


def test_the_page_is_well_formed(page: str) -> None:
    parser = Balance()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        ElementTree.fromstring(svg)


def test_the_page_shows_arms_deltas_curves_types_memories_failures_and_settings(page: str) -> None:
    for text in (
        "off", "frozen", "online", "online − off", "95 % interval", "Success so far",
        "Success in the last 3 episodes", "oak", "elm", "ash", "key opens", "same episodes, off",
        "the door of valid/4 is stuck in the wall", "take ", "seed_cases", "protocol", "python",
        "Tasks met again", "with errors",
    ):  # fmt: skip
        assert text in page, text


def test_the_numbers_of_the_page_are_those_of_the_summary(out: Path, page: str) -> None:
    summary = Summary.model_validate_json((out / "summary.json").read_text())
    success = summary.arms["online"].success.mean
    assert success is not None
    assert f"{success * 100:.1f}\u00a0%" in page
    assert f"{summary.deltas['online-off'].mean * 100:+.1f}&nbsp;points" in page


def test_what_an_episode_says_cannot_act_on_the_page(out: Path) -> None:
    header, lines = read_header(out), read_lines(out)
    summary = Summary.model_validate_json((out / "summary.json").read_text())
    evil = "<script>alert(1)</script>"
    step = {"action": evil, "observation": evil}
    changed = {"goal": evil, "task_type": evil, "error": evil, "trajectory": (step,)}
    hostile = [line.model_copy(update=changed) for line in lines]
    assert "<script" not in render(header, hostile, summary)


def with_draws(out: Path, dropout: float) -> str:
    """The page of the run if every online episode had drawn two keys and left one out at times."""
    header, lines = read_header(out), read_lines(out)
    summary = Summary.model_validate_json((out / "summary.json").read_text())
    drawn: list[EpisodeLine] = []
    for line in lines:
        if line.arm != Arm.ONLINE:
            drawn.append(line)
            continue
        shown = dropout == 0 or line.success
        draw = Drawn(
            offered=("a<b", "plain", "idle"),
            chosen=("a<b", "plain") if shown else ("plain",),
            dropped=() if shown else ("a<b",),
            dropout=dropout,
        )
        drawn.append(line.model_copy(update={"draws": (draw,)}))
    return render(header, drawn, summary)


def test_what_showing_a_memory_changed_is_told_where_chance_left_it_out(out: Path) -> None:
    page = with_draws(out, 0.2)
    assert "the 1 that most episodes tell of, among 1 that were drawn" in page
    assert "1 others were never left out, or never shown" in page
    assert "effect of showing it" in page and "a&lt;b" in page
    assert "<span class='up'>+1.00</span>" in page
    parser = Balance()
    parser.feed(page)
    assert parser.open == []


def test_without_dropout_the_page_says_that_nothing_can_be_told(out: Path) -> None:
    page = with_draws(out, 0.0)
    assert "of 2 that were drawn: 2 not measurable: never left out." in page
    assert "effect of showing it" not in page


def test_a_run_without_episodes_has_a_page_too(tmp_path: Path) -> None:
    spec = spec_for(tmp_path / "run", limits=Budget(seconds=1e-9))
    run(spec, stage=stage)
    assert "No episodes yet" in (tmp_path / "run" / "report.html").read_text()
    with pytest.raises(SettingsError, match="no episodes yet"):
        write_curve(spec.out, tmp_path / "curve.svg")


def test_the_curve_for_a_readme_is_a_picture_of_its_own(out: Path, tmp_path: Path) -> None:
    file = tmp_path / "pictures" / "curve.svg"
    write_curve(out, file)
    root = ElementTree.parse(file).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    texts = [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "Success over episodes: doors, scripted" in texts
    assert sum(text.startswith(("off ", "frozen ", "online ")) for text in texts) == 3


def test_a_folder_that_is_no_run_is_named_as_such(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="is no run folder"):
        write_curve(tmp_path, tmp_path / "x.svg")


def test_labels_at_the_ends_of_curves_do_not_cover_each_other() -> None:
    flat = [Point(episode=i, rate=0.5, low=0.4, high=0.6) for i in (1, 2)]
    svg = charts.curves(dict.fromkeys(Arm, flat), title="flat")
    heights = [
        float(y)
        for y in re.findall(r"y='([\d.]+)'[^>]*font-weight='600'>(?:off|frozen|online)", svg)
    ]
    assert len(heights) == 3
    assert min(b - a for a, b in pairwise(heights)) >= 15


def test_a_curve_of_one_episode_is_a_dot() -> None:
    svg = charts.curves({"off": [Point(episode=1, rate=1, low=0.2, high=1)]}, title="one")
    assert "<circle" in svg
