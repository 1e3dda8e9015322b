"""The operator's configuration: what wins, and a sentence for everything that can be wrong with it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from stoker.api.configuration import Configuration, LogLevel
from stoker.api.schema.settings import settings
from stoker.cli.configuration_file import LoadedConfiguration, load
from stoker.cli.input_error import InputError

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(text: str) -> Path:
        path = tmp_path / "stoker.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write_file


def problems_of(file: Path | None, environment: dict[str, str] | None = None, *flags: str) -> list[str]:
    with pytest.raises(InputError) as refused:
        load(file, environment or {}, flags)
    folder = f"{file.parent}/" if file else ""
    return [problem.replace(folder, "") if folder else problem for problem in refused.value.problems]


def test_without_a_file_every_key_has_its_default() -> None:
    assert load(None, {}) == LoadedConfiguration(Configuration(), {})


@pytest.mark.parametrize("text", ["", "\n", "# nothing yet\n", "---\n", "{}\n"])
def test_an_empty_file_is_a_valid_one(write: Write, text: str) -> None:
    assert load(write(text), {}).configuration == Configuration()


def test_an_environment_variable_wins_over_the_file_and_a_flag_over_both(write: Write) -> None:
    file = write("log: {level: debug, format: json}\nreconciling: {workers: 2, resyncSeconds: 60}\n")
    environment = {"STOKER_RECONCILING_WORKERS": "3", "STOKER_RECONCILING_RESYNC_SECONDS": "90"}
    loaded = load(file, environment, ["reconciling.workers=4"])
    assert loaded.configuration.reconciling.workers == 4
    assert loaded.configuration.reconciling.resync_seconds == 90
    assert loaded.configuration.log.level is LogLevel.DEBUG
    assert loaded.origins["reconciling.workers"] == "--set reconciling.workers"
    assert loaded.origins["reconciling.resyncSeconds"] == "STOKER_RECONCILING_RESYNC_SECONDS"
    assert loaded.origins["log.level"] == f"{file}, line 1"


def test_of_two_flags_for_one_key_the_later_wins() -> None:
    assert load(None, {}, ["log.level=debug", "log.level=error"]).configuration.log.level is LogLevel.ERROR


def test_every_kind_of_key_can_be_set_by_a_flag() -> None:
    flags = [
        "network.policy=false",
        "pods.sharedMemory=8Gi",
        "watch.namespaces=[a, b]",
        "pods.nodeSelector={pool: gpu}",
        "engines=[{name: vllm, image: 'registry.example.com/vllm:1'}]",
        "pods.priorityClassName=true",
    ]
    configuration = load(None, {}, flags).configuration
    assert not configuration.network.policy
    assert str(configuration.pods.shared_memory) == "8Gi"
    assert configuration.watch.namespaces == ("a", "b")
    assert dict(configuration.pods.node_selector) == {"pool": "gpu"}
    assert str(configuration.engines[0].image) == "registry.example.com/vllm:1"
    assert configuration.pods.priority_class_name == "true"  # the field is a text, so no YAML is read into it


def test_every_single_value_has_a_variable_of_its_own() -> None:
    variables = [setting.variable for setting in settings().values() if setting.scalar]
    assert len(set(variables)) == len(variables)
    assert {"STOKER_RECONCILING_WORKERS", "STOKER_PROBES_PORT", "STOKER_LEADERSHIP_RENEW_DEADLINE_SECONDS"} < {
        *variables
    }


def test_other_variables_of_stoker_are_left_alone() -> None:
    environment = {"STOKER_CACHE": "x", "STOKER_CONFIG": "y", "STOKER_LOGGING": "x", "LOG_LEVEL": "x"}
    assert load(None, environment).origins == {}


def test_what_the_kubelet_sets_for_a_service_with_a_key_s_name_is_left_alone() -> None:
    environment = {
        "STOKER_PROBES_SERVICE_HOST": "10.0.0.1",
        "STOKER_PROBES_SERVICE_PORT": "80",
        "STOKER_PROBES_SERVICE_PORT_HTTP": "80",
        "STOKER_PROBES_PORT": "tcp://10.0.0.1:80",
        "STOKER_PROBES_PORT_80_TCP": "tcp://10.0.0.1:80",
        "STOKER_PROBES_PORT_80_TCP_ADDR": "10.0.0.1",
    }
    assert load(None, environment).origins == {}
    assert load(None, environment | {"STOKER_PROBES_PORT": "81"}).configuration.probes.port == 81


def test_anchors_and_merged_keys_are_read(write: Write) -> None:
    text = """\
