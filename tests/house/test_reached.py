"""What `tools/reached.py` counts as reached is what ran."""

from __future__ import annotations

from textwrap import dedent

import pytest
from tools import reached

ROWS = [
    ("the rest of a block after a return", "def f():\n    return 1\n    g()\nf()", [3], (4, 3, 0, 0)),
    ("a function that nobody calls", "def f():\n    '''Text.'''\n    return 1", [3], (2, 1, 0, 0)),
    ("a condition that is true", "a = 1\nif a:\n    b = 1", [], (3, 3, 2, 1)),
    ("a condition of both kinds", "for a in (0, 1):\n    if a:\n        b = 1", [], (3, 3, 4, 4)),
    ("an else that is not taken", "if 1 > 0:\n    a = 1\nelse:\n    a = 2", [4], (3, 2, 2, 1)),
    ("an elif", "a = 2\nif a == 1:\n    b = 1\nelif a == 2:\n    b = 2", [3], (5, 4, 4, 2)),
    ("a loop that is left", "for a in 1, 2:\n    break", [], (2, 2, 2, 1)),
    ("a loop over nothing", "for a in ():\n    b = 1", [2], (2, 1, 2, 1)),
    ("a loop without end", "while True:\n    break", [], (2, 2, 1, 1)),
    ("an exception", "try:\n    a = {}[1]\n    b = 1\nexcept KeyError:\n    b = 2", [3], (4, 3, 0, 0)),
    (
        "what comes in the end",
        "try:\n    a = 1\nexcept KeyError:\n    a = 2\nelse:\n    b = 1\nfinally:\n    c = 1",
        [4],
        (5, 4, 0, 0),
    ),
    ("a case", "match 1:\n    case 1:\n        a = 1\n    case _:\n        a = 2", [5], (3, 2, 2, 1)),
    ("no case", "match 1:\n    case 2:\n        a = 1", [3], (2, 1, 2, 1)),
    (
        "what is for type checkers",
        "TYPE_CHECKING = 0\nif TYPE_CHECKING:\n    import nothing",
        [],
        (2, 2, 0, 0),
    ),
    ("a body of dots", "class C:\n    def f(self): ...\na = 1", [], (3, 3, 0, 0)),
    ("a branch of dots", "if 0 > 1:\n    ...", [], (1, 1, 2, 1)),
    (
        "what is within with",
        "from contextlib import suppress\nwith suppress(KeyError):\n    {}[1]\n    a = 1",
        [4],
        (4, 3, 0, 0),
    ),
    (
        "future imports and docstrings",
        "'''Text.'''\nfrom __future__ import annotations\na: int = 1",
        [],
        (1, 1, 0, 0),
    ),
]


def ran(source: str) -> reached.Marks:
    """The marks of the module after it was run."""
    code, marks = reached.marked(dedent(source), "module.py")
    exec(code, {reached.NAME: marks.passed, "__name__": "module"})  # noqa: S102  # our own rows
    return marks


@pytest.mark.parametrize(
    ("source", "unreached", "count"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_what_did_not_run_is_unreached(source, unreached, count):
    """The lines of statements that did not run are named, and branches are counted in both directions."""
    marks = ran(source)
    assert (marks.unreached(), marks.count()) == (unreached, reached.Count(*count))


def test_what_either_process_reached_is_reached():
    """Marks of two workers add up."""
    source = "def f(a):\n    if a:\n        return 1\n    return 2\n"
    one, other = ran(source + "f(0)"), ran(source + "f(1)")
    assert (one.unreached(), other.unreached()) == ([3], [4])
    one.add(other)
    assert one.unreached() == []


def test_marks_change_nothing_that_a_module_says():
    """Docstrings, line numbers of errors and the names in classes are as without marks."""
    source = "'''Module.'''\nclass C:\n    '''Class.'''\n    a = 1\ndef f():\n    '''Function.'''\n    raise KeyError\n"
    code, marks = reached.marked(source, "module.py")
    names = {reached.NAME: marks.passed, "__name__": "module"}
    exec(code, names)  # noqa: S102  # as above
    assert (names["__doc__"], names["C"].__doc__, names["f"].__doc__) == ("Module.", "Class.", "Function.")
    assert not [name for name in vars(names["C"]) if name == reached.NAME]
    with pytest.raises(KeyError) as raised:
        names["f"]()
    assert raised.traceback[-1].lineno == 6  # counted from 0
