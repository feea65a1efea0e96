"""The template that the tests of CloudFormation deploy: a whole environment, as users write it."""

from __future__ import annotations

from typing import Any

ROLE = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def template(**changes: Any) -> dict[str, Any]:
    """A whole environment, as users write it; `changes` go into the resources' properties by logical id."""
    name = {"Ref": "AWS::StackName"}
    container = {
        "Name": "app",
        "Image": {"Ref": "Image"},
        "PortMappings": [{"ContainerPort": {"Ref": "Port"}}],
        "Environment": [
            {"Name": "PORT", "Value": {"Ref": "Port"}},
            {"Fn::If": ["Debug", {"Name": "DEBUG", "Value": "1"}, {"Ref": "AWS::NoValue"}]},
        ],
        "StopTimeout": {"Fn::If": ["Debug", 5, {"Ref": "AWS::NoValue"}]},
        "DockerLabels": {"Team-Name": "lab"},
        "LogConfiguration": {
            "LogDriver": "awslogs",
            "Options": {
                "awslogs-group": {"Ref": "Logs"},
                "awslogs-region": {"Ref": "AWS::Region"},
                "awslogs-stream-prefix": "app",
            },
        },
    }
    resources: dict[str, tuple[str, dict[str, Any]]] = {
        "Cluster": ("ECS::Cluster", {"ClusterName": name}),
        "Repository": ("ECR::Repository", {"RepositoryName": name, "ImageTagMutability": "IMMUTABLE"}),
        "Logs": ("Logs::LogGroup", {"LogGroupName": {"Fn::Join": ["/", ["", "ecs", name]]}}),
        "Role": ("IAM::Role", {"AssumeRolePolicyDocument": ROLE}),
        "Group": ("EC2::SecurityGroup", {"GroupDescription": "app", "VpcId": {"Ref": "Vpc"}}),
        "Balancer": (
            "ElasticLoadBalancingV2::LoadBalancer",
            {"Name": name, "Subnets": {"Ref": "Subnets"}, "SecurityGroups": [{"Fn::GetAtt": ["Group", "GroupId"]}]},
        ),
        "Targets": (
            "ElasticLoadBalancingV2::TargetGroup",
            {
                "Name": name,
                "Port": {"Ref": "Port"},
                "Protocol": "HTTP",
                "VpcId": {"Ref": "Vpc"},
                "TargetType": "ip",
                "HealthCheckPath": "/health",
                "HealthCheckIntervalSeconds": 5,
                "HealthCheckTimeoutSeconds": 2,
                "TargetGroupAttributes": [{"Key": "deregistration_delay.timeout_seconds", "Value": "1"}],
            },
        ),
        "Listener": (
            "ElasticLoadBalancingV2::Listener",
            {
                "LoadBalancerArn": {"Ref": "Balancer"},
                "Port": 80,
                "Protocol": "HTTP",
                "DefaultActions": [{"Type": "forward", "TargetGroupArn": {"Ref": "Targets"}}],
            },
        ),
        "Definition": (
            "ECS::TaskDefinition",
            {
                "Family": name,
                "NetworkMode": "awsvpc",
                "RequiresCompatibilities": ["FARGATE"],
                "Cpu": "256",
                "Memory": "512",
                "ExecutionRoleArn": {"Fn::GetAtt": "Role.Arn"},
                "EnableFaultInjection": True,
                "RuntimePlatform": {"CpuArchitecture": "X86_64", "OperatingSystemFamily": "LINUX"},
                "ContainerDefinitions": [container],
            },
        ),
        "Service": (
            "ECS::Service",
            {
                "ServiceName": name,
                "Cluster": {"Ref": "Cluster"},
                "TaskDefinition": {"Ref": "Definition"},
                "LaunchType": "FARGATE",
                "HealthCheckGracePeriodSeconds": 30,
                "DeploymentConfiguration": {
                    "MaximumPercent": 200,
                    "MinimumHealthyPercent": 100,
                    "DeploymentCircuitBreaker": {"Enable": True, "Rollback": True},
                },
                "LoadBalancers": [
                    {"ContainerName": "app", "ContainerPort": {"Ref": "Port"}, "TargetGroupArn": {"Ref": "Targets"}}
                ],
                "NetworkConfiguration": {
                    "AwsvpcConfiguration": {"Subnets": {"Ref": "Subnets"}, "SecurityGroups": [{"Ref": "Group"}]}
                },
                "PropagateTags": "SERVICE",
                "Tags": [{"Key": "team", "Value": "lab"}],
            },
        ),
        "Scaling": (
            "ApplicationAutoScaling::ScalableTarget",
            {
                "MinCapacity": 1,
                "MaxCapacity": 3,
                "ResourceId": {"Fn::Sub": "service/${Cluster}/${Service.Name}"},
                "ScalableDimension": "ecs:service:DesiredCount",
                "ServiceNamespace": "ecs",
            },
        ),
        "Policy": (
            "ApplicationAutoScaling::ScalingPolicy",
            {
                "PolicyName": "cpu",
                "PolicyType": "TargetTrackingScaling",
                "ScalingTargetId": {"Ref": "Scaling"},
                "TargetTrackingScalingPolicyConfiguration": {
                    "TargetValue": 60,
                    "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
                },
            },
        ),
    }
    made: dict[str, Any] = {
        logical_id: {"Type": f"AWS::{kind}", "Properties": {**properties, **changes.get(logical_id, {})}}
        for logical_id, (kind, properties) in resources.items()
    }
    made["Service"]["DependsOn"] = "Listener"
    return {
        "Parameters": {
            "Image": {"Type": "String"},
            "Mode": {"Type": "String", "Default": "plain"},
            "Port": {"Type": "Number", "Default": 8000},
            "Vpc": {"Type": "AWS::EC2::VPC::Id"},
            "Subnets": {"Type": "List<AWS::EC2::Subnet::Id>"},
        },
        "Conditions": {"Debug": {"Fn::Equals": [{"Ref": "Mode"}, "debug"]}},
        "Resources": made,
        "Outputs": {
            "Uri": {"Value": {"Fn::GetAtt": ["Repository", "RepositoryUri"]}},
            "Target": {"Value": {"Ref": "Scaling"}},
            "Policy": {"Value": {"Fn::GetAtt": ["Policy", "PolicyName"]}},
        },
    }
