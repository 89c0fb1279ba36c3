"""Runs of the dialogue benchmarks on small made-up files, from data to summary."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reverie.agent.models import Message, Reply
from reverie.agent.models.scripted import ScriptedModel
from reverie.cli import call
from reverie.envs import dialogue_run
from reverie.envs.abstention import abstention, auroc
from reverie.envs.answering import Answer, Reader, judged, prompt, scored
from reverie.envs.baselines import BM25, BM25Ranker, OldestFirst
from reverie.envs.dialogue_lines import DialogueSpec, read_run
from reverie.envs.dialogue_run import rebuild_dialogue, run_dialogue
from reverie.envs.dialogues import Conversation, Gold, Question, Session, Turn
from reverie.envs.recalling import Remembered, ablations, fitting, neighbours
from reverie.errors import ContextOverflow, ModelUnavailable, SettingsError
from reverie.memory.dialogue import Message as Said
from reverie.memory.evidence import Verdict
from reverie.memory.memory import Memory
from reverie.tests.envs.test_locomo import SAMPLE
from reverie.tests.envs.test_longmemeval import EVIDENCE, HAYSTACK

REAL = Path(__file__).resolve().parents[3] / "shared/data/locomo/locomo-dev5.json"


@pytest.fixture
def locomo(tmp_path: Path) -> Path:
    path = tmp_path / "locomo.json"
    path.write_text(json.dumps([SAMPLE]))
    return path


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    path = tmp_path / "pool.json"
    path.write_text(json.dumps(EVIDENCE))
    return path


def _spec(data: Path, **more: Any) -> DialogueSpec:
    out = data.parent / "out"
    benchmark = "locomo" if data.stem == "locomo" else "longmemeval"
    given = {"benchmark": benchmark, "data": data, "out": out, "embedder": "hashing"} | more
    return DialogueSpec.model_validate(given)


def _question(text: str, **gold: Any) -> Question:
    return Question("q", text, "4", None, True, Gold(**gold))


def _talk(*texts: str) -> Conversation:
    turns = tuple(
        Turn(f"t{i}", Said(text=text, speaker="Ann", turn=i)) for i, text in enumerate(texts)
    )
    return Conversation("c", (Session("s", turns),), ())


# -- rankers ------------------------------------------------------------------------------------


def test_bm25_is_its_formula() -> None:
    texts = ["red fern red", "blue fern pot", "kettle"]
    mean = 7 / 3
    idf = {"red": math.log1p(2.5 / 1.5), "fern": math.log1p(1.5 / 2.5)}

    def gain(count: int, length: int) -> float:
        return count * 2.2 / (count + 1.2 * (0.25 + 0.75 * length / mean))

    expected = [idf["red"] * gain(2, 3) + idf["fern"] * gain(1, 3), idf["fern"] * gain(1, 3), 0.0]
    assert BM25(texts).scores("the red ferns") == pytest.approx(expected)


def test_baselines_rank_every_session_and_turn() -> None:
    talk = _talk("hello there", "the kettle is broken", "hello again")
    ranking = BM25Ranker(talk, named=True).rank(_question("Which kettle?"))
    assert ranking.turns == ("t1", "t0", "t2")
    assert ranking.sessions == ("s",)
    assert OldestFirst(talk).rank(_question("Which kettle?")).turns == ("t0", "t1", "t2")


def test_a_message_said_twice_stands_for_both_turns() -> None:
    talk = _talk("the kettle is broken", "oh dear", "The kettle is broken")
    with Memory.open(embedder="hashing") as memory:
        remembered = Remembered(memory, talk, owner="b")
        ranking = remembered.ranking(remembered.recall(_question("Which kettle is broken?")))
        assert set(ranking.turns) == {"t0", "t1", "t2"}
        assert set(remembered.records(talk)) == {"t0", "t1", "t2"}


def test_neighbours_stay_within_a_session() -> None:
    talk = _talk("a", "b", "c")
    more = replace(talk, sessions=(*talk.sessions, Session("z", (Turn("z0", Said(text="d")),))))
    found = neighbours(more)
    assert found["t0"] == ("t0", "t1")
    assert found["t1"] == ("t0", "t1", "t2")
    assert found["z0"] == ("z0",)


def test_what_does_not_fit_is_passed_over() -> None:
    assert fitting(["a", "b", "c"], {"a": 3, "b": 9, "c": 2}, 5) == {"a", "c"}


def test_each_ablation_leaves_one_thing_out() -> None:
    found = {variant.name: variant for variant in ablations()}
    assert len(found) == 13
    words = found["no_words"].weights
    assert words is not None
    assert (words.words, words.window > 0) == (0.0, True)
    assert found["no_newest_first"].newest is False
    lexical = found["no_bm25"].weights
    assert lexical is not None
    assert (lexical.words, lexical.window, lexical.session) == (0.0, 0.0, 0.0)


# -- what cannot be answered --------------------------------------------------------------------


def test_auroc_is_the_share_of_pairs_in_order() -> None:
    scores, positive = [0.9, 0.5, 0.5, 0.1], [True, True, False, False]
    pairs = [(a, b) for a, x in zip(scores, positive, strict=True) if x
             for b, y in zip(scores, positive, strict=True) if not y]  # fmt: skip
    expected = sum(1.0 if a > b else 0.5 if a == b else 0.0 for a, b in pairs) / len(pairs)
    assert auroc(scores, positive) == expected == 0.875


def test_verdicts_are_counted_by_kind() -> None:
    yes = Verdict(found=True, confidence=0.9)
    other = Verdict(found=False, confidence=0.2, reason="other speaker", speaker="Bob")
    found = abstention([yes, yes, other, other], [True, True, True, False])
    assert found is not None
    assert (found.accuracy, found.balanced) == (0.75, pytest.approx(5 / 6))
    assert found.other_speaker_unanswerable == 1.0
    assert found.other_speaker_answerable == pytest.approx(1 / 3)
    assert abstention([yes], [True]) is None


# -- a run --------------------------------------------------------------------------------------


def test_a_retrieval_run_writes_its_folder(locomo: Path) -> None:
    spec = _spec(locomo)
    summary = run_dialogue(spec)
    assert summary.run.status == "complete"
    assert summary.retrieval["session.recall_all@3"] == 0.8  # one gold session cannot exist
    assert summary.retrieval["turn.recall@10"] == 1.0
    assert set(summary.baselines) == {"bm25", "full"}
    assert summary.counts["turn.recall@10"] == 4
    assert summary.counts["session.recall_all@3"] == 5
    assert {key: part.n for key, part in summary.by_category.items()} == {
        "1": 1, "3": 2, "4": 1, "5": 1,
    }  # fmt: skip
    delta = summary.deltas["ours-bm25"]["session.ndcg@10"]
    assert delta.n == 5
    assert delta.ci[0] <= delta.mean <= delta.ci[1]
    assert summary.abstention is not None
    assert summary.abstention.unanswerable == 1
    header, lines = read_run(spec.out)
    assert header.data.repairs == summary.repairs
    assert len(lines) == 5
    assert lines[0].ranks["ours"].turn is not None
    assert "Ann" not in lines[0].top["ours"].sessions
    kept = json.loads((spec.out / "summary.json").read_text())
    assert kept["retrieval"] == summary.retrieval
    page = (spec.out / "report.html").read_text()
    assert "LoCoMo" in page
    assert page.count("<h2>") == page.count("</h2>") >= 4


def test_a_run_goes_on_where_it_stopped(locomo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = _spec(locomo)
    whole = run_dialogue(spec.model_copy(update={"out": locomo.parent / "whole"}))
    asked: list[str] = []
    recall = Remembered.recall

    def stops(self: Remembered, question: Question, *rest: Any) -> Any:
        if len(asked) == 2:
            raise KeyboardInterrupt
        asked.append(question.id)
        return recall(self, question, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(Remembered, "recall", stops)
        with pytest.raises(KeyboardInterrupt):
            run_dialogue(spec)
    file = spec.out / "questions.jsonl"
    with file.open("ab") as handle:
        handle.write(b'{"torn": ')
    assert json.loads((spec.out / "summary.json").read_text())["run"]["status"] == "interrupted"
    again = run_dialogue(spec)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert len(lines) == len({line["id"] for line in lines}) == 5
    assert again.retrieval == whole.retrieval
    assert again.run.status == "complete"


def test_a_folder_keeps_one_run(locomo: Path) -> None:
    run_dialogue(_spec(locomo, limit=1))
    with pytest.raises(SettingsError, match=r"limit: 1 there, 2 now.*another --out"):
        run_dialogue(_spec(locomo, limit=2))
    locomo.write_text(json.dumps([SAMPLE | {"sample_id": "other"}]))
    with pytest.raises(SettingsError, match=r"data: .* there"):
        run_dialogue(_spec(locomo, limit=1))


def test_the_summary_can_be_made_again(locomo: Path) -> None:
    spec = _spec(locomo)
    summary = run_dialogue(spec)
    (spec.out / "summary.json").unlink()
    assert rebuild_dialogue(spec.out) == summary
    assert call(["report", str(spec.out), "--json"]) == 0


def test_a_memory_that_is_kept_is_not_written_twice(locomo: Path) -> None:
    where = str(locomo.parent / "memory")
    first = run_dialogue(_spec(locomo, memory=where))
    again = run_dialogue(_spec(locomo, memory=where, out=locomo.parent / "again"))
    assert again.retrieval == first.retrieval


def test_a_pool_measures_what_changed(pool: Path) -> None:
    summary = run_dialogue(_spec(pool))
    assert summary.retrieval["pool.recall_all@3"] == 1.0
    assert "session.recall_all@3" not in summary.retrieval
    assert summary.updates.now == ("How many ferns do I have?",)
    assert summary.updates.past == ("How many ferns did I have before?",)
    assert summary.retrieval["update.newest_first"] == 1.0
    assert summary.counts["update.past_first"] == 1
    assert summary.counts["pool.recall_all@3"] == 3


def test_a_haystack_of_its_own_is_ranked_by_session(tmp_path: Path) -> None:
    path = tmp_path / "haystack.json"
    path.write_text(json.dumps([HAYSTACK]))
    summary = run_dialogue(_spec(path))
    assert summary.retrieval["session.recall_all@3"] == 1.0
    assert summary.retrieval["turn.recall@3"] == 1.0
    assert summary.retrieval["update.newest_first"] == 1.0


def test_ablations_are_rows_of_their_own(locomo: Path) -> None:
    summary = run_dialogue(_spec(locomo, ablations=True, limit=2))
    assert len(summary.ablations) == 13
    assert set(summary.ablations["no_window"]) == set(summary.retrieval)
    assert "no_window-ours" in summary.deltas


# -- answers ------------------------------------------------------------------------------------


def _saying(*replies: str) -> ScriptedModel:
    return ScriptedModel(replies, loop=True, context_tokens=2_000)


def test_a_model_answers_in_four_rows_and_never_sees_the_gold(locomo: Path) -> None:
    model = _saying("a kitten")
    summary = run_dialogue(_spec(locomo, model="scripted:x"), model=model)
    assert list(summary.answers) == ["none", "full", "bm25", "ours"]
    assert len(model.calls) == 4 * 5
    prompts = [sent.messages[0].content for sent in model.calls]
    assert not [text for text in prompts if "adversarial" in text or "D1:1" in text]
    none, full, _, ours = prompts[:4]
    assert "no record" in none
    assert "grey kitten" not in none
    assert full.index("grey kitten") < full.index("broke a vase")
    assert "grey kitten" in ours
    overall = summary.answers["ours"].overall
    assert overall.n == 5
    assert summary.answers["ours"].by_category["4"].f1 == 1.0
    assert summary.answers["ours"].by_category["5"].f1 == 0.0
    assert overall.judged is None
    assert summary.deltas["ours-none"]["answer.f1"].mean == 0.0


def test_answers_are_not_asked_again(locomo: Path) -> None:
    spec = _spec(locomo, model="scripted:x")
    run_dialogue(spec, model=_saying("a kitten"))
    again = _saying("a kitten")
    summary = run_dialogue(spec, model=again)
    assert again.calls == []
    assert summary.answers["ours"].overall.n == 5


def test_a_failure_counts_as_nothing_and_is_told(locomo: Path) -> None:
    def fails(messages: Sequence[Message]) -> str | Reply:
        if "sell" in messages[0].content.rpartition("Question:")[2]:
            raise ContextOverflow("too long")
        return ""

    spec = _spec(locomo, model="scripted:x")
    summary = run_dialogue(spec, model=ScriptedModel(fails))
    assert summary.run.status == "partial"
    assert summary.answers["ours"].overall.failures == 5
    assert summary.answers["ours"].overall.f1 == 0.0
    errors = {line.answers["ours"].error for line in read_run(spec.out)[1]}
    assert errors == {"ContextOverflow: too long", "the model said nothing"}


def test_a_model_that_is_not_there_ends_the_run(locomo: Path) -> None:
    def gone(messages: Sequence[Message]) -> str | Reply:
        raise ModelUnavailable("no key")

    spec = _spec(locomo, model="scripted:x")
    with pytest.raises(ModelUnavailable):
        run_dialogue(spec, model=ScriptedModel(gone))
    assert read_run(spec.out)[1] == []


def test_full_context_keeps_the_newest_that_fits(locomo: Path) -> None:
    model = _saying("x")
    taken = model.context_tokens - Reader(model, "locomo", 0).room("")
    model.context_tokens = taken + 40
    run_dialogue(_spec(locomo, model="scripted:x", limit=1), model=model)
    full = model.calls[1].messages[0].content
    assert "broke a vase" in full
    assert "grey kitten" not in full


@pytest.mark.parametrize(
    ("category", "rule"),
    [
        ("multi-session", "shows every step"),
        ("temporal-reasoning", "off by one"),
        ("knowledge-update", "changed over time"),
        ("single-session-preference", "no single right answer"),
    ],
)
def test_the_judge_has_a_rule_for_each_kind(category: str, rule: str) -> None:
    judge = _saying("Yes.")
    question = Question("q", "How many?", category, None, True, Gold(answer="five"))
    found = judged(Answer(text="5 of them"), question, judge)
    assert found.judged == 1.0
    asked = judge.calls[0].messages[0].content
    assert rule in asked
    assert "five" in asked
    assert "5 of them" in asked


def test_the_judge_of_what_is_unanswerable_wants_it_said() -> None:
    judge = _saying("no")
    question = Question("q_abs", "How many?", "multi-session", None, False, Gold(answer="unknown"))
    assert judged(Answer(text="five"), question, judge).judged == 0.0
    assert "cannot be answered" in judge.calls[0].messages[0].content
    assert scored(Answer(text="Not mentioned"), question, "longmemeval").f1 == 1.0


def test_what_failed_is_not_judged() -> None:
    judge = _saying()
    question = Question("q", "How many?", "multi-session", None, True, Gold(answer="five"))
    assert judged(Answer(error="broken"), question, judge).judged == 0.0
    assert judge.calls == []


def test_a_judge_runs_over_the_answers(pool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialogue_run, "open_model", lambda name: _saying("yes"))  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    summary = run_dialogue(_spec(pool, model="scripted:x", judge="scripted:yes"))
    assert summary.answers["ours"].overall.judged == 1.0
    assert summary.answers["ours"].category_mean == 1.0
    assert summary.answers["ours"].unanswerable is not None


@pytest.mark.parametrize("name", ["locomo_answer", "longmemeval_answer"])
def test_answer_prompts_have_their_slots(name: str) -> None:
    text = prompt(name).format(question="QUESTION", asked="TODAY", memory="MEMORY")
    assert "QUESTION" in text
    assert "MEMORY" in text
    assert "Not mentioned" in text
    assert "{" not in text


def test_the_judge_prompt_has_its_slots() -> None:
    slots = {"rule": "R", "label": "L", "question": "Q", "gold": "G", "answer": "A"}
    assert "{" not in prompt("judge").format(**slots)


# -- the command line ---------------------------------------------------------------------------


def test_the_command_runs_from_end_to_end(
    locomo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    line = ["run", "locomo", "--data", str(locomo), "--embedder", "hashing", "--out", str(out)]
    assert call([*line, "--ablations"]) == 0
    printed = capsys.readouterr()
    for words in (
        "session.recall_all@5",
        "multi-hop",
        "adversarial",
        "AUROC",
        "made-1/q2",
        "words",
    ):
        assert words in printed.out
    assert "writing made-1" in printed.err
    assert call([*line, "--ablations", "--json", "--quiet"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["retrieval"]["turn.recall@10"] == 1.0
    assert found["report"] == str(out / "report.html")


def test_the_command_for_longmemeval_prints_what_asks_for_the_past(
    pool: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["run", "longmemeval", "--data", str(pool), "--embedder", "hashing", "-q"]
    assert call([*line, "--out", str(tmp_path / "run")]) == 0
    printed = capsys.readouterr().out
    assert "How many ferns did I have before?" in printed
    assert "pool.recall_all@5" in printed


def test_the_command_answers_with_a_model(
    locomo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["run", "locomo", "--data", str(locomo), "--embedder", "hashing", "-q"]
    model = ["--model", "scripted:a kitten", "--limit", "2", "--out", str(tmp_path / "run")]
    assert call([*line, *model]) == 0
    assert "tokens read" in capsys.readouterr().out


def test_a_wrong_file_is_an_error_that_tells_the_next_step(
    pool: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(pool.parent / "none")
    assert call(["run", "locomo", "--data", str(pool), "--out", out, "-q"]) == 1
    assert "reverie run longmemeval" in capsys.readouterr().err
    assert call(["run", "locomo", "--data", str(pool.parent / "no.json"), "-q"]) == 1
    assert "--data" in capsys.readouterr().err
    assert call(["run", "longmemeval", "--data", str(pool), "--judge", "x", "-q"]) == 2
    assert "--judge" in capsys.readouterr().err


@pytest.mark.skipif(not REAL.is_file(), reason=f"{REAL} is not there")
def test_the_real_data_runs_with_a_weak_embedder(tmp_path: Path) -> None:
    spec = DialogueSpec(
        benchmark="locomo", data=REAL, out=tmp_path / "out", embedder="hashing", limit=6
    )
    summary = run_dialogue(spec)
    assert summary.run.done == 30
    assert summary.retrieval["turn.recall@25"] > 0.4
