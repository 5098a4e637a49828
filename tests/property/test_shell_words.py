"""The printed script says to a shell what the engine says without one."""

import subprocess

from hypothesis import given, settings
from hypothesis import strategies as st

from bic.lower.script import Function, Given, Var, Word
from bic.lower.shell import _words, call, word

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12) | st.text(
    "'\"$`\\ \n*?[]{}~#!&|;<>()=-%", max_size=8
)
variables = {"a": "plain", "b": "with  spaces 'and' \"quotes\" $HOME * \\", "c": "", "d": "line\nbreak"}
pieces = texts | st.sampled_from(sorted(variables)).map(Var)
words = texts | st.lists(pieces, max_size=4).map(tuple)


def filled(value: Word) -> str:
    """As the engine fills words in."""
    if isinstance(value, str):
        return value
    return "".join(variables[each.name] if isinstance(each, Var) else each for each in value)


def evaluated(text: str) -> list[str]:
    script = f"set -eu\nprintf '%s\\0' {text}"
    done = subprocess.run(["sh", "-c", script], env=variables, capture_output=True, check=True)
    return done.stdout.decode().split("\0")[:-1]


@settings(max_examples=60)
@given(st.lists(words, min_size=1, max_size=30))
def test_words_survive_the_shell(values: list[Word]) -> None:
    assert evaluated(" ".join(word(each) for each in values)) == [filled(each) for each in values]


@settings(max_examples=20)
@given(st.lists(words, min_size=1, max_size=5), st.sampled_from(sorted(variables)))
def test_words_that_are_given_with_a_variable_survive_too(values: list[Word], name: str) -> None:
    # What stands in `${a:+…}` is bic's own: options and paths of mounts, never text of a spec.
    plain: tuple[Word, ...] = ("--volume", (Var(name), ":/run/x:ro"))
    wanted = [filled(each) for each in plain] if variables[name] else []
    text = _words((*values, Given(Var(name), plain), "end"))
    assert evaluated(text) == [*(filled(each) for each in values), *wanted, "end"]


@settings(max_examples=30)
@given(st.lists(words, min_size=1, max_size=5))
def test_a_call_stays_one_command(values: list[Word]) -> None:
    script = f'f() {{ printf \'%s\\0\' "$#" "$@"; }}\n{call(Function(("f", *values)))}'
    done = subprocess.run(["sh", "-c", script], env=variables, capture_output=True, check=True)
    assert done.stdout.decode().split("\0")[:-1] == [str(len(values)), *(filled(each) for each in values)]
