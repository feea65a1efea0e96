"""AWS CloudFormation: the resource types that ministack lacks or makes differently."""
