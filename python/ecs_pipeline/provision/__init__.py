"""An environment from one CloudFormation template."""
