"""What `sluice ingest` says of the files."""

import io

from rich.console import Console

from cli.event_files.ingest import FileReport, are_done, report_document, report_table, statuses

FILES = [
    FileReport("a", "validated", 120, 5, {"B_EVENT": 1, "A_PRED": 2}, {"RULE_BROKEN": 1}, 1),
    FileReport("b", "known", 80, 3, {"A_PRED": 2}, {"RULE_BROKEN": 1}),
    FileReport("c", "timed_out", 7),
]


def shown(files: list[FileReport]) -> str:
    console = Console(file=io.StringIO(), width=100)
    console.print(report_table(files))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_document_has_exactly_the_promised_shape() -> None:
    assert report_document(FILES) == {
        "files": [
            {
                "key": "a",
                "status": "validated",
                "bytes": 120,
                "events": 5,
                "clean": {"B_EVENT": 1, "A_PRED": 2},
                "dirty": {"RULE_BROKEN": 1},
                "unrelated": 1,
            },
            {
                "key": "b",
                "status": "known",
                "bytes": 80,
                "events": 3,
                "clean": {"A_PRED": 2},
                "dirty": {"RULE_BROKEN": 1},
                "unrelated": 0,
            },
            {"key": "c", "status": "timed_out", "bytes": 7, "events": 0, "clean": {}, "dirty": {}, "unrelated": 0},
        ],
        "totals": {
            "files": 3,
            "events": 8,
            "clean": {"A_PRED": 4, "B_EVENT": 1},
            "dirty": {"RULE_BROKEN": 2},
            "unrelated": 1,
        },
    }


def test_dirty_events_and_known_files_are_no_failure() -> None:
    assert are_done(FILES[:2])
    assert are_done([FileReport("r", "refused", 1)])


def test_a_file_without_a_good_end_is_a_failure() -> None:
    assert not are_done(FILES)
    assert not are_done([FileReport("g", "gone", 1)])
    assert not are_done([FileReport("u", "unreadable", 1)])


def test_the_table_names_every_table_and_reason() -> None:
    text = shown(FILES)
    assert "3 files, 8 events" in text
    for name, count in [("A_PRED", "4"), ("B_EVENT", "1"), ("RULE_BROKEN", "2"), ("another producer's", "1")]:
        (line,) = [line for line in text.splitlines() if name in line]
        assert line.rstrip(" │").endswith(count)


def test_nothing_unrelated_is_not_mentioned() -> None:
    assert "unrelated" not in shown(FILES[1:])


def test_statuses_are_counted() -> None:
    assert statuses([*FILES, FILES[0]]) == {"validated": 2, "known": 1, "timed_out": 1}
