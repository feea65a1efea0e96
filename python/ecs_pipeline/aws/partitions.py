"""AWS' partitions: `aws`, `aws-cn`, `aws-us-gov` and the others, as botocore's endpoint data has them."""

from __future__ import annotations

import botocore.exceptions
import botocore.session


def partition_of(region: str) -> str:
    """The partition that a region is in; `aws` for one that botocore does not know yet."""
    try:
        return str(botocore.session.Session().get_partition_for_region(region))
    except botocore.exceptions.UnknownRegionError:
        return "aws"
