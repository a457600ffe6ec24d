#!/usr/bin/env python3
"""Counts what meson's test runs in the given build folders have reported, and closes with one line.

usage: results.py [--all] [--also NAME=EXIT-CODE]... FOLDER...

Each TAP line counts; a program without TAP counts as one. What TAP does not say is a failure of its own: a program that
died, timed out, printed no plan, or fewer lines than planned; with --all, a test that did not run; a folder without results.
"""
import argparse
import json
import re
import sys

MOST_NOTES = 30  # lines of what a failed test said
LINE = re.compile(r'^(ok|not ok)\b(?:\s+(\d+))?\s*(?:-\s*)?([^#\n]*)(?:#\s*(SKIP|TODO)?.*)?$', re.M | re.I)
PLAN = re.compile(r'^1\.\.(\d+)', re.M)
SKIPPED = re.compile(r'^1\.\.0\s*#\s*SKIP\s*(.*)$', re.M | re.I)
GOOD = ('OK', 'EXPECTEDFAIL', 'SKIP')


class Count:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def fail(self, folder, test, what):
        self.failed += 1
        print('%s: failed: %s: %s' % (folder, test, what))


def notes_before(output, end):
    """What a test said before its line, which ends there."""
    notes = []
    for line in reversed(output[:end].splitlines()):
        if not line.startswith('#'):
            break
        notes.append('    ' + line)
    return notes[:MOST_NOTES][::-1]


def count_lines(count, folder, name, lines, output):
    for line in lines:
        verdict, _, what, directive = line.groups('')
        if directive.upper() == 'SKIP':
            count.skipped += 1
        elif verdict.lower() == 'ok' or directive.upper() == 'TODO':
            count.passed += 1
        else:
            count.fail(folder, name, what.strip())
            for note in notes_before(output, line.start()):
                print(note)


def count_test(count, folder, test, is_tap):
    name, result, output = test['name'], test['result'], test.get('stdout') or ''
    before = count.failed
    lines, plan = list(LINE.finditer(output)) if is_tap else [], PLAN.search(output)
    count_lines(count, folder, name, lines, output)
    planned = int(plan[1]) if plan else None
    if is_tap and result in GOOD and planned != len(lines):
        count.fail(folder, name, 'no plan' if plan is None else '%d of %d results' % (len(lines), planned))
    elif result not in GOOD and count.failed == before:
        count.fail(folder, name, '%s, exit code %s' % (result, test.get('returncode')))
    elif result not in GOOD and result != 'FAIL':
        print('%s: %s ended with %s, exit code %s' % (folder, name, result, test.get('returncode')))
    elif not lines and result in GOOD:
        if result == 'SKIP':
            count.skipped += 1
            reason = SKIPPED.search(output)
            print('%s: skipped: %s: %s' % (folder, name, reason[1] if reason else 'no reason given'))
        else:
            count.passed += 1


def count_folder(count, folder, every_test):
    try:
        with open(folder + '/meson-info/intro-tests.json', encoding='utf-8') as file:
            known = {test['name']: test.get('protocol') == 'tap' for test in json.load(file)}
        with open(folder + '/meson-logs/testlog.json', encoding='utf-8') as file:
            tests = [json.loads(line) for line in file]
    except (OSError, ValueError) as error:
        count.fail(folder, 'no results', error)
        return
    for test in tests:
        count_test(count, folder, test, known.get(test['name'].split(' / ')[-1], True))
    ran = {test['name'].split(' / ')[-1] for test in tests}
    for name in sorted(set(known) - ran) if every_test else []:
        count.fail(folder, name, 'did not run')
    if not tests:
        count.fail(folder, 'no results', 'no test ran')


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--all', action='store_true')
    parser.add_argument('--also', action='append', default=[])
    parser.add_argument('folders', nargs='+')
    options = parser.parse_args()
    count = Count()
    for folder in options.folders:
        count_folder(count, folder, options.all)
    for also in options.also:
        name, code = also.split('=')
        if code == '0':
            count.passed += 1
        else:
            count.fail('.', name, 'exit code ' + code)
    print('%d passed, %d failed%s' % (count.passed, count.failed,
                                      ', %d skipped' % count.skipped if count.skipped else ''))
    sys.exit(1 if count.failed or not count.passed else 0)


main()
