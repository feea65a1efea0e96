"""The values of a template's parameters: the config's, and those that `provision` finds out and fills in.

names         of cluster, service and repository
network       the default VPC, for a new environment whose config names no other
repositories  made by the stack that finds none: the environments of an app share them
images        repositories elsewhere that tasks pull from, and the secrets that containers read
traffic       names of load balancer and target group: new ones where AWS cannot change what there is
deploy role   what the role for Jenkins may beside the stages' policy, as the config asks for it
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from ecs_pipeline.config.images import ImageSettings
from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import InvalidInput, Refused
from ecs_pipeline.images import references
from ecs_pipeline.model.stacks import NetworkPort, Stack, is_new
from ecs_pipeline.provision.containers import from_environment, secret_arns
from ecs_pipeline.provision.template import Template
from ecs_pipeline.steps import image as images
from ecs_pipeline.steps import scaling_hold

ZONES = 2
"""A load balancer has subnets in so many zones at least (CreateLoadBalancer)."""

REPOSITORIES = {"MakeRepository": "", "MakeDatadogRepository": "-datadog", "MakeFlumeRepository": "-flume"}
"""The parameter that says whether the stack makes a repository, and how its name differs from the app's."""

NAMED = {"LoadBalancerName": ("Scheme", "VpcId"), "TargetGroupName": ("Scheme", "VpcId", "ContainerPort")}
"""What makes a load balancer or target group another one.

Template reference, AWS::ElasticLoadBalancingV2::LoadBalancer and ::TargetGroup: these need a replacement, which a stack
makes under another name only, and a target group never has two load balancers.
"""

Values = dict[str, str]


@dataclass(frozen=True)
class Parameters:
    """Finds the values for one run; `built` are the images that it builds, `image` is `--image`."""

    run: Run
    template: Template
    network: NetworkPort
    partition_of: Callable[[str], str]
    built: Mapping[str, ImageSettings]
    image: str

    def given(self, stack: Stack | None) -> Values:
        """What a change set is given beside what the stack has. Raises InvalidInput, Refused."""
        settings = self.run.settings
        before = {} if stack is None or stack.planned else dict(stack.parameters)
        given = {
            "ClusterName": settings.cluster,
            "ServiceName": settings.service,
            "RepositoryName": settings.image.repository,
            **from_environment(settings.provision.parameters),
        }
        if is_new(stack) and not {"VpcId", "SubnetIds"} <= set(given):
            given = {**self._default_network(), **given}
        if not self.template.packaged:
            return given
        given = {**self._repositories(before), **self._granted(), **given}
        given = {**given, **self._listed(given, before)}
        return {**self._names(given, before), **given}

    def _granted(self) -> Values:
        """What releases with this config ask of AWS beside the stages' policy (docs/iam.md)."""
        wanted = {
            "DeployReadsScans": self.run.settings.image.scan is not None,
            "DeployHoldsAutoscaling": scaling_hold.asked(self.run),
        }
        return {parameter: "true" if asked else "false" for parameter, asked in wanted.items()}

    def values(self, given: Mapping[str, str], stack: Stack | None) -> Values:
        """Every parameter's value in the stack that there would be; an image that is built has one by then."""
        before = {} if stack is None or stack.planned else stack.parameters
        images_to_come = dict.fromkeys(self.built, "built") | ({"Image": self.image} if self.image else {})
        return {**self.template.defaults, **before, **given, **images_to_come}

    def _default_network(self) -> Values:
        network = self.network.default_network()
        if network is None:
            raise InvalidInput(
                "the account has no default VPC", cure="name one: provision.parameters.VpcId and SubnetIds"
            )
        vpc, subnets = network
        if len(subnets) < ZONES:
            raise InvalidInput(
                f"the default VPC {vpc} has {len(subnets)} default subnets in zones with Fargate, not {ZONES}",
                cure="name a network: provision.parameters.VpcId and SubnetIds",
            )
        return {"VpcId": vpc, "SubnetIds": ",".join(subnets), "AssignPublicIp": "ENABLED"}

    def _repositories(self, before: Mapping[str, str]) -> Values:
        """A stack keeps those that it made; a stack of a template without these parameters made all three."""
        if before:
            return {} if "MakeRepository" in before else dict.fromkeys(REPOSITORIES, "true")
        app = self.run.settings.image.repository
        built = [self.run.settings.image, *self.built.values()]
        wanted = {settings.repository for settings in built if not settings.registry}
        found = {}
        for parameter, suffix in REPOSITORIES.items():
            missing = app + suffix in wanted and self.run.repositories.repository(app + suffix) is None
            found[parameter] = "true" if missing else "false"
        own = {app + suffix for suffix in REPOSITORIES.values()}
        for settings in built:
            if settings.registry or settings.repository not in own:
                images.repository(self.run, settings)
        return found

    def _listed(self, given: Mapping[str, str], before: Mapping[str, str]) -> Values:
        """Lists of ARNs: the config's, and what follows from the images and containers of the config."""
        containers = self.run.settings.provision.containers
        values = self.values(given, None) if not before else {**self.template.defaults, **before, **given}
        named = {self.image or values["Image"], values["DatadogImage"], values["FlumeImage"]}
        named |= {container.image for container in containers.values()}
        named |= {images.repository(self.run, built).uri for built in self.built.values() if built.registry}
        found = {"ImageRepositoryArns": self._pulled(named - {"", "built"}), "SecretArns": secret_arns(containers)}
        return {key: ",".join(sorted(arns | _split(given.get(key, "")))) for key, arns in found.items()}

    def _pulled(self, named: set[str]) -> set[str]:
        """The ARNs of ECR repositories that are not the environment's own."""
        app = self.run.settings.image.repository
        own = self.run.repositories.repository(app) if named else None
        found = set()
        for text in named:
            reference = references.parse(text)
            if reference.ecr is None:
                continue
            ours = own is not None and own.uri == f"{reference.registry}/{app}"
            if not ours or reference.repository not in {app + suffix for suffix in REPOSITORIES.values()}:
                account, region = reference.ecr
                arn = f"arn:{self.partition_of(region)}:ecr:{region}:{account}:repository/{reference.repository}"
                found.add(arn)
        return found

    def _names(self, given: Mapping[str, str], before: Mapping[str, str]) -> Values:
        cluster = given["ClusterName"]
        if not before:
            return dict.fromkeys(NAMED, cluster)
        values = {**self.template.defaults, **before, **given}
        was = {**self.template.defaults, **dict.fromkeys(NAMED, cluster), **before}
        found = {}
        for parameter, makers in NAMED.items():
            changed = [name for name in makers if values[name] != was[name]]
            found[parameter] = _renamed(cluster, [values[name] for name in makers]) if changed else was[parameter]
        if found["LoadBalancerName"] != was["LoadBalancerName"] and was["DeletionProtection"] == "true":
            raise Refused(
                f"load balancer {was['LoadBalancerName']} has to be replaced, and is protected from deletion",
                cure='set provision.parameters.DeletionProtection to "false" and run `provision` first',
            )
        return found


def _renamed(cluster: str, makers: list[str]) -> str:
    """Another name of up to 32 characters that begins with the cluster's, the same for the same values."""
    digest = sha256("/".join([cluster, *makers]).encode()).hexdigest()
    return f"{cluster[:25].rstrip('-')}-{digest[:6]}"


def _split(text: str) -> set[str]:
    return {part.strip() for part in text.split(",") if part.strip()}
