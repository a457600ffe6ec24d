#!/usr/bin/env python3
"""Counts what meson's test runs in the given build folders have reported, and closes with one line.

A test program that died, timed out or printed no result counts as one failure. A folder without results is a failure too.
"""
import sys
import xml.etree.ElementTree as xml

passed = failed = skipped = 0
for folder in sys.argv[1:]:
    try:
        suites = xml.parse(folder + '/meson-logs/testlog.junit.xml').getroot()
    except (OSError, xml.ParseError) as error:
        print('%s: no results: %s' % (folder, error))
        failed += 1
        continue
    for suite in suites.iter('testsuite'):
        cases = list(suite.iter('testcase'))
        bad = [case for case in cases if case.find('failure') is not None or case.find('error') is not None]
        away = [case for case in cases if case.find('skipped') is not None]
        failed += len(bad)
        skipped += len(away)
        passed += len(cases) - len(bad) - len(away)
        if not cases or (not bad and int(suite.get('errors') or 0) + int(suite.get('failures') or 0)):
            failed += 1
            bad = [suite]
        for case in bad:
            print('%s: failed: %s: %s' % (folder, suite.get('name'), case.get('name')))
print('%d passed, %d failed%s' % (passed, failed, ', %d skipped' % skipped if skipped else ''))
sys.exit(1 if failed or not passed else 0)
