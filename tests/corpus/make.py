#!/usr/bin/env python3
"""Writes the corpora beside this file: one small file for each case, and an index that says what is to come of it.

    make.py           writes the files and removes those that no case stands for any more
    make.py --check   writes nothing and fails if the files are not what the cases say

The cases are in the modules beside; the files are committed, so that whoever wants to replay one needs nothing but it.
"""

import pathlib
import sys

import good_cases
import http_cases
import json_cases
import mismatch_cases

HERE = pathlib.Path(__file__).parent


def bad():
    """Path and bytes of every file of the corpus of bad input."""
    for kind, ending, groups in (
        ("http", "http", http_cases.GROUPS),
        ("jsonrpc", "json", json_cases.GROUPS),
        ("mismatch", "http", mismatch_cases.GROUPS),
    ):
        rows = []
        for group, cases in groups.items():
            for name, data, *expected in cases():
                path = f"{group}/{name}.{ending}"
                rows.append("\t".join([path, *map(str, expected)]))
                yield f"bad/{kind}/{path}", data
        yield f"bad/{kind}/index.tsv", ("\n".join(sorted(rows)) + "\n").encode()


def good():
    """Path and bytes of every file of the corpus of what passes: a request, and the answer to it."""
    for group, cases in good_cases.GROUPS.items():
        for name, request, answer in cases():
            yield f"good/{group}/{name}.request.http", request
            yield f"good/{group}/{name}.answer.http", answer


def wanted():
    files = dict(good())
    contents = {}
    for path, data in bad():
        if path in files:
            raise SystemExit(f"{path} is there twice")
        if data in contents:
            raise SystemExit(f"{path} and {contents[data]} are the same")
        files[path] = data
        contents[data] = path
    return files


def present():
    return {str(path.relative_to(HERE)) for path in HERE.glob("*/**/*") if path.is_file() and path.parts[len(HERE.parts)] in ("bad", "good")}


def main():
    files = wanted()
    stale = present() - files.keys()
    if "--check" in sys.argv[1:]:
        wrong = [path for path, data in files.items() if not (HERE / path).is_file() or (HERE / path).read_bytes() != data]
        if wrong or stale:
            raise SystemExit(f"not what make.py writes: {sorted([*wrong, *stale])}")
        return
    for path, data in files.items():
        (HERE / path).parent.mkdir(parents=True, exist_ok=True)
        (HERE / path).write_bytes(data)
    for path in stale:
        (HERE / path).unlink()
    print(f"{len(files)} files")


if __name__ == "__main__":
    main()