engines:
- &base
  name: vllm
  image: registry.example.com/vllm:1
- <<: *base
  name: sglang
"""
    engines = load(write(text), {}).configuration.engines
    assert [str(engine.image) for engine in engines] == ["registry.example.com/vllm:1"] * 2


def test_yaml_s_short_booleans_are_booleans_and_its_dates_are_texts(write: Write) -> None:
    configuration = load(write("network: {policy: off}\nleadership: {leaseName: 2026-01-31}"), {}).configuration
    assert not configuration.network.policy
    assert configuration.leadership.lease_name == "2026-01-31"


def test_null_means_something_in_a_free_form_object(write: Write) -> None:
    tolerations = load(write("pods: {tolerations: [{key: gpu, value: null}]}"), {}).configuration.pods.tolerations
    assert dict(tolerations[0]) == {"key": "gpu", "value": None}


def test_everything_that_is_wrong_is_said_at_once(write: Write) -> None:
    file = write("log:\n  level: loud\nreconciling:\n  worker: 3\npods:\n")
    environment = {"STOKER_LOG_FROMAT": "json", "STOKER_LIMITS_MAX_REPLICAS": "8k"}
    problems = problems_of(file, environment, "probes.prot=1", "probes.port=x")
    assert [problem.partition(": ")[0] for problem in problems] == [
        "stoker.yaml, line 5",
        "STOKER_LOG_FROMAT",
        "--set probes.prot=1",
        "STOKER_LIMITS_MAX_REPLICAS",
        "stoker.yaml, line 4",
        "--set probes.port",
        "stoker.yaml, line 2",
    ]


@dataclass(frozen=True)
class Wrong:
    """One way to get it wrong, and what is said."""

    why: str
    says: str
    text: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    flags: tuple[str, ...] = ()


WRONG = (
    Wrong(
        "a tab",
        "stoker.yaml, line 2: is no YAML, found character '\\t' that cannot start any token: indent with spaces",
        "log:\n\tlevel: info",
    ),
    Wrong(
        "a value with a colon",
        "stoker.yaml, line 1: is no YAML, mapping values are not allowed here: put a value that contains ': ' in"
        " quotes, and align the keys",
        "log: level: x",
    ),
    Wrong(
        "an open bracket",
        "stoker.yaml, line 2: is no YAML, expected ',' or ']', but got '<stream end>': look at this line and the one"
        " above",
        "watch: {namespaces: [a\n",
    ),
    Wrong(
        "two documents",
        "stoker.yaml, line 2: is no YAML, but found another document: keep one of them, without ---",
        "log: {}\n---\nlog: {}",
    ),
    Wrong(
        "an unknown anchor",
        "stoker.yaml, line 1: is no YAML, found undefined alias 'x': define the anchor above, or put a value that"
        " starts with * in quotes",
        "log: *x",
    ),
    Wrong(
        "a tag",
        "stoker.yaml, line 1: is no YAML, could not determine a constructor for the tag '!env': remove the tag, or put"
        " a value that starts with ! in quotes",
        "log: {level: !env LEVEL}",
    ),
    Wrong(
        "a control character",
        "stoker.yaml: is no YAML, unacceptable character #x0001: special characters are not allowed in"
        ' "<unicode string>", position 5: remove the character',
        "log: \x01",
    ),
    Wrong(
        "an object in itself",
        "stoker.yaml, line 1: log.level: contains itself by an alias: write it out",
        "log: &a {level: *a}",
    ),
    Wrong(
        "a key twice",
        "stoker.yaml, line 3: log: stands on line 1 too: keep one of them",
        "log: {level: info}\n\nlog: {format: json}",
    ),
    Wrong(
        "a key that YAML takes for a boolean",
        "stoker.yaml, line 2: pods.nodeSelector.on: YAML does not read this key as a text: put a text in quotes",
        "pods:\n  nodeSelector: {on: 'a'}",
    ),
    Wrong(
        "a list as a key",
        "stoker.yaml, line 1: a list or mapping: YAML does not read this key as a text: put a text in quotes",
        "? [a]\n: b",
    ),
    Wrong(
        "a list in place of the file",
        "stoker.yaml: holds a list, not keys and their values: write lines such as `log: {level: debug}`",
        "- a",
    ),
    Wrong(
        "a text in place of the file",
        "stoker.yaml: holds the value 'info', not keys and their values: write lines such as `log: {level: debug}`",
        "info",
    ),
    Wrong("an empty section", "stoker.yaml, line 1: log: is empty: remove it, or give it a value", "log:"),
    Wrong(
        "a bare Off",
        "stoker.yaml, line 1: log.level: false does not fit here: write one of 'debug', 'info', 'warning' or 'error',"
        " in quotes, since YAML reads a bare On or Off as true or false",
        "log: {level: Off}",
    ),
    Wrong(
        "a bare no in a list of texts",
        "stoker.yaml, line 1: watch.namespaces[0]: false does not fit here: write a text, in quotes where YAML would"
        " read a number or true/false",
        "watch: {namespaces: [no]}",
    ),
    Wrong(
        "a value in place of a section",
        "stoker.yaml, line 1: log: 5 does not fit here: write an object",
        "log: 5",
    ),
    Wrong(
        "a set in place of a section",
        "stoker.yaml, line 1: log: \"{'level'}\" does not fit here: write an object",
        "log: !!set {level}",
    ),
    Wrong(
        "an unknown section",
        "stoker.yaml, line 1: logs: is not a field here: did you mean log?",
        "logs: {level: info}",
    ),
    Wrong(
        "a number that is too large",
        "stoker.yaml, line 2: probes.port: 70000 does not fit here: write 65535 or less",
        "probes:\n  port: 70000",
    ),
    Wrong(
        "a required key left out of a list's entry",
        "stoker.yaml, line 2: engines[0].name: is missing: it has no default, so set it",
        "engines:\n- image: registry.example.com/vllm:1",
    ),
    Wrong(
        "an engine twice",
        'stoker.yaml, line 3: engines[1]: repeats ["vllm"]: keep it once',
        "engines:\n- name: vllm\n- name: vllm",
    ),
    Wrong(
        "a broken rule that the file brought about",
        "stoker.yaml, line 1: leadership.renewDeadlineSeconds: renewDeadlineSeconds 10 is not below leaseSeconds 5:"
        " a leader must stop before another one starts, so lower it",
        "leadership: {leaseSeconds: 5}",
    ),
    Wrong(
        "a broken rule that a variable brought about",
        "STOKER_LEADERSHIP_LEASE_SECONDS: leadership.renewDeadlineSeconds: renewDeadlineSeconds 10 is not below"
        " leaseSeconds 5: a leader must stop before another one starts, so lower it",
        environment={"STOKER_LEADERSHIP_LEASE_SECONDS": "5"},
    ),
    Wrong(
        "a section as a variable",
        "STOKER_LOG: stands for no key of the configuration: did you mean STOKER_LOG_LEVEL?",
        environment={"STOKER_LOG": "debug"},
    ),
    Wrong(
        "a list as a variable",
        "STOKER_WATCH_NAMESPACES: stands for watch.namespaces, which is no single value: write it in the"
        " configuration file, or give --set 'watch.namespaces=…' in YAML",
        environment={"STOKER_WATCH_NAMESPACES": "a,b"},
    ),
    Wrong(
        "an empty variable",
        "STOKER_LOG_LEVEL: is empty: unset it, or give log.level a value",
        environment={"STOKER_LOG_LEVEL": ""},
    ),
    Wrong(
        "a variable that is no boolean",
        'STOKER_NETWORK_POLICY: network.policy: "yes" does not fit here: write true or false without quotes',
        environment={"STOKER_NETWORK_POLICY": "yes"},
    ),
    Wrong(
        "a variable that is no number",
        'STOKER_PROBES_PORT: probes.port: "http" does not fit here: write a whole number without quotes or unit; the'
        " unit is in the field's name or description",
        environment={"STOKER_PROBES_PORT": "http"},
    ),
    Wrong(
        "a misspelt variable",
        "STOKER_LOG_FROMAT: stands for no key of the configuration: did you mean STOKER_LOG_FORMAT?",
        environment={"STOKER_LOG_FROMAT": "json"},
    ),
    Wrong(
        "a variable like no key",
        "STOKER_ENGINES_7_COLOUR: stands for no key of the configuration: unset it; `stoker config` lists the keys",
        environment={"STOKER_ENGINES_7_COLOUR": "x"},
    ),
    Wrong(
        "a misspelt flag",
        "--set probes.prot=1: probes.prot is not a key of the configuration: did you mean probes.port?",
        flags=("probes.prot=1",),
    ),
    Wrong(
        "a flag without a value",
        "--set log.level: has no value: write --set log.level=VALUE",
        flags=("log.level",),
    ),
    Wrong(
        "a flag for a section",
        "--set log=debug: log holds further keys: set one of them, such as log.format",
        flags=("log=debug",),
    ),
    Wrong(
        "a flag like no key",
        "--set x=1: x is not a key of the configuration: `stoker config` lists the keys",
        flags=("x=1",),
    ),
    Wrong(
        "a flag that is no YAML",
        "--set watch.namespaces=[a: [a is no YAML: write --set 'watch.namespaces=[a, b]'",
        flags=("watch.namespaces=[a",),
    ),
    Wrong(
        "a flag for a list without brackets",
        '--set watch.namespaces: "a" does not fit here: write a list',
        flags=("watch.namespaces=a",),
    ),
)


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.why)
def test_one_thing_that_is_wrong_is_one_sentence(write: Write, wrong: Wrong) -> None:
    assert problems_of(write(wrong.text), wrong.environment, *wrong.flags) == [wrong.says]


def test_a_flag_for_a_key_of_a_section_that_the_file_got_wrong_leaves_the_blame_with_the_file(write: Write) -> None:
    assert problems_of(write("log: 5"), {}, "log.level=debug") == [
        "stoker.yaml, line 1: log: 5 does not fit here: write an object"
    ]


def test_a_value_that_a_flag_replaces_is_no_longer_the_file_s(write: Write) -> None:
    file = write("pods: {nodeSelector: {pool: gpu}}")
    loaded = load(file, {}, ["pods.nodeSelector={zone: a}"])
    assert dict(loaded.configuration.pods.node_selector) == {"zone": "a"}
    assert loaded.origins == {
        "pods": f"{file}, line 1",
        "pods.nodeSelector": "--set pods.nodeSelector",
    }


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    assert problems_of(tmp_path / "none.yaml") == [
        "none.yaml: there is no such file: give the path of the configuration"
    ]


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert problems_of(tmp_path) == [f"{tmp_path.name}: is a folder: give the path of a file in it"]


def test_a_file_that_cannot_be_read_is_named(write: Write) -> None:
    below_a_file = write("") / "inner.yaml"
    assert problems_of(below_a_file) == ["inner.yaml: cannot be read, Not a directory: make it readable for this user"]


def test_a_file_in_another_encoding_is_refused(write: Write) -> None:
    file = write("")
    file.write_bytes("log: {level: größer}".encode("latin-1"))
    assert problems_of(file) == ["stoker.yaml: is not UTF-8 from byte 15 on: save it as UTF-8"]
