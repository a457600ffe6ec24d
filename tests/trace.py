#!/usr/bin/env python3
"""trace.py TRACE TRACE: whether drivers answered the same in two runs of a test.

A TRACE is what nt-kernel --trace wrote; TRACE.tests says before which line each test of the script began (lib.sh). The lines are put
together to files, each from its open to its close, and a file belongs to the test that opened it. For each test the files of both runs
are the same: as many of them, with the same lines in the same order. The order of the files among each other is nobody's promise: clients
run side by side, and the files of a killed one are closed when its death has been noticed. What else depends on the moment is below.
"""
import re
import sys
from collections import Counter

CONTROL = 'IRP_MJ_DEVICE_CONTROL '
SET_MODE, QUERY_STATE = CONTROL + '0x00222040', CONTROL + '0x00222044'  # drivers/pipe/public.h

# Chance: what is compared of the files of these drivers is how they are opened and closed, as a set.
ENDS_ONLY = {
    # Clients are killed at any moment after they have opened the pipe, ...
    'test_clients_that_are_killed_leave_nothing': 'example',
    'test_a_driver_that_is_in_use_is_unloaded_when_it_is_not': 'example',
    'test_clients_killed_at_random_disturb_nobody_else': 'example',
    # ... or work until others are done.
    'test_hooks_come_and_go_a_thousand_times_under_load': 'example',
}
# Chance: how much went through the pipe, in which pieces, before one of its clients ended (something did), and whether that one was waiting.
SOME_BYTES = {'test_a_writer_ends_with_an_error_when_its_reader_is_killed', 'test_a_reader_ends_when_its_writer_is_killed',
              'test_output_that_goes_nowhere_is_an_error'}  # the reader ends at its first write, the writer when that has been noticed
# Chance: how much clients write, and which of the readers of a pipe gets what; all that was written was read.
SHARED_BYTES = {'test_two_writers_and_two_readers_exchange_bytes', 'test_two_writers_and_two_readers_exchange_messages',
                'test_the_pipe_is_as_good_as_new'}
# Not with Windows drivers: w2k_spy.sys calls no routine of a native driver, whose calling convention is another.
ONE_SIDED = {'test_symbols_of_a_native_driver_come_from_nm'}
# Meant: the headers of w2k_spy.sys, asked for by itself; it has some in one run only.
MEANT = {(CONTROL + '0x8000e050, in 8, out 264 -> ' + outcome): CONTROL + '0x8000e050, in 8, out 264 -> (its headers, if it has some)'
         for outcome in ('STATUS_SUCCESS 264', 'STATUS_INVALID_IMAGE_FORMAT 0')}
MEANT_IN = 'test_symbols_lead_into_the_kernels_image'

TRANSFER = re.compile(r'(IRP_MJ_(?:READ|WRITE)) \d+ -> STATUS_(?:SUCCESS|BUFFER_OVERFLOW) (\d+)$')
LINE = re.compile(r'(\S+): (\S+)(.*) -> (\S+ \d+) \(process \d+(?:, file (\S+))?\)$')


class Error(Exception):
    """A trace that cannot be one."""


def require(truth, *what):
    if not truth:
        raise Error(' '.join(map(str, what)))


def files_of(path):
    """(test, driver, lines) of each file, in the order of opens. A request without a file is one of its own."""
    with open(path + '.tests') as text:
        marks = [(int(line.split()[0]), line.split()[1]) for line in text]
    with open(path) as text:
        lines = text.read().splitlines()
    files, open_files, test, former = [], {}, None, None
    for number, line in enumerate(lines):
        if line == former and file:  # the pages of memory, one by one
            open_files[file].append(open_files[file][-1])
            continue
        parts, former = LINE.match(line), line
        require(parts, 'line', number + 1, 'of', path, 'is none:', line)
        while marks and marks[0][0] <= number:
            test = marks.pop(0)[1]
        driver, major, what, outcome, file = parts.groups()
        if major == 'IRP_MJ_CREATE':
            require(file not in open_files, 'opened twice: line', number + 1, 'of', path)
            open_files[file] = []
            files.append((test, driver, open_files[file]))
        elif file:
            require(file in open_files, 'not open: line', number + 1, 'of', path)
        else:
            files.append((test, driver, []))
        (open_files[file] if file else files[-1][2]).append(major + what + ' -> ' + outcome)
        if major == 'IRP_MJ_CLOSE' or (major == 'IRP_MJ_CREATE' and not outcome.startswith('STATUS_SUCCESS ')):
            del open_files[file]
    require(not open_files, 'never closed:', open_files)
    return files


