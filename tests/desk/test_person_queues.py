from __future__ import annotations

import threading

from kos.desk.person_queues import MAX_WAITING, PersonQueues

PATIENCE_S = 30.0


def nothing() -> None:
    pass


def test_tasks_of_a_lane_run_in_order_and_lanes_beside_each_other() -> None:
    lanes = PersonQueues(threads=3)
    both = threading.Barrier(2)
    done: list[tuple[str, int]] = []
    ended = threading.Semaphore(0)

    def task(lane: str, number: int) -> None:
        if number == 0:
            both.wait(PATIENCE_S)  # neither lane gets on before the other has begun
        done.append((lane, number))
        ended.release()

    for number in range(20):
        for lane in ("ann", "bob"):
            assert lanes.put(lane, lambda lane=lane, number=number: task(lane, number))  # type: ignore[misc]
    for _ in range(40):
        assert ended.acquire(timeout=PATIENCE_S)
    for lane in ("ann", "bob"):
        assert [number for name, number in done if name == lane] == list(range(20))
    lanes.close()


def test_slow_tasks_leave_threads_for_the_quick() -> None:
    lanes = PersonQueues(threads=2)
    gate, quick, slow = threading.Event(), threading.Event(), threading.Semaphore(0)

    def wait() -> None:
        gate.wait(PATIENCE_S)
        slow.release()

    for _ in range(5):
        lanes.beside(wait)
    assert lanes.put("ann", quick.set)
    assert quick.wait(PATIENCE_S)
    gate.set()
    for _ in range(5):
        assert slow.acquire(timeout=PATIENCE_S)
    lanes.close()


def test_a_lane_has_an_end() -> None:
    lanes = PersonQueues(threads=1)
    gate, last, started = threading.Event(), threading.Event(), threading.Event()

    def hold() -> None:
        started.set()
        gate.wait(PATIENCE_S)

    assert lanes.put("ann", hold)
    assert started.wait(PATIENCE_S)
    for number in range(MAX_WAITING):
        assert lanes.put("ann", last.set if number == MAX_WAITING - 1 else nothing)
    assert not lanes.put("ann", nothing)
    gate.set()
    assert last.wait(PATIENCE_S)
    lanes.close()
    assert not lanes.put("ann", nothing)
