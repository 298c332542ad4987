"""The turns in which announced objects are validated, so that what one of them does to the function harms no other.

New ones come first, together. A message that was delivered before may announce what the function died of. So each of
its objects is validated alone, once what is done is committed and out of the queue, and is noted in the ledger first:
one that was begun and never ended comes last. So a file that kills the function every time is alone with it from the
third delivery on, and alone among the dead letters in the end. However many do so, they take no other there: what waits
at its last delivery is announced anew before another file is tried.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sluice.event_files.ledger.model import Counts, SourceObject, SourceRecord, Status
from sluice.event_files.validate.validation import Limits, Outcome, described

_BEGUN = (
    "validation of this file alone was begun, and has not ended: if it stays like this, the function ran out of memory "
    "or time, or was stopped, while it was at this file"
)


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the queue: the objects it announces, and how often it was delivered, this time included."""

    id: str
    sources: tuple[SourceObject, ...]
    deliveries: int


class Queue(Protocol):
    """The queue that messages come from."""

    def remove(self, ids: Collection[str]) -> None:
        """Remove messages that are done: whatever happens to this invocation, they do not come again."""

    def send_anew(self, ids: Collection[str]) -> None:
        """Send messages once more, as if they had never been delivered."""


class Ledger(Protocol):
    """Records of source objects."""

    def statuses(self, sources: Iterable[SourceObject]) -> Mapping[SourceObject, Status]:
        """Return the statuses of those objects that have a record."""

    def note(self, record: SourceRecord) -> None:
        """Record an object under its ETag, unless a final record is there."""


Validate = Callable[[Sequence[SourceObject], Callable[[], float]], Outcome]
"""Validates objects together, none of which has a final record, as far as the seconds that are left allow."""


@dataclass(slots=True)
class Turns:
    """Validates what the messages of one invocation announce, in turns."""

    validate: Validate
    ledger: Ledger
    queue: Queue
    limits: Limits
    most_deliveries: int
    outcome: Outcome = field(default_factory=Outcome)
    _removed: set[str] = field(default_factory=set)

    def take(self, messages: Sequence[Message], seconds_left: Callable[[], float]) -> set[str]:
        """Validate all that is announced; return the ids of the messages that must come again.

        What was not begun is guilty of nothing: it is announced anew, so that this delivery does not count. Beside a
        last delivery, and after it, new ones are tried alone, too.
        """
        last = {source for each in messages if each.deliveries >= self.most_deliveries for source in each.sources}
        new = dict.fromkeys(source for each in messages if each.deliveries == 1 and not last for source in each.sources)
        again = {source for each in messages for source in each.sources if source not in new}
        statuses = self.ledger.statuses(again)
        self.outcome.skipped |= {source for source in again if source in statuses and statuses[source].is_final}
        waiting = sorted(
            again - self.outcome.skipped, key=lambda each: (_is_suspect(statuses, each), each not in last, each.key)
        )
        kept = self.limits.file_seconds if waiting else 0  # for one of those that wait, at least
        self.outcome.extend(self.validate([*new], lambda: seconds_left() - kept))
        while waiting:
            source = waiting[0]
            if seconds_left() < self.limits.file_seconds + self.limits.reserve_seconds / 2:
                break
            if not self._remove_done(messages, waiting):
                break
            waiting = self._spared(messages, waiting, statuses)[1:]
            self._validate_alone(source, seconds_left)
        suspects = {source for source in waiting if _is_suspect(statuses, source)}
        self.outcome.failed.update(dict.fromkeys(suspects, _BEGUN))
        self.outcome.postponed.update(set(waiting) - suspects)
        return self._to_come_again(messages)

    def _remove_done(self, messages: Sequence[Message], waiting: Collection[SourceObject]) -> bool:
        """Remove the messages that are done from the queue; return whether that was possible."""
        unsettled = {*waiting, *self.outcome.failed, *self.outcome.postponed}
        done = {each.id for each in messages if unsettled.isdisjoint(each.sources)} - self._removed
        try:
            self.queue.remove(done)
        except Exception:  # noqa: BLE001  # what is not removed must not be put at risk
            return False
        self._removed |= done
        return True

    def _spared(
        self, messages: Sequence[Message], waiting: list[SourceObject], statuses: Mapping[SourceObject, Status]
    ) -> list[SourceObject]:
        """Announce anew what would be a dead letter if the first that waits killed the function; return the rest.

        Not so what is guilty itself: it failed, or never ended.
        """
        guilty = {waiting[0], *self.outcome.failed, *(each for each in waiting if _is_suspect(statuses, each))}
        spared = {
            each.id
            for each in messages
            if each.deliveries >= self.most_deliveries
            and guilty.isdisjoint(each.sources)
            and not set(waiting).isdisjoint(each.sources)
        }
        try:
            if spared:
                self.queue.send_anew(spared)
                self.queue.remove(spared)
        except Exception:  # noqa: BLE001  # then they are tried in this delivery
            return waiting
        self._removed |= spared
        sources = {source for each in messages if each.id in spared for source in each.sources}
        self.outcome.postponed |= sources & set(waiting)
        return [source for source in waiting if source not in sources]

    def _validate_alone(self, source: SourceObject, seconds_left: Callable[[], float]) -> None:
        try:
            self.ledger.note(SourceRecord(source, Status.BEGUN, 0, Counts(), message=_BEGUN))
            done = self.validate([source], seconds_left)
            self.outcome.extend(done)
            reason = done.failed.get(source, "no time left in this invocation" if done.postponed else None)
            if reason and not done.records:
                self.ledger.note(SourceRecord(source, Status.FAILED, 0, Counts(), message=reason))
        except Exception as error:  # noqa: BLE001  # the ledger did not take a note: the others must not suffer
            self.outcome.failed[source] = described(error)

    def _to_come_again(self, messages: Sequence[Message]) -> set[str]:
        failed = {each.id for each in messages if not self.outcome.failed.keys().isdisjoint(each.sources)}
        postponed = {each.id for each in messages if not self.outcome.postponed.isdisjoint(each.sources)} - failed
        postponed -= self._removed  # sent before
        if not postponed:
            return failed
        try:
            self.queue.send_anew(postponed)
        except Exception as error:  # noqa: BLE001  # then this delivery counts, but no message is lost
            self.outcome.failed.update(dict.fromkeys(self.outcome.postponed, described(error)))
            return failed | postponed
        return failed


def _is_suspect(statuses: Mapping[SourceObject, Status], source: SourceObject) -> bool:
    return statuses.get(source) is Status.BEGUN
