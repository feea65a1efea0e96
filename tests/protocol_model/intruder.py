"""Somebody who may start and tag tasks, or tag only, and nothing else; what he can do at any moment.

He has a revision of a family of his own, with tags and an image as he likes. In the service's family he may not register.
What he may not bring about stands in `breaks`; what he may, in docs/security.md.
"""
from __future__ import annotations

from typing import Any, Iterator, NamedTuple

from aws import *
from decide import digest

RUNS, TAGS = 'may run and tag tasks', 'may tag'


def prepared(world: World) -> World:
    """His own revision is there."""
    return world._replace(revisions=world.revisions + (Revision(len(world.revisions), image='evil', own=False),))


def evil(world: World) -> int:
    return next(r.number for r in world.revisions if not r.own)


def moves(world: World, kind: str, releases: tuple[str, ...]) -> Iterator[tuple[str, World]]:
    """What he can do in one call, and the world after it. He gives his own revision the tags that he needs before."""
    for release in releases:
        own_tags = dict(release=release, epoch=world.marks.epoch, image=release)
        tagged = world._replace(revisions=changed(world.revisions, evil(world), **own_tags))
        if kind == RUNS:
            yield from _starts(tagged, release)
        else:
            yield from _tags(tagged, release)


def _starts(world: World, release: str) -> Iterator[tuple[str, World]]:
    """RunTask of any revision there is, with our tags (a verdict too) or none, by the token that is the lock or by his own."""
    epoch = world.marks.epoch
    for revision in world.revisions:
        if not revision.active:
            continue
        for token in (_lock(world), 'his own'):
            for tag in (release, '') if token != 'his own' else (release,):
                task = Task(len(world.tasks), token, tag, revision.number, epoch, verdict=True)
                if token:
                    yield f'RunTask({tag or "no tags"}, {revision.number}, {token[:7]})', world._replace(tasks=world.tasks + (task,))


def _lock(world: World) -> str:
    """The token that the next canary will come to; '' when a living task has it."""
    token = digest('service', world.marks.epoch.digest)
    for task in world.tasks:
        if task.token == token and task.number not in world.expired:
            if task.alive:
                return ''
            token = digest(token, task.number)
    return token


def _tags(world: World, release: str) -> Iterator[tuple[str, World]]:
    """TagResource of the service, of a living task, of a revision."""
    other, epoch = evil(world), Epoch(digest(world.marks.epoch.digest, release), release)
    for marks in (dict(wanted=other), dict(previous=other), dict(release=release, wanted=other, previous=other, under_way=release),
                  dict(epoch=epoch, under_way='', wanted=other), dict(epoch=epoch, under_way=''), dict(epoch=epoch, under_way='', wanted=0)):
        yield f'TagService({marks})', world._replace(marks=world.marks._replace(**marks))
    for task in world.tasks:
        if task.alive:
            for tags in (dict(verdict=True), dict(release='Z'), dict(epoch=Epoch('his', ''))):
                yield f'TagTask({task.number}, {tags})', world._replace(tasks=changed(world.tasks, task.number, **tags))
    for revision in world.revisions:
        if revision.own:
            forged: tuple[dict[str, Any], ...] = (dict(release=release, epoch=world.marks.epoch), dict(promoted=not revision.promoted))
            for fields in forged:
                yield f'TagRevision({revision.number}, {fields})', world._replace(revisions=changed(world.revisions, revision.number, **fields))


class Wanted(NamedTuple):
    """What the commands of a scenario are about: images of its promotes and of what ran before, images of its canaries."""
    approved: frozenset[str]
    planned: frozenset[str]
    undone: bool                        # something of it may be taken back: it fails, is rolled back, or meets another
    alone: bool                         # one agent, which does not fail
    kept: frozenset[int]                # promoted revisions that the commands leave ACTIVE when nobody disturbs them
    served: frozenset[str]              # images that the service runs then, from the start on


def breaks(world: World, kind: str, wanted: Wanted) -> Iterator[str]:
    """What he may not bring about, at any moment."""
    serving = world.revisions[world.service]
    in_traffic = [world.revisions[task.revision] for task in world.tasks if task.alive and task.in_traffic]
    facts = {
        'the service runs what nobody of us registered': not serving.own,
        'what nobody of us registered takes traffic': any(not revision.own for revision in in_traffic),
        'an image takes traffic that no canary was to have': any(revision.image not in wanted.planned for revision in in_traffic),
        'a revision of another family is deregistered': not world.revisions[evil(world)].active,
    }
    if kind == RUNS:
        facts |= {
            'the service runs an image that was not approved': serving.image not in wanted.approved,
            'a revision of ours is thrown away': not wanted.undone and any(r.own and not r.active for r in world.revisions),
            'a revision is deregistered that no rollback took away': any(
                not r.active and r.own and r.release in ('', 'P') and r.release != world.marks.epoch.cancelled for r in world.revisions),
            'a promoted revision is deregistered that the commands leave alone': any(not world.revisions[number].active for number in wanted.kept),
            'the service runs a release that the commands lead away from, or never to': wanted.alone and serving.image not in wanted.served,
        }
    yield from (what for what, broken in facts.items() if broken)
