"""What is told of a wrong config: one line with the place and the cure, the other mistakes after it, exit 2."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecs_pipeline.config.load import load
from ecs_pipeline.config.settings import Settings
from tests.unit.config.mistakes import NAMES, NO_CACHE, Tell


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("contaner: app", "contaner: unknown key (did you mean container?)"),
        ("canary: {healthy_witin: 5m}", "canary.healthy_witin: unknown key (did you mean healthy_within?)"),
        ("canary: {steps: [{task: 1}]}", "canary.steps.0.task: unknown key (did you mean tasks?)"),
        ("image: {build_arg: {}}", "image.build_arg: unknown key (did you mean build_args?)"),
        ("promote: {stable: 5m}", "promote.stable: unknown key (did you mean stable_within?)"),
        ("environment: {}", "environment: unknown key (did you mean environments?)"),
        ("rollback: {zzz: 5m}", "rollback.zzz: unknown key; known here: drain"),
    ],
)
def test_an_unknown_key_is_told_with_the_nearest_known_one(told: Tell, text: str, line: str) -> None:
    assert told(NAMES + text) == [f"c.yml:3: {line}"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("app: 5", "app: text is expected, not 5"),
        ("app: [a]", 'app: text is expected, not ["a"]'),
        ("region: true", "region: text is expected, not true"),
        ("canary: 5m", "canary: a map of keys is expected, not '5m'"),
        ("canary: [tasks]", 'canary: a map of keys is expected, not ["tasks"]'),
        ("canary: {tasks: two}", "canary.tasks: a whole number is expected, not 'two'"),
        ("canary: {tasks: true}", "canary.tasks: a whole number is expected, not true"),
        ("canary: {tasks: 0}", "canary.tasks: input should be greater than or equal to 1, not 0"),
        ("canary: {tasks: 101}", "canary.tasks: input should be less than or equal to 100, not 101"),
        ("canary: {percent: 100}", "canary.percent: input should be less than 100, not 100"),
        ("canary: {percent: few}", "canary.percent: a number is expected, not 'few'"),
        ("canary: {steps: 3}", "canary.steps: a list is expected, not 3"),
        ("image: {build_args: [A=1]}", "image.build_args: a map of keys is expected, not a list"),
        ("image: {build_args: {A: [hunter2]}}", "image.build_args.A: text is expected, not a list"),
        ("provision: {parameters: {A: {b: hunter2}}}", "provision.parameters.A: text is expected, not a map"),
        (
            "image: {secrets: {npm: {env: A, src: b}}}",
            "image.secrets.npm: give either src, a file, or env, the name of a variable",
        ),
        (
            "image: {secrets: {npm: {env: hunter-2}}}",
            (
                "image.secrets.npm.env: this is not the name of a variable; "
                "write the name, such as NPM_TOKEN, and not the secret"
            ),
        ),
        (
            "image: {target: a b}",
            "image.target: 'a b' is not the name of a stage; write what stands behind AS in the Dockerfile",
        ),
        (
            "image: {cache_to: ['type=s3,secret_access_key=hunter2']}",
            "image.cache_to.0: secret_access_key does not belong in a file; buildx takes it from the environment",
        ),
        (
            "image: {cache_from: ['mode=max']}",
            f"image.cache_from.0: {NO_CACHE}",
        ),
        ("image: {cache_from: [r/web, a b]}", f"image.cache_from.1: {NO_CACHE}"),
        (
            "image: {labels: {ecs-pipeline.service: x}}",
            "image.labels: labels ecs-pipeline.… are written by ecs-pipeline itself; take ecs-pipeline.service out",
        ),
        (
            "image: {secrets: {'a,b': {env: A}}}",
            "image.secrets: 'a,b' is not the id of a secret; write what stands behind id= in the Dockerfile",
        ),
        ("image: {signature: {}}", "image.signature.program: is missing"),
        (
            "image: {signature: {program: cosign}}",
            "image.signature: cosign takes either a key, or an identity with its issuer",
        ),
        (
            "image: {signature: {program: cosign, identity: a@b.example}}",
            "image.signature: cosign takes either a key, or an identity with its issuer",
        ),
        (
            "image: {signature: {program: cosign, key: 'https://a:b@c/d'}}",
            "image.signature: a key's URI has no password in it: arguments of programs are public",
        ),
        (
            "image: {signature: {program: notation, key: k.pub}}",
            "image.signature: notation takes program and within only; its own trust policy says whom to trust",
        ),
        (
            "image: {scan: {fail_on: SEVERE}}",
            (
                "image.scan.fail_on: input should be 'CRITICAL', 'HIGH', 'MEDIUM', 'LOW' or 'INFORMATIONAL', "
                "not 'SEVERE'"
            ),
        ),
        ("role_arn: deploy", "role_arn: 'deploy' is not the ARN of a role; write arn:aws:iam::123456789012:role/NAME"),
        ("canary: {bake: 169h}", "canary.bake: 169h is too long; 168h is the most"),
        (
            "canary: {bake: " + 400 * "9" + "s}",
            "canary.bake: 99999999999999999999s is too long; 168h is the most",
        ),
    ],
)
def test_a_wrong_value_is_told_with_what_is_expected(told: Tell, text: str, line: str) -> None:
    assert told(NAMES + text) == [f"c.yml:3: {line}"]


NO_REPOSITORY = " is not the name of an ECR repository; write it alone, such as sample/app"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("canary: {bake: 1.5}", "canary.bake: 1.5 is not a duration; write 300ms, 90s, 5m or 1h"),
        ("canary: {percent: true}", "canary.percent: a number is expected, not true"),
        ("canary: {percent: '33'}", "canary.percent: a number is expected, not '33'"),
        ("canary: {healthy_within: 0s}", "canary.healthy_within: input should be greater than 0, not 0.0"),
        ("promote: {stable_within: 0ms}", "promote.stable_within: input should be greater than 0, not '0ms'"),
        ("image: {repository: Web}", f"image.repository: 'Web'{NO_REPOSITORY}"),
        ("image: {repository: host.example/web:1}", f"image.repository: 'host.example/web:1'{NO_REPOSITORY}"),
        ("image: {platform: arm}", "image.platform: 'arm' is not a platform; write linux/amd64 or linux/arm64"),
        (
            'canary: {bake: ["\\ud800\\udc00"]}',
            'canary.bake: ["\\ud800\\udc00"] is not a duration; write 300ms, 90s, 5m or 1h',
        ),
        ("canary:", "canary: a map of keys is expected, and nothing is there; fill it in or remove the key"),
        ("app: ~", "app: text is expected, and nothing is there; fill it in or remove the key"),
        ("1: 2", f"1: unknown key; known here: {', '.join([*Settings.model_fields, 'environments'])}"),
    ],
)
def test_what_only_looks_right_is_told_too(told: Tell, text: str, line: str) -> None:
    assert told(NAMES + text) == [f"c.yml:3: {line}"]


@pytest.mark.parametrize("value", ["5", "5 m", "5min", "-5m", "m", "''", "1h30m", "null", "[5m]", "5M", "\u0665m"])
def test_what_is_no_duration_is_told_with_how_to_write_one(told: Tell, value: str) -> None:
    (line,) = told(f"{NAMES}canary: {{bake: {value}}}\n")
    assert line.startswith("c.yml:3: canary.bake: ")
    assert line.endswith(" is not a duration; write 300ms, 90s, 5m or 1h")


STEPS = "steps: [{tasks: 1}]"


@pytest.mark.parametrize("pair", ["tasks: 1, percent: 5", f"percent: 5, {STEPS}", f"tasks: 1, {STEPS}"])
def test_sizes_that_exclude_each_other_are_told(told: Tell, pair: str) -> None:
    (line,) = told(f"{NAMES}canary: {{{pair}}}\n")
    assert line.startswith("c.yml:3: canary: ")
    assert line.endswith("exclude each other; keep one")


@pytest.mark.parametrize("step", ["{}", "{bake: 5m}", "{tasks: 1, percent: 5}"])
def test_a_step_has_one_size(told: Tell, step: str) -> None:
    assert told(f"{NAMES}canary: {{steps: [{step}]}}") == ["c.yml:3: canary.steps.0: give either tasks or percent"]


def test_an_overlay_with_two_sizes_is_told_at_the_overlay(told: Tell) -> None:
    text = NAMES + "environments:\n  prd:\n    canary: {tasks: 1, percent: 5}\n"
    assert told(text, "prd") == ["c.yml:5: canary: tasks and percent exclude each other; keep one"]


def test_each_mistake_has_the_line_where_its_value_stands_in_base_or_overlay(told: Tell) -> None:
    text = NAMES + (
        "canary:\n  bake: long\n  healthy_within: longer\n"
        "environments:\n  prd:\n    canary:\n      healthy_within: longest\n"
    )
    for environment, lines in (
        ("prd", {"bake": "4", "healthy_within": "9"}),
        ("", {"bake": "4", "healthy_within": "5"}),
    ):
        places = [line.split(": ")[:2] for line in told(text, environment)]
        assert {key.removeprefix("canary."): place.removeprefix("c.yml:") for place, key in places} == lines


def test_a_mistake_in_another_environment_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "c.yml").write_text(NAMES + "environments: {prd: {nonsense: 1}, stg: {container: web}}\n")
    assert load(str(tmp_path / "c.yml"), "stg", {}).settings.container == "web"


def test_a_wrong_flag_is_told_as_one_though_the_file_has_the_key(told: Tell) -> None:
    (line,) = told(NAMES, cluster="a b")
    assert line == "--cluster: 'a b' is not the name of a cluster; ECS takes letters, digits, `-` and `_`"
    assert told(NAMES, role_arn="me")[0].startswith("--role-arn: 'me' is not the ARN of a role")


def test_a_name_that_follows_from_a_wrong_app_is_told_there(told: Tell) -> None:
    lines = told("region: r\napp: my app\n", "prd")
    assert [line.partition(" ")[0] for line in lines] == ["c.yml:2:", "c.yml:2:"]


def test_what_stands_in_the_file_is_told_before_what_is_missing(told: Tell) -> None:
    lines = told("service: s\ncluter: c\n")
    assert [line.partition(":")[0] for line in lines] == ["c.yml", "no cluster named; give --cluster, `cluster"]


def test_an_environment_has_no_environments(told: Tell) -> None:
    (line,) = told(NAMES + "environments: {prd: {environments: {}}}\n", "prd")
    assert line == "c.yml:3: environments: an environment has none of its own"


def test_an_environment_that_would_change_nothing_is_told(told: Tell) -> None:
    """A typing mistake there would deploy to the one cluster that the file names."""
    (line,) = told(NAMES, "prod")
    assert line.startswith("c.yml: no environment prod: there is no `environments` in it, and the cluster is given")


def test_an_environment_may_be_a_part_of_names_only(tmp_path: Path) -> None:
    file = tmp_path / "c.yml"
    file.write_text("app: web\n")
    assert load(str(file), "prd", {}).settings.cluster == "web-prd"
    file.write_text(NAMES)
    assert load(str(file), "prd", {"cluster": "given"}).settings.cluster == "given"


def test_all_mistakes_are_told_at_once(told: Tell) -> None:
    lines = told("app: 5\nregionn: x\ncanary: {tasks: 0}\nrollback: {drain: soon}\n")
    assert len(lines) == 6
    for word in ("app", "regionn", "canary.tasks", "rollback.drain", "no cluster", "no service"):
        assert any(word in line for line in lines), word


@pytest.mark.parametrize(
    ("text", "flags", "line"),
    [
        ("service: s", {}, "no cluster named; give --cluster, `cluster:` in c.yml, or `app:` and --environment"),
        ("app: a", {}, "no cluster named; give --cluster, `cluster:` in c.yml, or `app:` and --environment"),
        ("cluster: c", {}, "no service named; give --service, `service:` in c.yml, or `app:`"),
        ("", {"cluster": "c"}, "no service named; give --service, `service:` in c.yml, or `app:`"),
    ],
)
def test_a_missing_name_is_told_with_the_ways_to_give_it(
    told: Tell, text: str, flags: dict[str, str], line: str
) -> None:
    assert told(text, **flags) == [line]


@pytest.mark.parametrize("key", ["cluster", "service"])
@pytest.mark.parametrize("name", ["my service", "Ümlaut", "a.b", "a/b", 256 * "a", "''"])
def test_a_name_that_ecs_does_not_take_is_told(told: Tell, key: str, name: str) -> None:
    names = {"cluster": "c", "service": "s", key: name}
    (line,) = told("".join(f"{name}: {value}\n" for name, value in names.items()))
    assert f": {key}: " in line
    assert line.endswith(f"is not the name of a {key}; ECS takes letters, digits, `-` and `_`")
