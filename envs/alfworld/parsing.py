"""What TextWorld's PDDL engine works out again and again, worked out once.

TextWorld parses the grammar's templates with TatSu for every admissible command of every
step, copies whole entity tables to keep rule applications apart, and grounds the planning
problem four times per game. ``install`` replaces five functions of the engine by ones that
remember; every text, list and score stays the same, which tests/envs/alfworld/test_parsing.py
checks by playing the same games both ways. ``uninstall`` puts the originals back.
"""

from __future__ import annotations

import gc
import re
import sys
import threading
from collections import OrderedDict
from copy import copy
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_TASK = re.compile(r'"rhs": "(Your task is to: (?:[^"\\]|\\.)*)"')
_lock = threading.RLock()
_originals: dict[tuple[str, str], Any] = {}


def install() -> None:
    """Put the remembering functions into TextWorld. Doing it again changes nothing."""
    with _lock:
        if _originals:
            return
        textgen: Any = import_module("textworld.envs.pddl.textgen")
        logic: Any = import_module("textworld.logic")
        pddl_logic: Any = import_module("textworld.envs.pddl.logic")
        planner: Any = import_module("fast_downward")
        _replace(textgen, "_parse_and_convert", _remember_symbols(textgen))
        _replace(textgen, "copy_context", _copy_context)
        _replace(logic, "_parse_and_convert", _remember_queries(logic))
        _replace(pddl_logic, "GameLogic", _remember_logic(pddl_logic, textgen))
        _replace(planner, "pddl2sas", _remember_grounding(planner))


def uninstall() -> None:
    """Put TextWorld's own functions back."""
    with _lock:
        for (module, name), function in _originals.items():
            setattr(import_module(module), name, function)
        _originals.clear()


def forget() -> None:
    """Drop the facts of past games, which TextWorld would keep for good (1 MB a game)."""
    core: Any = import_module("mementos.core")
    core._memento_cache.clear()


def _replace(module: Any, name: str, function: Any) -> None:
    _originals[(module.__name__, name)] = getattr(module, name)
    setattr(module, name, function)


def _remember_symbols(textgen: Any) -> Callable[..., list[Any]]:
    """Grammar text to symbols. Symbols carry their context, so each caller gets copies."""
    parse: Any = textgen._parse_and_convert
    known: dict[tuple[str, str], list[Any]] = {}

    def parse_and_convert(text: str, rule_name: str = "start", trace: bool = False) -> list[Any]:
        key = (text, rule_name)
        symbols = known.get(key)
        if symbols is None:
            symbols = known[key] = parse(text, rule_name=rule_name, trace=trace)
        return [_copy_symbol(symbol) for symbol in symbols]

    return parse_and_convert


def _copy_symbol(symbol: Any) -> Any:
    """A symbol and the symbols inside it; the texts they hold are shared."""
    made = copy(symbol)
    for name, value in symbol.__dict__.items():
        if name != "context" and hasattr(value, "context"):
            setattr(made, name, _copy_symbol(value))
    return made


def _copy_context(context: dict[str, Any]) -> dict[str, Any]:
    """A context whose tables can grow apart; their entries are never changed, so are shared."""
    return {
        "state": context["state"],
        "facts": context["facts"],
        "variables": dict(context["variables"]),
        "mapping": dict(context["mapping"]),
        "entity_infos": context["entity_infos"],
    }


def _remember_queries(logic: Any) -> Callable[..., Any]:
    """Conditions of the grammar to predicates; predicates are immutable, so are shared."""
    parse: Any = logic._parse_and_convert
    known: dict[str, tuple[Any, ...]] = {}

    def parse_and_convert(text: str, rule_name: str, **options: Any) -> Any:
        if rule_name != "conjunctiveQuery" or options:
            return parse(text, rule_name=rule_name, **options)
        if text not in known:
            known[text] = tuple(parse(text, rule_name=rule_name))
        return known[text]

    return parse_and_convert


def _remember_logic(pddl_logic: Any, textgen: Any) -> Callable[[str, str], Any]:
    """Domain and grammar to a logic. Games' grammars differ in the task's sentence alone."""
    make: Any = pddl_logic.GameLogic
    known: OrderedDict[tuple[str, str], Any] = OrderedDict()

    def game_logic(domain: str, grammar: str) -> Any:
        sentences = _TASK.findall(grammar)
        if len(sentences) != 1:
            return make(domain=domain, grammar=grammar)
        key = (domain, _TASK.sub('"rhs": "?"', grammar))
        base = known.get(key)
        if base is None:
            base = known[key] = make(domain=domain, grammar=grammar)
            while len(known) > 8:
                known.popitem(last=False)
        made = copy(base)
        made.grammar = textgen.ContextSensitiveGrammar()
        made.grammar.update(base.grammar)
        task = textgen.ContextSensitiveGrammar.parse('{"task": [{"rhs": "' + sentences[0] + '"}]}')
        made.grammar._rules["task"] = task._rules["task"]
        return made

    return game_logic


def _remember_grounding(planner: Any) -> Callable[..., tuple[Any, str]]:
    """PDDL to the planner's task, once a game.

    The engine asks for it when it loads and at each reset, and each time again in a form
    that is optimised for replanning. We never replan, so the plain form serves for both. The
    planner's translator replaces ``sys.argv`` and ``sys.stdout`` while it works: one thread
    at a time, and both are put back.
    """
    translate: Any = planner.pddl2sas
    known: OrderedDict[tuple[str, str], tuple[Any, str]] = OrderedDict()

    def pddl2sas(
        domain: str, problem: str, verbose: bool = False, optimize: bool = False
    ) -> tuple[Any, str]:
        key = (domain, problem)
        with _lock:
            if key not in known:
                known[key] = _quietly(translate, domain, problem, verbose)
                while len(known) > 2:
                    known.popitem(last=False)
            return known[key]

    return pddl2sas


def _quietly(translate: Any, domain: str, problem: str, verbose: bool) -> tuple[Any, str]:
    arguments, collecting = sys.argv, gc.isenabled()
    gc.disable()  # the translator makes many small objects and no cycles worth looking for
    try:
        return translate(domain, problem, verbose=verbose, optimize=False)
    finally:
        sys.argv = arguments
        if collecting:
            gc.enable()
