"""What the command line offers, read off its own parser, in the words of three shells."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

_MODELS = "kubectl get modeldeployments -o name --request-timeout=2s 2>/dev/null"
_NAMESPACES = "kubectl get namespaces -o name --request-timeout=2s 2>/dev/null"
_OF_MODELS = ("name", "names")


@dataclass(frozen=True)
class Option:
    flags: tuple[str, ...]
    help: str
    takes_value: bool
    choices: tuple[str, ...]

    @property
    def is_namespace(self) -> bool:
        return "--namespace" in self.flags or "--operator-namespace" in self.flags


@dataclass(frozen=True)
class Command:
    name: str
    help: str
    options: tuple[Option, ...]
    choices: tuple[str, ...]
    """Of the words that are no options."""
    takes_models: bool


def commands_of(parser: argparse.ArgumentParser) -> tuple[Command, ...]:
    # argparse has no public way to look at what was declared.
    subparsers = next(one for one in parser._actions if isinstance(one, argparse._SubParsersAction))  # noqa: SLF001
    helps = {choice.dest: choice.help or "" for choice in subparsers._choices_actions}  # noqa: SLF001
    return tuple(_command(name, helps.get(name, ""), below) for name, below in subparsers.choices.items())


def _command(name: str, about: str, parser: argparse.ArgumentParser) -> Command:
    options: list[Option] = []
    choices: list[str] = []
    takes_models = False
    for action in parser._actions:  # noqa: SLF001
        found = tuple(str(choice) for choice in action.choices or ())
        if action.option_strings:
            options.append(Option(tuple(action.option_strings), action.help or "", action.nargs != 0, found))
        else:
            choices += found
            takes_models = takes_models or action.dest in _OF_MODELS
    return Command(name, about, tuple(options), tuple(choices), takes_models)


def candidates(commands: Sequence[Command], words: Sequence[str]) -> list[str]:
    """For the last word, which may be empty. Nothing: files, or what only a cluster knows."""
    *before, last = words or [""]
    if not before:
        return [command.name for command in commands if command.name.startswith(last)]
    command = next((one for one in commands if one.name == before[0]), None)
    if command is None:
        return []
    open_option = next((one for one in command.options if before[-1] in one.flags and one.takes_value), None)
    if open_option:
        return [choice for choice in open_option.choices if choice.startswith(last)]
    flags = [flag for option in command.options for flag in option.flags]
    offered = flags if last.startswith("-") else list(command.choices)
    return [word for word in offered if word.startswith(last)]


def bash(commands: Sequence[Command]) -> str:
    names = " ".join(command.name for command in commands)
    return f"""\
# Completion of stoker for bash, by `stoker completion bash`.
_stoker() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} command=${{COMP_WORDS[1]}}
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "{names}" -- "$word"))
    return
  fi
  case "$command $before" in
{_cases(_values(commands))}
  esac
  case "$command" in
{_cases(_words(commands))}
  esac
}}
complete -F _stoker stoker
"""


def zsh(commands: Sequence[Command]) -> str:
    head = "#compdef stoker\n# For zsh, which runs bash's function.\nautoload -U +X bashcompinit && bashcompinit\n"
    return head + bash(commands)


def _cases(cases: Sequence[tuple[str, str]]) -> str:
    return "\n".join(f"    {pattern}) {reply} ;;" for pattern, reply in cases)


def _values(commands: Sequence[Command]) -> list[tuple[str, str]]:
    """What may follow an option."""
    cases = []
    for command in commands:
        for option in command.options:
            if not option.takes_value:
                continue
            pattern = "|".join(f'"{command.name} {flag}"' for flag in option.flags)
            if option.choices:
                reply = f'COMPREPLY=($(compgen -W "{" ".join(option.choices)}" -- "$word"))'
            elif option.is_namespace:
                reply = f'COMPREPLY=($(compgen -W "$({_NAMESPACES} | cut -d/ -f2)" -- "$word"))'
            else:
                reply = 'COMPREPLY=($(compgen -f -- "$word"))'
            cases.append((pattern, f"{reply}; return"))
    return cases


def _words(commands: Sequence[Command]) -> list[tuple[str, str]]:
    """What may stand by itself."""
    cases = []
    for command in commands:
        flags = " ".join(flag for option in command.options for flag in option.flags)
        words = f"$({_MODELS} | cut -d/ -f2)" if command.takes_models else " ".join(command.choices)
        plain = f'COMPREPLY=($(compgen -W "{words}" -- "$word"))'
        named = f'COMPREPLY=($(compgen -W "{flags}" -- "$word"))'
        cases.append((command.name, f'case "$word" in -*) {named} ;; *) {plain} ;; esac'))
    return cases


def fish(commands: Sequence[Command]) -> str:
    lines = ["# Completion of stoker for fish, by `stoker completion fish`.", "complete -c stoker -f"]
    for command in commands:
        lines.append(f"complete -c stoker -n __fish_use_subcommand -a {command.name} -d {_quoted(command.help)}")
        here = f"-n '__fish_seen_subcommand_from {command.name}'"
        if command.takes_models:
            lines.append(f"complete -c stoker {here} -a '({_MODELS} | string split -f2 /)'")
        if command.choices:
            lines.append(f"complete -c stoker {here} -a {_quoted(' '.join(command.choices))}")
        lines += [f"complete -c stoker {here} {_fish_option(option)}" for option in command.options]
    return "\n".join((*lines, ""))


def _fish_option(option: Option) -> str:
    flags = [f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}" for flag in option.flags]
    value = ""
    if option.choices:
        value = f" -x -a {_quoted(' '.join(option.choices))}"
    elif option.is_namespace:
        value = f" -x -a '({_NAMESPACES} | string split -f2 /)'"
    elif option.takes_value:
        value = " -r -F"
    return f"{' '.join(flags)}{value} -d {_quoted(option.help)}"


def _quoted(text: str) -> str:
    """Within single quotes, where fish knows two characters that need care."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
