"""What a check saw, kept within bounds."""

from __future__ import annotations

from ecs_pipeline.engine.check_series import MOST_VALUES, CheckSeries, Point


def filled(count: int, *, counts: bool = False) -> CheckSeries:
    series = CheckSeries(counts=counts)
    for number in range(count):
        series.add(Point(float(number), "good", 1 if counts else [float(number)], {"a": 2 if counts else [1.0]}))
    return series


def test_few_samples_are_kept_as_they_are() -> None:
    series = filled(100)
    assert (len(series.until_now()), series.every) == (100, 1)


def test_of_many_each_that_is_kept_stands_for_several() -> None:
    series = filled(10_000)
    points = series.until_now()
    assert series.every == 16
    assert sum(point.size for point in points) <= MOST_VALUES
    assert points[-1].at == 9999
    assert [point.at for point in points] == sorted(point.at for point in points)


def test_no_count_is_lost() -> None:
    series = filled(10_000, counts=True)
    points = series.until_now()
    assert series.every > 1
    assert sum(point.canary for point in points if isinstance(point.canary, (int, float))) == 10_000
    assert (
        sum(count for point in points for count in point.others.values() if isinstance(count, (int, float))) == 20_000
    )


def test_counts_of_several_tasks_are_added_task_by_task() -> None:
    series = CheckSeries(counts=True, every=2)
    series.add(Point(1.0, "good", [1, 2], {"a": 1}))
    series.add(Point(2.0, "good", [3, 4], {"b": 5}))
    (point,) = series.points
    assert (point.canary, point.others) == ([4, 6], {"a": 1, "b": 5})
