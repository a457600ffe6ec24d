#!/usr/bin/env python3
"""Two processes work while w2k_hook logs: every call of theirs is in the log once, each line is of the documented grammar, no line is
missing, and the processes find everything as it is without hooks.

spy_log.py BUILD-FOLDER ROUNDS"""
import os
import re
import signal
import subprocess
import sys

BUILD, ROUNDS = sys.argv[1], sys.argv[2]
CLIENT, HOOK = os.path.join(BUILD, 'tests/spy_client'), os.path.join(BUILD, 'bin/w2k_hook')
SERVICES = ['NtCreateFile', 'NtWriteFile', 'NtReadFile', 'NtQueryInformationFile', 'NtCreateKey', 'NtSetValueKey', 'NtQueryValueKey', 'NtClose']

# seed: <n>:s<status>=<Function>(<arguments>)<time>,<thread>,<handles>; each argument begins with its letter
HEX = r'(?:0|[1-9A-F][0-9A-F]*)'
HANDLE = HEX + r'\.' + HEX
TEXT = r'"[^"]*"'
ARGUMENT = (r'(?:b(?:TRUE|FALSE)?|[ns]%s|[pdl](?:%s)?|i(?:%s\.%s)?|c(?:%s)?|[aw][^,)]*|[uo](?:%s)?|\+(?:%s)?|[!-](?:%s(?:=%s)?)?)'
            % (HEX, HEX, HEX, HEX, HANDLE, TEXT, HANDLE, HANDLE, TEXT))
LINE = re.compile(r'(%s):s(%s)=(Nt\w+)\((?:%s(?:,%s)*)\)(%s),(%s),(%s)$' % (HEX, HEX, ARGUMENT, ARGUMENT, HEX, HEX, HEX))


def start(*words):
    return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)


def work(names):
    """What the processes tell: one dictionary each."""
    clients = [start(CLIENT, 'work', name, ROUNDS) for name in names]
    answers = []
    for client in clients:
        text = client.communicate()[0]
        assert client.returncode == 0, client.returncode
        answers.append(dict(line.split(' ', 1) for line in text.splitlines() if ' ' in line))
    return answers


def until(hook, texts):
    """Lines of the log until each of the texts has come."""
    lines, wanted = [], set(texts)
    while wanted:
        line = hook.stdout.readline()
        assert line, 'the log ended without ' + ' '.join(wanted)
        lines.append(line.rstrip('\n'))
        wanted = {text for text in wanted if text not in line}
    return lines


def main():
    names = ['one', 'two']
    alone = work(names)
    hook = start(HOOK, '--resume', '--no-filter', '*')
    until(hook, ['-resumed'])
    watched = work(names)
    lines = until(hook, ['The end of ' + name for name in names])
    hook.send_signal(signal.SIGINT)
    rest = hook.communicate()[0]
    assert hook.returncode == 0 and 'hooks removed' in rest, rest

    number, seen = 0, {}
    for line in lines:
        match = LINE.match(line)
        assert match, 'not of the grammar: ' + line
        assert int(match[1], 16) == number + 1, 'after line %X: %s' % (number, line)
        number += 1
        key = match[5], match[3]
        seen[key] = seen.get(key, 0) + 1
    for before, after in zip(alone, watched):
        for service in SERVICES:
            assert before[service] == after[service], (service, before, after)
        # the end of the process makes calls as well, after its last line
        for service in SERVICES[:-1]:
            assert seen.get((after['thread'], service), 0) == int(after[service]), (service, after, seen)
        assert seen[after['thread'], 'NtClose'] >= int(after['NtClose'])
    print('%d lines' % len(lines))


main()
