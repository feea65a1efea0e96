"""Tags as anybody may have written them."""

from __future__ import annotations

from hypothesis import strategies as st

from ecs_pipeline.protocol import release_tags

VALUES = st.text(alphabet=st.characters(categories=("L", "N", "Zs")) | st.sampled_from("+-=._:/@"), max_size=256)
"""What a tag may hold (Amazon ECS developer guide, "Tag restrictions")."""
NUMBERS = st.sampled_from(["\u00b2", "\uff14", "-1", "1e9", "9" * 256, "0x10", "1_000", "\u0661", " 1", "007", "12"])
KEYS = st.sampled_from(
    [
        release_tags.EPOCH,
        release_tags.UNDER_WAY,
        release_tags.SOURCE,
        release_tags.WANTED,
        release_tags.PREVIOUS,
        release_tags.RELEASE,
        release_tags.SERVICE,
        release_tags.ROLE,
        release_tags.INDEX,
        release_tags.VERDICT,
        release_tags.JUDGED_STEPS,
        release_tags.JUDGED_TASKS,
        release_tags.BAKE_BEGAN,
        release_tags.RESTORES,
        release_tags.APPROVAL,
        release_tags.TARGETS + "1",
        release_tags.TARGETS + "\u00b2",
    ]
)
TAGS = st.dictionaries(KEYS, VALUES | NUMBERS)
