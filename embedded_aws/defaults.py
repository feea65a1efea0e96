"""What an embedded AWS is when nothing else is asked for."""

from __future__ import annotations

REGION = "ap-northeast-1"
ACCOUNT = "123456789012"
