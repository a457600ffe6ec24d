#!/usr/bin/env python3
"""w2k_hook on a terminal: P pauses and resumes, F filters, R resets, Esc ends; each leaves a remark; an arrow key does nothing.

spy_keys.py BUILD-FOLDER"""
import os
import pty
import subprocess
import sys

BUILD = sys.argv[1]


class Terminal:
    """A program on a terminal of its own, read until something appears."""

    def __init__(self, *words):
        self.master, other = pty.openpty()
        self.process = subprocess.Popen(words, stdin=other, stdout=other, stderr=other, close_fds=True)
        os.close(other)
        self.text = ''

    def until(self, wanted):
        """What came up to it."""
        while wanted not in self.text:
            try:
                more = os.read(self.master, 4096).decode()
            except OSError:
                more = ''
            assert more, 'it ended before %r: %s' % (wanted, self.text[-2000:])
            self.text += more
        before, self.text = self.text.split(wanted, 1)
        return before

    def press(self, keys):
        os.write(self.master, keys)

    def rest(self):
        """All that comes until the end."""
        while True:
            try:
                more = os.read(self.master, 4096).decode()
            except OSError:
                more = ''
            if not more:
                return self.text
            self.text += more


def calls(text, name):
    return text.count('=' + name + '(')


def work(name):
    subprocess.run([os.path.join(BUILD, 'tests/spy_client'), 'work', name, '2'], check=True, stdout=subprocess.DEVNULL)


def end_of(name):
    return '\\The end of ' + name


def main():
    hook = Terminal(os.path.join(BUILD, 'bin/w2k_hook'), '--color=never', 'nt*key', 'ntclose')
    hook.until('paused: P resumes, F filter, R reset, Esc exit')
    work('unseen')
    hook.press(b'p')
    assert calls(hook.until('-resumed'), 'NtCreateKey') == 0
    work('seen')
    assert calls(hook.until('"\\Registry\\Machine\\Software\\Spyseen"'), 'NtOpenKey') == 0
    hook.press(b'F')
    hook.until('-filter off')
    work('all')
    text = hook.until(end_of('all'))
    assert calls(text, 'NtCreateKey') == 2 and calls(text, 'NtSetValueKey') == 2, text
    assert ':sC0000008=NtClose(-' in text, text
    assert calls(text, 'NtCreateFile') == 0, text
    hook.press(b'\x1b[A')
    hook.press(b'f')
    hook.until('-filter on')
    hook.press(b'r')
    hook.until('-reset')
    work('again')
    first = hook.until('=NtCreateKey(').splitlines()[-1]
    assert first.startswith('1:') or ':s' in first, first
    hook.press(b'P')
    hook.until('-paused')
    work('unseen')
    hook.press(b'P')
    assert calls(hook.until('-resumed'), 'NtCreateKey') == 0
    hook.press(b'\x1b')
    assert 'hooks removed' in hook.rest()
    assert hook.process.wait() == 0


main()
