#!/usr/bin/env python3
"""What functions 19 to 22 tell of a loaded image against what llvm-readobj tells of its file.

spy_images.py BUILD-FOLDER LLVM-READOBJ MODULE FILE: prints the exports that lead elsewhere, with their addresses."""
import os
import re
import subprocess
import sys

BUILD, READOBJ, MODULE, FILE = sys.argv[1:]
CLIENT = os.path.join(BUILD, 'tests/spy_client')
DIRECTORIES = ['Export', 'Import', 'Resource', 'Exception', 'Certificate', 'BaseRelocation', 'Debug', 'Architecture', 'GlobalPtr', 'TLS', 'LoadConfig',
               'BoundImport', 'IAT', 'DelayImportDescriptor', 'CLRRuntimeHeader', 'Reserved']
MOVED = 'ImageBase'  # the loader writes where the image is


def number(text):
    match = re.search(r'\((0x[0-9A-Fa-f]+)\)', text) or re.match(r'(0x[0-9A-Fa-f]+|\d+)$', text)
    return int(match[1], 0) if match else None


def of_file():
    """Fields of both headers, and exports: name -> (RVA, where it leads)."""
    text = subprocess.run([READOBJ, '--file-headers', '--coff-exports', FILE], check=True, capture_output=True, text=True).stdout
    fields = {}
    for line in text.split('DOSHeader')[0].splitlines():
        name, _, value = line.strip().partition(': ')
        if value and name not in ('File', 'Format', 'Arch', 'AddressSize') and number(value) is not None:
            fields.setdefault(name, number(value))
    exports = {}
    for block in re.findall(r'Export \{(.*?)\}', text, re.S):
        one = dict(line.strip().split(': ', 1) for line in block.splitlines() if ': ' in line.strip())
        if one.get('Name'):
            exports[one['Name']] = int(one.get('RVA', '0'), 0), one.get('ForwardedTo')
    return fields, exports


def of_memory():
    text = subprocess.run([CLIENT, 'image', MODULE], check=True, capture_output=True, text=True).stdout
    fields, exports = {}, {}
    for line in text.splitlines():
        if line.startswith('export '):
            _, name, rva, alone = line.split()
            exports[name] = int(rva), int(alone)
        elif line.startswith('directory '):
            index, rva, size = re.match(r'directory (\d+): (\d+) (\d+)$', line).groups()
            name = DIRECTORIES[int(index)]
            table = name if name in ('Debug', 'Architecture', 'GlobalPtr', 'BoundImport', 'IAT', 'DelayImportDescriptor', 'CLRRuntimeHeader', 'Reserved') else name + 'Table'
            fields[table + 'RVA'], fields[table + 'Size'] = int(rva), int(size)
        else:
            name, value = line.split(': ')
            fields[name] = int(value)
    return fields, exports


def main():
    wanted, wanted_exports = of_file()
    told, told_exports = of_memory()
    base = told.pop('base')
    assert told.pop('size') == told['SizeOfImage'], told
    assert told.pop(MOVED) == base
    wanted.pop(MOVED)
    compared = 0
    for name in told:
        assert name in wanted, 'llvm-readobj has no ' + name
        assert told[name] == wanted[name], (name, told[name], wanted[name])
        compared += 1
    assert compared == 63, compared
    assert told_exports.keys() == wanted_exports.keys(), told_exports.keys() ^ wanted_exports.keys()
    for name, (rva, forwarded) in wanted_exports.items():
        if forwarded:
            print('%s -> %s: %X' % (name, forwarded, told_exports[name][1]))
            continue
        assert told_exports[name] == (rva, base + rva), (name, told_exports[name], rva)
    print('%d fields, %d exports' % (compared, len(wanted_exports)))


main()
