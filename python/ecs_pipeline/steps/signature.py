"""The signature of the image, verified before a revision is registered."""

from __future__ import annotations

from ecs_pipeline.config.images import SignatureSettings
from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import InvalidInput, ReleaseFailed, Trouble
from ecs_pipeline.images import references, signature
from ecs_pipeline.images.signature import Ended, Login, Verification
from ecs_pipeline.model.release import Image, Repository
from ecs_pipeline.timing import wait
from ecs_pipeline.timing.wait import Deadline, Judgement, Settled, Waiting, duration


def refuse_unverifiable(run: Run, settings: SignatureSettings) -> None:
    """The program or the key is not there. Raises InvalidInput."""
    _verification(run, settings).command("")
    key = run.folder / settings.key
    if settings.key_is_file and not key.is_file():
        raise InvalidInput(f"image.signature.key: there is no file {key}", cure="the path is relative to the config")


def refuse_unsigned(run: Run, image: Image, place: Repository | None, settings: SignatureSettings) -> str:
    """Verify the image by its digest; who did, in words.

    Raises ReleaseFailed when the program says no, Trouble when it says nothing in time or dies.
    """
    login = None
    if place:
        login = Login(references.parse(image.reference).registry, *run.repositories.credentials(place.registry))
    with signature.started(_verification(run, settings), image.reference, login) as ended:

        def judge() -> Judgement[Ended]:
            end = ended()
            return Settled(end) if end else Waiting(f"{settings.program} verifies the signature")

        try:
            end = wait.until(judge, run.clock, Deadline.after(run.clock, settings.within), run.recorder.progress)
        except wait.TimedOut as late:
            raise Trouble(
                f"{settings.program} has not verified {image.reference} within {duration(settings.within)}",
                cure="the same command resumes; image.signature.within gives it longer",
            ) from late
    if end.code < 0:
        why = f"{settings.program} was killed by signal {-end.code}"
        raise Trouble(why, cure="the same command resumes", evidence=end.lines)
    if end.code:
        raise ReleaseFailed(
            f"{settings.program} does not verify {image.reference}: exit code {end.code}",
            cure="sign the image and begin a new release; an image that is built here is not signed by ecs-pipeline",
            evidence=end.lines,
        )
    return f"signature verified by {settings.program}"


def _verification(run: Run, settings: SignatureSettings) -> Verification:
    """The program with its options, each in one argument: a value that begins with a dash is no option."""
    options = []
    if settings.key:
        options.append(f"--key={(run.folder / settings.key).absolute() if settings.key_is_file else settings.key}")
    if settings.identity:
        options += [f"--certificate-identity={settings.identity}", f"--certificate-oidc-issuer={settings.issuer}"]
    if not settings.transparency_log:
        options.append("--private-infrastructure=true")
    return Verification(settings.program, options)