def without_chance(driver, lines):
    """What depends on the moment in every test."""
    if driver == 'w2k_spy':
        # w2k_hook asks for lines of the log again and again; and there are as many page entries as memory has pages.
        lines = [line for line in lines if not line.startswith(CONTROL + '0x8000e044')]
        return [line for at, line in enumerate(lines) if not line.startswith(CONTROL + '0x8000601c') or line != lines[at - 1]]
    if any(line.startswith(SET_MODE) for line in lines):
        return stream(lines)
    return lines


def stream(lines):
    """A client of the pipe that pours: the pieces are those in which its input came. Whoever finds a pipe of the usual size makes it
    larger, which another one's waiting request may forbid."""
    result = []
    for line in lines:
        transfer, former = TRANSFER.match(line), TRANSFER.match(result[-1]) if result else None
        if line.startswith(SET_MODE) and result[-1].startswith(QUERY_STATE):
            continue
        if transfer and former and transfer.group(1) == former.group(1):
            line = '%s 0 -> STATUS_SUCCESS %d' % (transfer.group(1), int(transfer.group(2)) + int(former.group(2)))
            result.pop()
        elif transfer:
            line = '%s 0 -> STATUS_SUCCESS %s' % transfer.groups()
        result.append(line)
    return result


def ends(lines):
    return [re.sub('^IRP_MJ_CREATE .* ->', 'IRP_MJ_CREATE ->', line) for line in lines if line.startswith(('IRP_MJ_CREATE', 'IRP_MJ_CLEANUP', 'IRP_MJ_CLOSE'))]


def some_bytes(lines):
    lines = [re.sub(r'^(IRP_MJ_(?:READ|WRITE)) .* -> STATUS_SUCCESS [1-9]\d*$', r'\1, some bytes', line) for line in lines]
    lines = [re.sub(r'^(IRP_MJ_(?:READ|WRITE)) \d+ -> STATUS_PIPE_BROKEN 0$', r'\1 -> STATUS_PIPE_BROKEN 0', line) for line in lines]
    return [line for line in lines if not re.match('IRP_MJ_(READ|WRITE) .* -> STATUS_CANCELLED 0$', line)]


def is_passing(driver, lines):
    """w2k_spy's own file of itself, while somebody is in a call that was hooked; an attempt to hook while others have (tests try again
    until they have not)."""
    inner = lines[1:-2]
    return driver == 'w2k_spy' and (not inner or (len(inner) == 1 and re.match(CONTROL + '0x8000e030.* -> STATUS_(?!SUCCESS)', inner[0])))


def tests_of(path):
    """test -> Counter of (driver, lines...); how many files and lines there are."""
    tests, left, count = {}, {}, [0, 0]
    for test, driver, lines in files_of(path):
        files = tests.setdefault(test, Counter())
        count[0] += 1
        count[1] += len(lines)
        if re.match(ENDS_ONLY.get(test, '$'), driver):
            files[(driver, *ends(lines))] = 1
            continue
        lines = without_chance(driver, lines)
        if is_passing(driver, lines):
            continue
        if test in SOME_BYTES:
            lines = some_bytes(lines)
        if test in SHARED_BYTES:
            for transfer in filter(None, map(TRANSFER.match, lines)):
                left[test] = left.get(test, 0) + int(transfer.group(2)) * (1 if 'WRITE' in transfer.group(1) else -1)
            lines = [re.sub('^(IRP_MJ_(READ|WRITE)) .* ->', r'\1 ->', line) for line in lines if not TRANSFER.match(line)]
        if test == MEANT_IN:
            lines = [MEANT.get(line, line) for line in lines]
        files[(driver, *lines)] += 1
    require(not any(left.values()), 'not everything that was written was read:', left)
    return tests, count


def show(sign, files):
    for (driver, *lines), count in list(files.items())[:5]:
        print(' %s %d x %s, %d lines' % (sign, count, driver, len(lines)))
        for line in lines[:30]:
            print('     ', line)


def main():
    (one, count), (other, _) = tests_of(sys.argv[1]), tests_of(sys.argv[2])
    require(one and count[0] > 1, 'nothing to compare')
    different = [test for test in {**one, **other} if test not in ONE_SIDED and one.get(test) != other.get(test)]
    for test in different:
        print(test)
        show('-', one.get(test, Counter()) - other.get(test, Counter()))
        show('+', other.get(test, Counter()) - one.get(test, Counter()))
    print('%d files with %d requests of %d tests; %d tests differ' % (*count, len(one), len(different)))
    return bool(different)


if __name__ == '__main__':
    try:
        sys.exit(main())
    except Error as error:
        sys.exit('trace.py: %s' % error)
